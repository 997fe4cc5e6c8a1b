"""Erasing a person (GDPR 17, PIPL 47). What stays: a tombstone without data, consent records shrunk to their pseudonym,
and the suppression of the address by blind index, so that no import brings the person back."""

import hashlib
from collections.abc import Callable
from datetime import datetime

import orjson
from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import objects_privacy
from hongyan.contacts.errors import ContactNotFound, ErasureRefused
from hongyan.contacts.merging import ids_of
from hongyan.contacts.models import ConfirmationRequest, ConsentState, Contact, Identifier, Suppression, Tombstone
from hongyan.contacts.types import ErasureReceipt
from hongyan.core.clock import now
from hongyan.core.sql import statement
from hongyan.events import privacy as events_privacy

Eraser = Callable[[int], int]
_erasers: dict[str, Eraser] = {
    "events": lambda contact_id: events_privacy.erase(contact_id=contact_id),
    "objects_and_notes": objects_privacy.erase,
}


def register_eraser(room: str, erase: Eraser) -> None:
    """For rooms above: ``erase(contact_id)`` removes or unties what the room holds of a person, in the erasure's
    transaction, and returns how many rows it touched. Call in the app's ``ready()``. Rows with a foreign key to the
    contact go by themselves."""
    _erasers[room] = erase


def contact_erase(
    *, actor: Actor, contact_id: int, reason: str, unchanged_since: datetime | None = None, suppress: bool = True
) -> ErasureReceipt:
    """reason: request | retention | staff. unchanged_since: ``updated_at`` the person confirming has seen; if the
    contact changed meanwhile, ErasureRefused. suppress False: the address may come back (a sign-up nobody confirmed).
    Raises ContactNotFound.
    """
    actor.require(Permission.CONTACT_ERASE)
    with transaction.atomic():
        try:
            contact = Contact.objects.select_for_update().get(pk=contact_id)
        except Contact.DoesNotExist as error:
            raise ContactNotFound from error
        if unchanged_since is not None and contact.updated_at != unchanged_since:
            raise ErasureRefused
        receipt = _erase(contact, reason, suppress=suppress)
        record(
            actor=actor,
            action="contact.erased",
            subject_kind="contact",
            subject_id=str(receipt.public_id),
            data={"reason": reason, "removed": dict(receipt.removed), "digest": receipt.digest},
        )
    return receipt


def _erase(contact: Contact, reason: str, *, suppress: bool) -> ErasureReceipt:
    at = now()
    ids = ids_of(contact.pk)  # what a merge could not move carries the number of the record that was merged away
    removed = {room: sum(erase(number) for number in ids) for room, erase in sorted(_erasers.items())}
    if suppress:
        _suppress_identifiers(contact, at)
    removed["consent_shrunk"] = sum(_shrink_ledger(number) for number in ids)
    removed["consent_states"] = ConsentState.objects.filter(contact=contact).delete()[0]
    removed["confirmations"] = ConfirmationRequest.objects.filter(contact=contact).delete()[0]
    removed["identifiers"] = Identifier.objects.filter(contact=contact).delete()[0]
    public_id, created_at, contact_id = contact.public_id, contact.created_at, contact.pk
    removed["contact_and_links"] = contact.delete()[0]
    lines = {"public_id": str(public_id), "erased_at": at.isoformat(), "removed": removed}
    digest = hashlib.sha256(orjson.dumps(lines, option=orjson.OPT_SORT_KEYS)).hexdigest()
    Tombstone.objects.create(
        contact_id=contact_id,
        public_id=public_id,
        created_at=created_at,
        erased_at=at,
        reason=reason[:16],
        digest=digest,
    )
    return ErasureReceipt(public_id, at, removed, digest)


def _suppress_identifiers(contact: Contact, at: datetime) -> None:
    kept = (Identifier.Kind.EMAIL, Identifier.Kind.PHONE, Identifier.Kind.EXTERNAL_ID)
    rows = [
        Suppression(kind=row.kind, blind=bytes(row.blind), reason=Suppression.Reason.ERASED, created_at=at)
        for row in Identifier.objects.filter(contact=contact, kind__in=kept)
    ]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)


def _shrink_ledger(contact_id: int) -> int:
    """The trigger of the ledger lets UPDATE through only while the transaction says that it erases."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hongyan.erasing = 'on'")
        cursor.execute(statement("hongyan.contacts", "consent.sql", "shrink"), {"contact_id": contact_id})
        changed = int(cursor.rowcount)
        cursor.execute("SET LOCAL hongyan.erasing = 'off'")
    return changed

"""What this room holds about a person, how it forgets them, and how long rows live."""

from dataclasses import asdict
from typing import Any, Final

from orjson import loads

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import objects_privacy
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.merging import ids_of
from hongyan.contacts.models import ConfirmationRequest, ConsentRecord, ConsentState, Contact, Identifier, Tombstone
from hongyan.contacts.sealing import open_blob, open_record
from hongyan.contacts.signup import LIFE
from hongyan.contacts.suppression import suppressions_of
from hongyan.contacts.types import PLAIN_FIELDS

TABLES_ABOUT_PEOPLE = (
    "contacts_contact",
    "contacts_identifier",
    "contacts_consentrecord",
    "contacts_consentstate",
    "contacts_confirmationrequest",
    "contacts_suppression",
    "contacts_tombstone",
    "contacts_mergedaway",
    *objects_privacy.TABLES,
)
UNCONFIRMED_KEPT: Final = LIFE
KEPT = {
    "contacts.Contact": "until erased",
    "contacts.Identifier": "with the contact",
    "contacts.ConsentState": "with the contact",
    "contacts.ConfirmationRequest": "30 days while unconfirmed, and what was typed no longer than the confirmation",
    "contacts.ConsentRecord": "for good; after erasure by pseudonym, without evidence, wording and address of the page",
    "contacts.Suppression": "for good, by blind index only",
    "contacts.Tombstone": "for good; ids and times only",
    "contacts.MergedAway": "with the contact it leads to; ids and times only",
    **objects_privacy.KEPT,
}


def export(*, actor: Actor, contact_id: int) -> dict[str, Any]:
    """Everything, opened, as JSON can carry it but for times. The reading is recorded. Raises ContactNotFound."""
    actor.require(Permission.CONTACT_EXPORT)
    actor.require(Permission.CONTACT_IDENTITY)
    contact = Contact.objects.filter(pk=contact_id).first()
    if contact is None:
        raise ContactNotFound
    record(actor=actor, action="contact.exported", subject_kind="contact", subject_id=str(contact.public_id))
    return {
        "public_id": str(contact.public_id),
        "identity": asdict(open_blob(contact.sealed, contact_id=contact_id)),
        "profile": {key: getattr(contact, key) for key in PLAIN_FIELDS}
        | {"email_domain": contact.email_domain, "source": contact.source, "is_demo": contact.is_demo},
        "custom_fields": dict(contact.attributes),
        "provenance": dict(contact.provenance),
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
        "last_activity_at": contact.last_activity_at,
        "identifiers": [
            {"kind": kind, "since": since}
            for kind, since in Identifier.objects.filter(contact=contact)
            .order_by("id")
            .values_list("kind", "created_at")
        ],
        "consent_now": list(
            ConsentState.objects.filter(contact=contact)
            .order_by("channel", "topic_id")
            .values("channel", "topic__key", "state", "since")
        ),
        "consent_history": [_entry(row) for row in _ledger(contact_id)],
        "suppressions": [
            {"kind": row.kind, "reason": row.reason, "note": row.note, "since": row.created_at}
            for row in suppressions_of(contact_id=contact_id)
        ],
        "confirmation_requests": [
            _request(row) for row in ConfirmationRequest.objects.filter(contact=contact).order_by("id")
        ],
        **objects_privacy.held(contact),
    }


def tombstone_of(*, actor: Actor, contact_id: int) -> Tombstone | None:
    """That there was such a contact, and when it was erased."""
    actor.require(Permission.CONTACT_VIEW)
    return Tombstone.objects.filter(contact_id=contact_id).first()


def _ledger(contact_id: int) -> list[ConsentRecord]:
    return list(ConsentRecord.objects.filter(contact_id__in=ids_of(contact_id)).select_related("topic").order_by("id"))


def _entry(row: ConsentRecord) -> dict[str, Any]:
    sealed = row.sealed_evidence
    return {
        "record_id": str(row.record_id),
        "channel": row.channel,
        "topic": row.topic.key if row.topic else None,
        "action": row.action,
        "legal_basis": row.legal_basis,
        "wording": row.wording,
        "wording_version": row.wording_version,
        "method": row.method,
        "source_url": row.source_url,
        "requested_at": row.requested_at,
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
        "evidence": loads(open_record(sealed, owner_id=row.contact_id or 0)) if sealed is not None else {},
    }


def _request(row: ConfirmationRequest) -> dict[str, Any]:
    return {
        "topics": list(row.topic_keys),
        "language": row.language,
        "requested_at": row.requested_at,
        "expires_at": row.expires_at,
        "confirmed_at": row.confirmed_at,
        "typed": loads(open_record(row.sealed, owner_id=row.contact_id)) if row.sealed is not None else {},
    }

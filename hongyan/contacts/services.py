"""Creating and changing people by hand or by program, one at a time. Many at once: ``bulk``."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.errors import ContactMerged, ContactNotFound, IdentifierTaken, InvalidValues
from hongyan.contacts.identifiers import blind_of, contact_id_of
from hongyan.contacts.merging import current_ids
from hongyan.contacts.models import Contact, Identifier
from hongyan.contacts.profiles import LOCKED, locked_fields
from hongyan.contacts.sealing import filled, open_blob, seal
from hongyan.contacts.search import search_tokens
from hongyan.contacts.types import ContactChanges, ContactValues, Identity
from hongyan.contacts.values import Parts, parts_of
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring

_KINDS = (Identifier.Kind.EMAIL, Identifier.Kind.EXTERNAL_ID, Identifier.Kind.PHONE)


def contact_create(
    *, actor: Actor, values: ContactValues, source: str, is_demo: bool = False, owner_id: int | None = None
) -> Contact:
    """Raises InvalidValues (field → code), IdentifierTaken when an address or external id belongs to somebody."""
    actor.require(Permission.CONTACT_EDIT)
    parts = parts_of(values.values)
    if not any(parts.identity.get(key) for key in ("full_name", "email", "phone", "external_id")):
        raise InvalidValues({"email": "nothing"})
    at = now()
    with transaction.atomic():
        contact = Contact.objects.create(
            source=source[:64], is_demo=is_demo, owner_id=owner_id, created_at=at, updated_at=at
        )
        _write(contact, Identity(), parts, source=source, at=at)
        record(actor=actor, action="contact.created", subject_kind="contact", subject_id=str(contact.public_id))
    return contact


def contact_update(*, actor: Actor, contact_id: int, changes: ContactChanges, source: str) -> Contact:
    """Only the fields named change. Identifying fields need CONTACT_IDENTITY: who sees stars must not write over them.

    Raises ContactNotFound, InvalidValues, IdentifierTaken.
    """
    actor.require(Permission.CONTACT_EDIT)
    parts = parts_of(changes.values)
    if parts.identity or parts.extra:
        actor.require(Permission.CONTACT_IDENTITY)
    with transaction.atomic():
        contact = _locked(contact_id)
        if actor.kind != "user":
            _leave_fixed(contact, parts)
        changed = _write(contact, open_blob(contact.sealed, contact_id=contact.pk), parts, source=source, at=now())
        if changed:
            record(
                actor=actor,
                action="contact.changed",
                subject_kind="contact",
                subject_id=str(contact.public_id),
                data={"fields": changed[:40]},
            )
    return contact


def contact_fill(*, contact_id: int, values: Mapping[str, Any], source: str) -> list[str]:
    """Set only what is still empty (a confirmed sign-up says it of itself). Returns the fields. System use."""
    parts = parts_of(values)
    with transaction.atomic():
        contact = _locked(contact_id)
        identity = open_blob(contact.sealed, contact_id=contact.pk)
        parts.identity = {key: value for key, value in parts.identity.items() if not getattr(identity, key)}
        parts.plain = {key: value for key, value in parts.plain.items() if not getattr(contact, key)}
        parts.attributes = {key: value for key, value in parts.attributes.items() if key not in contact.attributes}
        parts.extra = {key: value for key, value in parts.extra.items() if not identity.extra.get(key)}
        return _write(contact, identity, parts, source=source, at=now())


def contact_assign(*, actor: Actor, contact_id: int, owner_id: int | None) -> None:
    """Whose customer it is."""
    actor.require(Permission.CONTACT_EDIT)
    with transaction.atomic():
        contact = _locked(contact_id)
        contact.owner_id = owner_id
        contact.save(update_fields=["owner_id"])
        record(
            actor=actor,
            action="contact.assigned",
            subject_kind="contact",
            subject_id=str(contact.public_id),
            data={"owner": owner_id},
        )


def _locked(contact_id: int) -> Contact:
    try:
        return Contact.objects.select_for_update().get(pk=contact_id)
    except Contact.DoesNotExist as error:
        into = current_ids([contact_id]).get(contact_id)
        if into is not None:
            raise ContactMerged(Contact.objects.values_list("public_id", flat=True).get(pk=into)) from error
        raise ContactNotFound from error


def _write(contact: Contact, before: Identity, parts: Parts, *, source: str, at: datetime) -> list[str]:
    """Put the parts in; returns the fields whose value changed."""
    after = replace(before, **parts.identity, extra=_without_empty({**before.extra, **parts.extra}))
    attributes = {**contact.attributes, **parts.attributes}
    changed = _changed(contact, before, after, parts)
    if not changed:
        return []
    _set_identifiers(contact, before, after)
    contact.attributes = {key: value for key, value in attributes.items() if value is not None}
    for key, value in parts.plain.items():
        setattr(contact, key, value)
    _set_identity(contact, after)
    origin = [source[:64], at.isoformat()]
    fixed = locked_fields(contact.provenance)
    written = {key: [*origin, LOCKED] if key in fixed else origin for key in changed}
    contact.provenance = {**contact.provenance, **written}
    contact.updated_at = at
    contact.save()
    return changed


def _leave_fixed(contact: Contact, parts: Parts) -> None:
    """A person fixed these values: programs do not change them."""
    fixed = locked_fields(contact.provenance)
    for values in (parts.identity, parts.plain, parts.attributes, parts.extra) if fixed else ():
        for key in fixed & values.keys():
            del values[key]


def _changed(contact: Contact, before: Identity, after: Identity, parts: Parts) -> list[str]:
    names = [key for key in parts.identity if getattr(before, key) != getattr(after, key)]
    names += [key for key, value in parts.plain.items() if getattr(contact, key) != value]
    names += [key for key, value in parts.attributes.items() if contact.attributes.get(key) != value]
    return names + [key for key, value in parts.extra.items() if before.extra.get(key, "") != value]


def _set_identity(contact: Contact, identity: Identity) -> None:
    contact.sealed, contact.seal_version = seal(identity, contact_id=contact.pk)
    contact.filled = filled(identity)
    contact.search_tokens = search_tokens(asdict(identity), keyring().blind)
    contact.email_domain = identity.email.rpartition("@")[2]
    contact.has_email, contact.has_phone = bool(identity.email), bool(identity.phone)
    born = identity.birth_date.split("-")
    contact.birth_month, contact.birth_day = (int(born[1]), int(born[2])) if len(born) == 3 else (None, None)


def _set_identifiers(contact: Contact, before: Identity, after: Identity) -> None:
    for kind in _KINDS:
        old, new = getattr(before, kind.value), getattr(after, kind.value)
        if old == new or (new and contact_id_of(kind, new) == contact.pk):
            continue  # from one to another of its own: a merged contact has several, and keeps them
        if old:
            Identifier.objects.filter(contact=contact, kind=kind, blind=blind_of(kind, old)).delete()
        if new:
            _add_identifier(contact, kind, new)


def _add_identifier(contact: Contact, kind: Identifier.Kind, value: str) -> None:
    """A phone may be shared (families, offices): it stays the identifier of the first who had it."""
    blind = blind_of(kind, value)
    try:
        with transaction.atomic():
            Identifier.objects.create(contact=contact, kind=kind, blind=blind)
    except IntegrityError as error:
        if kind is Identifier.Kind.PHONE:
            return
        other = Identifier.objects.select_related("contact").get(kind=kind, blind=blind)
        raise IdentifierTaken(kind.value, str(other.contact.public_id)) from error


def _without_empty(values: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}

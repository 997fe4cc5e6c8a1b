"""Why a value is what it is, and choosing another one."""

from datetime import datetime
from typing import Any

from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.errors import ContactNotFound, IdentifierTaken
from hongyan.contacts.identifiers import contact_id_of
from hongyan.contacts.models import Contact, Identifier
from hongyan.contacts.profiles import (
    LOCKED,
    is_locked,
    origin_of,
    provenance_in,
    provenance_key,
    set_values,
    values_of,
)
from hongyan.core.clock import now
from hongyan.identity.errors import MergeRefused
from hongyan.identity.kept import keep, kept_of, lost_value
from hongyan.identity.masking import masked_value
from hongyan.identity.types import Explanation, LostValue, Why


def explain(*, actor: Actor, contact: Contact, field: str) -> Explanation:
    """field: a key of ``contacts.profiles``. Masked without CONTACT_IDENTITY."""
    actor.require(Permission.CONTACT_VIEW)
    clear = actor.may(Permission.CONTACT_IDENTITY)

    def shown(value: Any) -> Any:
        return value if clear else masked_value(field, value)

    entry = kept_of(contact.pk).get(field)
    origin = provenance_in(contact.provenance, field)
    return Explanation(
        field=field,
        value=shown(values_of(contact).get(field)),
        source=origin.source if origin else "",
        observed_at=origin.observed_at if origin else None,
        why=Why(entry["why"]) if entry else None,
        decided_at=datetime.fromisoformat(entry["at"]) if entry else None,
        locked=is_locked(contact.provenance, field),
        others=tuple(
            LostValue(index, shown(lost["value"]), lost["source"], _time(lost["at"]))
            for index, lost in enumerate(entry["lost"] if entry else [])
        ),
    )


def fields_with_alternatives(*, actor: Actor, contact_id: int) -> set[str]:
    """Fields of which a merge set values aside."""
    actor.require(Permission.CONTACT_VIEW)
    return {field for field, entry in kept_of(contact_id).items() if entry["lost"]}


def value_choose(*, actor: Actor, contact_id: int, field: str, index: int) -> None:
    """Let one of the values that lost stand; the present one takes its place. The field is fixed: sources and later
    merges do not change it. Raises ContactNotFound, MergeRefused (choices), IdentifierTaken."""
    _require(actor)
    with transaction.atomic():
        contact = _locked(contact_id)
        kept = kept_of(contact_id)
        lost = kept.get(field, {}).get("lost", [])
        if not 0 <= index < len(lost):
            raise MergeRefused("choices")
        chosen = lost.pop(index)
        values = values_of(contact)
        _hold_identifier(contact, field, chosen["value"])
        if field in values:
            lost.append(lost_value(values[field], (origin_of(contact.provenance, field) or [None])[:2] or None))
        kept[field] = {"why": str(Why.CHOSEN), "at": now().isoformat(), "lost": lost}
        keep(contact_id, kept)
        set_values(contact, {**values, field: chosen["value"]})
        _save(actor, contact, field, [chosen["source"], chosen["at"], LOCKED])


def value_lock(*, actor: Actor, contact_id: int, field: str, locked: bool) -> None:
    """Fix the present value against sources and merges, or let them change it again. Raises ContactNotFound."""
    _require(actor)
    with transaction.atomic():
        contact = _locked(contact_id)
        origin = (origin_of(contact.provenance, field) or [contact.source, None])[:2]
        _save(actor, contact, field, [*origin, LOCKED] if locked else origin)


def _save(actor: Actor, contact: Contact, field: str, origin: list[Any]) -> None:
    contact.provenance = {**contact.provenance, provenance_key(field): origin}
    contact.updated_at = now()
    contact.save()
    record(
        actor=actor,
        action="contact.value_fixed" if len(origin) > 2 else "contact.value_released",
        subject_kind="contact",
        subject_id=str(contact.public_id),
        data={"field": field},
    )


def _hold_identifier(contact: Contact, field: str, value: Any) -> None:
    """An address that lost is still this contact's, unless somebody has taken it since."""
    if field in {Identifier.Kind.EMAIL, Identifier.Kind.EXTERNAL_ID}:
        owner = contact_id_of(field, str(value))
        if owner != contact.pk:
            other = Contact.objects.filter(pk=owner or 0).values_list("public_id", flat=True).first()
            raise IdentifierTaken(field, str(other or ""))


def _locked(contact_id: int) -> Contact:
    try:
        return Contact.objects.select_for_update().get(pk=contact_id)
    except Contact.DoesNotExist as error:
        raise ContactNotFound from error


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _require(actor: Actor) -> None:
    actor.require(Permission.CONTACT_EDIT)
    actor.require(Permission.CONTACT_IDENTITY)

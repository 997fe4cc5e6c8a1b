"""Taking back what was just done to a thing by hand: added, changed or removed.

What is needed for it is sealed for the person who did it and kept in their session until the next page with the thing
on it, an hour at most; it is refused when somebody else has changed the thing since.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest

from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.errors import InvalidValues, ObjectNotFound
from hongyan.contacts.models import Contact, ObjectRecord
from hongyan.contacts.objects import object_remove, object_upsert, secrets_of
from hongyan.contacts.objects_values import ObjectField, ObjectFieldType, fields_of, money_text
from hongyan.contacts.sealing import open_record
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring

_KEY: Final = "object_undo"
_LIFE: Final = timedelta(hours=1)


class UndoRefused(Exception):
    """It cannot be taken back (any more)."""


@dataclass(frozen=True, slots=True)
class Done:
    """act: added | changed | removed. values: as they were before, in the form the form takes; stamp: of the change."""

    act: str
    type_key: str
    external_id: str
    contact: str
    values: dict[str, str]
    stamp: str
    at: str


def values_before(found: ObjectRecord) -> dict[str, str]:
    """Everything the thing has, sensitive values too."""
    held = {**found.attributes, **secrets_of(found)}
    return {item.key: input_text(item, held.get(item.key)) for item in fields_of(found.type)}


def keep(request: HttpRequest, act: str, found: ObjectRecord, values: dict[str, str]) -> None:
    """Right after the act. found: the thing as it is now, or was."""
    done = Done(
        act,
        found.type.key,
        found.external_id,
        str(found.contact.public_id),
        values,
        found.updated_at.isoformat(),
        clock.now().isoformat(),
    )
    sealed = keyring().records.seal(orjson.dumps(asdict(done)), owner_id=_user_id(request))
    request.session[_KEY] = {"contact": done.contact, "act": act, "sealed": sealed.hex()}


def offered(request: HttpRequest, contact: Contact) -> str:
    """The act that can be taken back on this person's page; "" for none."""
    kept = request.session.get(_KEY) or {}
    return str(kept.get("act", "")) if kept.get("contact") == str(contact.public_id) else ""


def take_back(request: HttpRequest, *, actor: Actor, contact: Contact) -> None:
    """Raises UndoRefused. The services check what the actor may."""
    kept = request.session.pop(_KEY, None)
    if not kept or kept.get("contact") != str(contact.public_id):
        raise UndoRefused
    done = Done(**orjson.loads(open_record(bytes.fromhex(kept["sealed"]), owner_id=_user_id(request))))
    if clock.now() - datetime.fromisoformat(done.at) > _LIFE:
        raise UndoRefused
    there = ObjectRecord.objects.filter(type__key=done.type_key, external_id=done.external_id).first()
    if (there is None) != (done.act == "removed") or (there is not None and there.updated_at.isoformat() != done.stamp):
        raise UndoRefused
    try:
        if done.act == "added":
            object_remove(actor=actor, type_key=done.type_key, external_id=done.external_id, source="staff")
        else:
            object_upsert(
                actor=actor,
                type_key=done.type_key,
                external_id=done.external_id,
                contact_id=contact.pk if done.act == "removed" else None,
                values=done.values,
                source="staff",
            )
    except (InvalidValues, ObjectNotFound) as refused:
        raise UndoRefused from refused
    noted(actor, f"object.{done.act}_undone", done.type_key, contact.public_id)


def noted(actor: Actor, action: str, type_key: str, contact: UUID) -> None:
    """In the audit log, at the person it was done to."""
    record(actor=actor, action=action, subject_kind="contact", subject_id=str(contact), data={"type": type_key})


def input_text(item: ObjectField, value: Any) -> str:
    """A stored value as the form takes it."""
    if value in (None, ""):
        return ""
    if item.type is ObjectFieldType.MONEY:
        return money_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _user_id(request: HttpRequest) -> int:
    return int(request.user.pk or 0)

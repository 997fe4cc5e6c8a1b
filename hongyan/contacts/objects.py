"""Custom objects: writing what people have. One batch is a fixed number of statements; every change is an event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import IntegrityError, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import normalise
from hongyan.contacts.errors import InvalidValues, NormaliseProblem, ObjectNotFound
from hongyan.contacts.models import Contact, ObjectRecord, ObjectType
from hongyan.contacts.objects_types import object_type, object_type_archive, object_type_create, object_type_update
from hongyan.contacts.objects_values import ObjectField, ObjectParts, fields_of, parts_of, title_text
from hongyan.contacts.sealing import open_record
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import any_of
from hongyan.events.services import append
from hongyan.events.types import NewEvent

__all__ = [
    "ObjectIn",
    "ObjectOutcome",
    "object_remove",
    "object_type_archive",
    "object_type_create",
    "object_type_update",
    "object_upsert",
    "objects_remove_many",
    "objects_upsert",
]
EVENT: Final = "object_updated"
MOST: Final = 5_000  # rows of one call


@dataclass(frozen=True, slots=True)
class ObjectIn:
    """contact_id None: leave the thing with whom it is (a new one needs somebody). values: only those named change."""

    external_id: str
    contact_id: int | None
    values: Mapping[str, Any]


@dataclass(slots=True)
class ObjectOutcome:
    """act: made | changed | same | refused. problems: field → code, when refused."""

    external_id: str
    act: str
    record: ObjectRecord | None = None
    keys: list[str] = field(default_factory=list)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Run:
    """What the rows of one call share."""

    kind: ObjectType
    fields: list[ObjectField]
    title: ObjectField | None
    there: dict[str, ObjectRecord]
    people: set[int]
    changes: dict[str, "_Change"]
    source: str
    at: datetime
    zone: str


@dataclass(slots=True)
class _Change:
    row: ObjectRecord
    outcome: ObjectOutcome
    secrets: dict[str, str]
    touched: bool = False  # the secrets differ from what is sealed


def object_upsert(
    *,
    actor: Actor,
    type_key: str,
    external_id: str,
    contact_id: int | None,
    values: Mapping[str, Any],
    source: str = "api",
    at: datetime | None = None,
) -> ObjectOutcome:
    """Make the thing, or change the fields named. Raises ObjectTypeNotFound, InvalidValues."""
    rows = [ObjectIn(external_id, contact_id, values)]
    outcome = objects_upsert(actor=actor, type_key=type_key, rows=rows, source=source, at=at)[0]
    if outcome.act == "refused":
        raise InvalidValues(outcome.problems)
    return outcome


def objects_upsert(
    *,
    actor: Actor,
    type_key: str,
    rows: Sequence[ObjectIn],
    source: str,
    at: datetime | None = None,
    write: bool = True,
    zone: str = "UTC",
) -> list[ObjectOutcome]:
    """One outcome a row, in order; a refused row stops no other. An external id that comes twice is changed twice.

    write False: say what would happen. Raises ObjectTypeNotFound.
    """
    actor.require(Permission.CONTACT_EDIT)
    kind = object_type(type_key)
    if len(rows) > MOST:
        raise ValueError(f"at most {MOST} rows in one call")
    if kind.archived_at is not None:
        return [ObjectOutcome(row.external_id, "refused", problems={"type": "type_archived"}) for row in rows]
    try:
        with transaction.atomic():
            return _upsert(kind, rows, source[:64], at or now(), write=write, zone=zone)
    except IntegrityError:  # somebody made one of them at the same moment: now it is there to be changed
        with transaction.atomic():
            return _upsert(kind, rows, source[:64], at or now(), write=write, zone=zone)


def object_remove(*, actor: Actor, type_key: str, external_id: str, source: str = "api") -> None:
    """Raises ObjectTypeNotFound, ObjectNotFound."""
    if not objects_remove_many(actor=actor, type_key=type_key, external_ids=[external_id], source=source):
        raise ObjectNotFound


def objects_remove_many(*, actor: Actor, type_key: str, external_ids: Sequence[str], source: str) -> int:
    """Returns how many there were. Raises ObjectTypeNotFound."""
    actor.require(Permission.CONTACT_EDIT)
    kind, at = object_type(type_key), now()
    with transaction.atomic():
        found = ObjectRecord.objects.select_for_update().filter(type=kind, external_id__in=list(external_ids[:MOST]))
        rows = list(found.defer("attributes", "sealed"))
        if not rows:
            return 0
        run = _Run(kind, [], None, {}, set(), {}, source[:64], at, "UTC")
        append([_event(run, row, "removed", []) for row in rows])
        ObjectRecord.objects.filter(pk__in=any_of([row.pk for row in rows])).delete()
        record(
            actor=actor,
            action="object.removed",
            subject_kind="object_type",
            subject_id=kind.key,
            data={"objects": len(rows)},
        )
    return len(rows)


def secrets_of(row: ObjectRecord) -> dict[str, str]:
    """Sensitive values, opened. System use: the caller has checked what its actor may see."""
    return {} if row.sealed is None else dict(orjson.loads(open_record(row.sealed, owner_id=row.pk)))


def _upsert(
    kind: ObjectType, given: Sequence[ObjectIn], source: str, at: datetime, *, write: bool, zone: str
) -> list[ObjectOutcome]:
    fields = fields_of(kind)
    title = next((item for item in fields if item.key == kind.title_field), None)
    wanted = {name for row in given if (name := row.external_id.strip())}
    found = ObjectRecord.objects.filter(type=kind, external_id__in=wanted)
    there = {row.external_id: row for row in (found.select_for_update() if write else found)}
    run = _Run(kind, fields, title, there, _people([row.contact_id for row in given]), {}, source, at, zone)
    outcomes = [_one(run, row) for row in given]
    if write:
        _store(run)
    return outcomes


def _people(ids: Sequence[int | None]) -> set[int]:
    wanted = {pk for pk in ids if pk is not None}
    return set(Contact.objects.filter(pk__in=any_of(wanted)).values_list("pk", flat=True)) if wanted else set()


def _one(run: _Run, given: ObjectIn) -> ObjectOutcome:
    external_id = given.external_id
    try:
        external_id = _external_id(given.external_id)
        parts = parts_of(run.fields, given.values, zone=run.zone)
    except InvalidValues as problem:
        return ObjectOutcome(external_id, "refused", problems=problem.problems)
    row = run.there.get(external_id)
    if given.contact_id is not None and given.contact_id not in run.people:
        return ObjectOutcome(external_id, "refused", problems={"contact": "no_contact"})
    before = run.changes.get(external_id)
    if row is None:
        if given.contact_id is None:
            return ObjectOutcome(external_id, "refused", problems={"contact": "no_contact"})
        row = ObjectRecord(type=run.kind, external_id=external_id, contact_id=given.contact_id, created_at=run.at)
        run.there[external_id] = row
        change = _Change(row, ObjectOutcome(external_id, "made", row), {})
    else:
        # A second row of this id in one call goes on from the first; its outcome is its own.
        secrets = before.secrets if before is not None else secrets_of(row)
        change = _Change(row, ObjectOutcome(external_id, "changed", row), secrets)
    change.outcome.keys = _apply(change, given, parts)
    if change.outcome.act == "changed" and not change.outcome.keys:
        change.outcome.act = "same"
        return change.outcome
    row.title = title_text(run.title, row.attributes, external_id)
    row.updated_at, row.source = run.at, run.source
    if before is not None:  # told as one change: the first act, all keys
        before.outcome.keys = list(dict.fromkeys([*before.outcome.keys, *change.outcome.keys]))
        before.secrets, before.touched = change.secrets, before.touched or change.touched
    else:
        run.changes[external_id] = change
    return change.outcome


def _external_id(text: str) -> str:
    try:
        name = normalise.line(str(text), limit=120)
    except NormaliseProblem as problem:
        raise InvalidValues({"external_id": problem.code}) from problem
    if not name:
        raise InvalidValues({"external_id": "empty"})
    return name


def _apply(change: _Change, given: ObjectIn, parts: ObjectParts) -> list[str]:
    """Put the values in; the keys whose value changed."""
    row, keys = change.row, list[str]()
    for key, value in parts.attributes.items():
        if row.attributes.get(key) == value:
            continue
        keys.append(key)
        row.attributes = {name: held for name, held in {**row.attributes, key: value}.items() if held is not None}
    for key, text in parts.sealed.items():
        if change.secrets.get(key, "") == text:
            continue
        keys.append(key)
        change.secrets = {name: held for name, held in {**change.secrets, key: text}.items() if held}
        change.touched = True
    if given.contact_id is not None and row.contact_id != given.contact_id:
        row.contact_id = given.contact_id
        keys.append("contact")
    return keys


def _store(run: _Run) -> None:
    changes = run.changes
    new = [change for change in changes.values() if change.row.pk is None]
    old = [change for change in changes.values() if change.row.pk is not None]
    ObjectRecord.objects.bulk_create([change.row for change in new])
    sealer = keyring().records
    for change in changes.values():
        if change.touched:
            held = orjson.dumps(change.secrets, option=orjson.OPT_SORT_KEYS)
            change.row.sealed = sealer.seal(held, owner_id=change.row.pk) if change.secrets else None
            change.row.filled = sorted(change.secrets)
    ObjectRecord.objects.bulk_update([change.row for change in new if change.touched], ["sealed", "filled"])
    ObjectRecord.objects.bulk_update(
        [change.row for change in old],
        ["contact", "title", "attributes", "sealed", "filled", "source", "updated_at"],
        batch_size=500,
    )
    append([_event(run, change.row, change.outcome.act, change.outcome.keys) for change in changes.values()])


def _event(run: _Run, row: ObjectRecord, act: str, keys: list[str]) -> NewEvent:
    """Which fields, never what they hold: values stand in the record, where those who may see them find them."""
    properties = {"type": run.kind.key, "object": str(row.public_id), "act": act, "keys": keys, "title": row.title}
    return NewEvent(row.contact_id, EVENT, run.at, run.source, properties)

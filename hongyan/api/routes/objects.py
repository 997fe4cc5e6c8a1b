"""Custom objects: kinds, and things of people by their external id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.paging import Listing, capped, read_cursor, write_cursor
from hongyan.api.problems import Part, Problem, pointer
from hongyan.contacts.errors import DefinitionRefused
from hongyan.contacts.models import Contact, ObjectType
from hongyan.contacts.objects import ObjectIn, object_remove, object_upsert, objects_upsert
from hongyan.contacts.objects_people import KINDS, contacts_of
from hongyan.contacts.objects_selectors import ObjectRow, object_by_external_id, object_page
from hongyan.contacts.objects_types import object_type, object_type_create, object_types

router = Router()
MOST = 1_000


class FieldOut(Schema):
    key: str
    label_zh: str
    label_en: str
    type: str
    sensitive: bool
    options: list[dict[str, str]]
    currency: str


class TypeOut(Schema):
    key: str
    label_zh: str
    label_en: str
    title_field: str
    fields: list[FieldOut]


class FieldIn(Body):
    """type: text, number, money, boolean, date, datetime, choice or url. options: of a choice. currency: of money."""

    key: str
    label_zh: str = ""
    label_en: str = ""
    type: str
    sensitive: bool = False
    options: list[str | dict[str, str]] = []
    currency: str = ""


class TypeIn(Body):
    key: str
    label_zh: str = ""
    label_en: str = ""
    icon: str = "box"
    title_field: str = ""
    fields: list[FieldIn] = []


class PersonIn(Body):
    """Whose it is; the first that is given counts: id (of Hongyan), external_id, email, phone."""

    id: UUID | None = None
    external_id: str = ""
    email: str = ""
    phone: str = ""


class ObjectBody(Body):
    """contact may be left out for a thing that is there. values: only the fields named change; null clears."""

    contact: PersonIn | None = None
    values: dict[str, Any] = {}


class BatchRow(ObjectBody):
    external_id: str


class Batch(Body):
    """At most 1,000 rows; each has an outcome of its own."""

    rows: list[BatchRow]


class ObjectOut(Schema):
    """Sensitive values are masked for keys without contact.identity."""

    id: UUID
    external_id: str
    contact: UUID
    title: str
    values: dict[str, Any]
    source: str
    created_at: datetime
    updated_at: datetime


class OutcomeOut(Schema):
    """act: made, changed, same or refused. problems: field → code."""

    external_id: str
    act: str
    changed: list[str]
    problems: dict[str, str]


class Outcomes(Schema):
    outcomes: list[OutcomeOut]


@router.get("", response=list[TypeOut], summary="Kinds of custom objects")
def type_list(request: HttpRequest) -> list[TypeOut]:
    actor(request).require(Permission.CONTACT_VIEW)
    return [_type(kind) for kind in object_types()]


@router.post("", response={201: TypeOut}, summary="Define a kind")
def type_new(request: HttpRequest, data: TypeIn) -> Status[TypeOut]:
    try:
        kind = object_type_create(
            actor=actor(request),
            key=data.key,
            label_zh=data.label_zh,
            label_en=data.label_en,
            icon=data.icon,
            title_field=data.title_field,
            fields=[item.dict() for item in data.fields],
        )
    except DefinitionRefused as refused:
        part = Part(pointer=pointer(*refused.field.split(".")), code=refused.code, message=refused.message)
        raise Problem(422, "definition", _("Some values cannot be used."), [part]) from refused
    return Status(201, _type(kind))


@router.get("/{type_key}", response=Listing[ObjectOut], summary="Things of a kind, the last changed first")
def object_list(
    request: HttpRequest, type_key: str, cursor: str | None = None, limit: int = 50, search: str = ""
) -> Listing[ObjectOut]:
    who = actor(request)
    who.require(Permission.CONTACT_VIEW)
    kind, after = object_type(type_key), read_cursor(cursor)
    if after is not None:
        if not isinstance(after, list) or len(after) != 3 or after[0] != type_key:
            raise Problem.bad_cursor()
        after = (datetime.fromisoformat(after[1]), int(after[2]))
    rows, more = object_page(actor=who, kind=kind, after=after, limit=capped(limit), search=search[:200])
    people = _public_ids([row.contact_id for row in rows])
    return Listing[ObjectOut](
        items=[_out(row, people[row.contact_id]) for row in rows],
        next=write_cursor([type_key, *more]) if more else None,
    )


@router.post("/{type_key}/batch", response=Outcomes, summary="Make or change many")
def object_batch(request: HttpRequest, type_key: str, data: Batch) -> Outcomes:
    if len(data.rows) > MOST:
        raise Problem(422, "too-many", _("At most %(most)s entries are allowed.") % {"most": MOST})
    who = actor(request)
    who.require(Permission.CONTACT_EDIT)
    owners = _contact_ids([row.contact for row in data.rows])
    rows = [ObjectIn(row.external_id, owner, row.values) for row, owner in zip(data.rows, owners, strict=True)]
    done = objects_upsert(actor=who, type_key=type_key, rows=rows, source="api")
    return Outcomes(
        outcomes=[
            OutcomeOut(external_id=row.external_id, act=row.act, changed=row.keys, problems=dict(row.problems))
            for row in done
        ]
    )


@router.get("/{type_key}/{external_id}", response=ObjectOut, summary="One thing")
def object_read(request: HttpRequest, type_key: str, external_id: str) -> ObjectOut:
    row = object_by_external_id(actor=actor(request), type_key=type_key, external_id=external_id)
    return _out(row, _public_ids([row.contact_id])[row.contact_id])


@router.put("/{type_key}/{external_id}", response=ObjectOut, summary="Make or change one")
def object_put(request: HttpRequest, type_key: str, external_id: str, data: ObjectBody) -> ObjectOut:
    who = actor(request)
    who.require(Permission.CONTACT_EDIT)
    object_upsert(
        actor=who,
        type_key=type_key,
        external_id=external_id,
        contact_id=_contact_ids([data.contact])[0],
        values=data.values,
        source="api",
    )
    return object_read(request, type_key, external_id)


@router.delete("/{type_key}/{external_id}", response={204: None}, summary="Remove one")
def object_delete(request: HttpRequest, type_key: str, external_id: str) -> Status[None]:
    object_remove(actor=actor(request), type_key=type_key, external_id=external_id, source="api")
    return Status(204, None)


def _contact_ids(people: Sequence[PersonIn | None]) -> list[int | None]:
    """None: not said. Somebody nobody knows is -1: the row is then refused, rather than given to nobody."""
    rows = [_keys(person) for person in people]
    found = contacts_of(rows)
    return [
        None if person is None or not row else (contact_id if contact_id is not None else -1)
        for person, row, contact_id in zip(people, rows, found, strict=True)
    ]


def _keys(person: PersonIn | None) -> dict[str, str]:
    if person is None:
        return {}
    given = {"id": str(person.id or ""), **{kind: getattr(person, kind) for kind in KINDS}}
    return {kind: value for kind, value in given.items() if value}


def _public_ids(contact_ids: list[int]) -> dict[int, UUID]:
    return dict(Contact.objects.filter(pk__in=contact_ids).values_list("pk", "public_id"))


def _type(kind: ObjectType) -> TypeOut:
    return TypeOut(
        key=kind.key,
        label_zh=kind.label_zh,
        label_en=kind.label_en,
        title_field=kind.title_field,
        fields=[FieldOut(**item) for item in kind.fields],
    )


def _out(row: ObjectRow, contact: UUID) -> ObjectOut:
    return ObjectOut(
        id=row.public_id,
        external_id=row.external_id,
        contact=contact,
        title=row.title,
        values=dict(row.values),
        source=row.source,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

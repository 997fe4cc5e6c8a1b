"""Reading custom objects: of people, in pages, and for rendering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.errors import ObjectNotFound
from hongyan.contacts.masking import STARS
from hongyan.contacts.models import ObjectRecord, ObjectType
from hongyan.contacts.objects import secrets_of
from hongyan.core.sql import any_of


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """values: of all fields by key, in the JSON form of their type; sensitive ones as text, starred where masked."""

    id: int
    public_id: UUID
    type_key: str
    external_id: str
    contact_id: int
    title: str
    values: Mapping[str, Any]
    source: str
    created_at: datetime
    updated_at: datetime


def objects_of_contacts(
    contact_ids: Sequence[int], types: Sequence[str] | None = None, *, limit: int = 100
) -> dict[int, dict[str, list[ObjectRow]]]:
    """Contact id → type key → things, the last changed first, at most ``limit`` of each kind; one statement.

    System use (rendering, exports): opened, the caller has checked what its actor may see. Archived types are left out.
    """
    found: dict[int, dict[str, list[ObjectRow]]] = {pk: {} for pk in contact_ids}
    rows = ObjectRecord.objects.filter(contact_id__in=any_of(contact_ids), type__archived_at=None)
    if types is not None:
        rows = rows.filter(type__key__in=list(types))
    for row in rows.select_related("type").order_by("contact_id", "type_id", "-updated_at", "-id"):
        held = found[row.contact_id].setdefault(row.type.key, [])
        if len(held) < limit:
            held.append(object_row(row, clear=True))
    return found


def objects_of_contact(*, actor: Actor, contact_id: int, limit: int = 200) -> list[tuple[ObjectType, list[ObjectRow]]]:
    """For the page of a person: types in their order, each with what the person has of it."""
    actor.require(Permission.CONTACT_VIEW)
    clear = actor.may(Permission.CONTACT_IDENTITY)
    rows = ObjectRecord.objects.filter(contact_id=contact_id, type__archived_at=None).select_related("type")
    groups: dict[int, tuple[ObjectType, list[ObjectRow]]] = {}
    for row in rows.order_by("type__position", "type_id", "-updated_at", "-id")[:limit]:
        groups.setdefault(row.type_id, (row.type, []))[1].append(object_row(row, clear=clear))
    return list(groups.values())


def object_page(
    *,
    actor: Actor,
    kind: ObjectType,
    after: tuple[datetime, int] | None,
    limit: int,
    search: str = "",
    where: Mapping[str, Any] | None = None,
) -> tuple[list[ObjectRow], tuple[datetime, int] | None]:
    """Newest changes first. search: in titles and external ids. where: field → exact value (not sensitive ones)."""
    actor.require(Permission.CONTACT_VIEW)
    clear = actor.may(Permission.CONTACT_IDENTITY)
    rows = ObjectRecord.objects.filter(type=kind)
    if search:
        rows = rows.filter(title__icontains=search) | rows.filter(external_id__icontains=search)
    if where:
        rows = rows.filter(attributes__contains=dict(where))
    if after is not None:
        at, pk = after
        rows = rows.filter(updated_at__lte=at).exclude(updated_at=at, id__gte=pk)
    page = list(rows.select_related("type").order_by("-updated_at", "-id")[: limit + 1])
    more = (page[limit - 1].updated_at, page[limit - 1].pk) if len(page) > limit else None
    return [object_row(row, clear=clear) for row in page[:limit]], more


def object_by_external_id(*, actor: Actor, type_key: str, external_id: str) -> ObjectRow:
    """Raises ObjectNotFound."""
    actor.require(Permission.CONTACT_VIEW)
    row = ObjectRecord.objects.select_related("type").filter(type__key=type_key, external_id=external_id).first()
    if row is None:
        raise ObjectNotFound
    return object_row(row, clear=actor.may(Permission.CONTACT_IDENTITY))


def object_by_public_id(*, actor: Actor, public_id: UUID) -> tuple[ObjectRecord, ObjectRow]:
    """Raises ObjectNotFound."""
    actor.require(Permission.CONTACT_VIEW)
    row = ObjectRecord.objects.select_related("type", "contact").filter(public_id=public_id).first()
    if row is None:
        raise ObjectNotFound
    return row, object_row(row, clear=actor.may(Permission.CONTACT_IDENTITY))


def object_row(row: ObjectRecord, *, clear: bool) -> ObjectRow:
    secrets = secrets_of(row) if clear else dict.fromkeys(row.filled, STARS)
    return ObjectRow(
        id=row.pk,
        public_id=row.public_id,
        type_key=row.type.key,
        external_id=row.external_id,
        contact_id=row.contact_id,
        title=row.title or row.external_id,
        values={**row.attributes, **secrets},
        source=row.source,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

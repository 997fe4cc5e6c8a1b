"""Traits without a field: which there are, and how they move into the field that somebody made for them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.errors import ContactNotFound, InvalidValues
from hongyan.contacts.fields import definitions
from hongyan.contacts.services import contact_update
from hongyan.contacts.types import ContactChanges
from hongyan.core.crypto.keyring import keyring
from hongyan.events.catalogue import shape, type_of
from hongyan.ingest.intake.traits import snake
from hongyan.ingest.models_intake import LooseTraits

_SAMPLED = 500
_BATCH = 200


@dataclass(frozen=True, slots=True)
class LooseTrait:
    """people: who have it. type, sample: of the newest few hundred people, the sample masked. field: the key a field
    must have to take it; ready: there is one."""

    name: str
    people: int
    type: str
    sample: str
    field: str
    ready: bool


def loose_traits(*, actor: Actor) -> list[LooseTrait]:
    """Commonest first."""
    actor.require(Permission.SOURCE_EDIT)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, count(*) FROM ingest_loosetraits, unnest(keys) AS key "
            "GROUP BY key ORDER BY count(*) DESC, key LIMIT 200"
        )
        counted = cursor.fetchall()
    types: dict[str, Counter[str]] = {}
    samples: dict[str, str] = {}
    for row in LooseTraits.objects.order_by("-changed_at")[:_SAMPLED]:
        for name, value in _open(row).items():
            types.setdefault(name, Counter())[type_of(value).value] += 1
            samples.setdefault(name, shape(value))
    ready = {definition.key for definition in definitions()}
    return [
        LooseTrait(
            name,
            people,
            types[name].most_common(1)[0][0] if name in types else "",
            samples.get(name, ""),
            field_key(name),
            field_key(name) in ready,
        )
        for name, people in counted
    ]


def field_key(name: str) -> str:
    """The key under which ``traits`` looks for a field."""
    return snake(name)


def settle(*, actor: Actor, advance: Callable[[int], None] = lambda _done: None) -> int:
    """Move every trait that has a field by now into it; values the field refuses stay. Returns how many people."""
    actor.require(Permission.CONTACT_EDIT)
    fields = {definition.key for definition in definitions()}
    changed = seen = last = 0
    while rows := list(LooseTraits.objects.filter(contact_id__gt=last).order_by("contact_id")[:_BATCH]):
        for row in rows:
            if any(field_key(name) in fields for name in row.keys):
                changed += _settle_one(actor, row.contact_id, fields)
        seen, last = seen + len(rows), rows[-1].contact_id
        advance(seen)
    return changed


def _settle_one(actor: Actor, contact_id: int, fields: set[str]) -> int:
    with transaction.atomic():
        row = LooseTraits.objects.select_for_update().filter(pk=contact_id).first()
        if row is None:
            return 0
        values = _open(row)
        moved = []
        for name, value in list(values.items()):
            key = field_key(name)
            if key not in fields:
                continue
            try:
                with transaction.atomic():
                    contact_update(
                        actor=actor,
                        contact_id=contact_id,
                        changes=ContactChanges({f"custom.{key}": value}),
                        source="traits",
                    )
            except (InvalidValues, ContactNotFound):
                continue
            moved.append(name)
        for name in moved:
            del values[name]
        if not values:
            row.delete()
        elif moved:
            row.sealed = keyring().records.seal(orjson.dumps(values), owner_id=contact_id)
            row.keys = sorted(values)
            row.save(update_fields=["sealed", "keys"])
    return 1 if moved else 0


def _open(row: LooseTraits) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(keyring().records.open(bytes(row.sealed), owner_id=row.contact_id))
    return found

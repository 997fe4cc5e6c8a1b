"""Traits without a field follow their person: into a merge and out of it, into an export, out of the world."""

import base64
from typing import Any

import orjson

from hongyan.contacts.erasure import register_eraser
from hongyan.contacts.merging import register_mover
from hongyan.contacts.owned import Pairs
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import any_of
from hongyan.ingest.models_intake import LooseTraits

Kept = dict[str, Any]


def loose_of(contact_id: int) -> Kept:
    row = LooseTraits.objects.filter(pk=contact_id).first()
    return {} if row is None else _open(row)


def move_many(pairs: Pairs) -> dict[int, Kept]:
    """The survivor's values stand; the loser's fill what is missing. Both are kept sealed, to give them back."""
    held = LooseTraits.objects.filter(pk__in=any_of([number for pair in pairs for number in pair])).order_by("pk")
    rows = {row.pk: row for row in held.select_for_update()}
    moved: dict[int, Kept] = {}
    for loser, survivor in pairs:
        if loser not in rows:
            continue
        both = [rows[number] for number in (loser, survivor) if number in rows]
        moved[loser] = {str(row.pk): base64.b64encode(bytes(row.sealed)).decode() for row in both}
        theirs, own = _open(rows[loser]), _open(rows[survivor]) if survivor in rows else {}
        rows[loser].delete()
        _write(survivor, theirs | own)
    return moved


def restore(loser_id: int, survivor_id: int, data: Kept) -> None:
    """What was learned of the survivor since stays with the survivor."""
    sealer = keyring().records
    before = {
        pk: orjson.loads(sealer.open(base64.b64decode(data[str(pk)]), owner_id=pk))
        for pk in (loser_id, survivor_id)
        if str(pk) in data
    }
    now_held, own = loose_of(survivor_id), before.get(survivor_id, {})
    merged = before[loser_id] | own
    since = {key: value for key, value in now_held.items() if merged.get(key) != value}
    LooseTraits.objects.filter(pk=survivor_id).delete()
    if own or since:
        _write(survivor_id, own | since)
    _write(loser_id, before[loser_id])


def erase(contact_id: int) -> int:
    return LooseTraits.objects.filter(pk=contact_id).delete()[0]


def register() -> None:
    register_mover("intake", None, restore, tables=["ingest_loosetraits"], many=move_many)
    register_eraser("intake", erase)


def _open(row: LooseTraits) -> Kept:
    found: Kept = orjson.loads(keyring().records.open(bytes(row.sealed), owner_id=row.pk))
    return found


def _write(contact_id: int, values: Kept) -> None:
    sealed = keyring().records.seal(orjson.dumps(values), owner_id=contact_id)
    LooseTraits.objects.update_or_create(pk=contact_id, defaults={"sealed": sealed, "keys": sorted(values)})

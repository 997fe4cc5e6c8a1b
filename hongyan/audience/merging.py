"""How tags and lists follow when two records of one person become one."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db import connection

from hongyan.audience.models import ContactTag
from hongyan.contacts.merging import Place, by_loser
from hongyan.contacts.owned import Owned, Pairs, insert_rows, move_rows, nothing_in, restore_rows
from hongyan.core.sql import any_of, numbers

# As they were at the merge: a tag that was taken off the survivor since comes back to the other record only.
_TAGS = Owned("audience_contacttag", key=("tag_id",), once=(("tag_id",),), whole=True)
_LISTS = Owned("audience_listmember", key=("list_id",), once=(("list_id",),), whole=True)
_CHANGES = Owned("audience_tagchangeitem", key=("change_id",), once=(("change_id",),))

# Where a contact stands follows from everything it did: what is kept here is worked out anew after the merge.
_STANDING = ("audience_lifecycle", "audience_rfm")


PLACES: tuple[str | Place, ...] = (
    *(table.name for table in (_TAGS, _LISTS, _CHANGES)),
    *(Place(table, both=True) for table in _STANDING),
)


def move_many(pairs: Pairs) -> dict[int, dict[str, Any]]:
    parts: dict[str, Mapping[int, Any]] = {
        "given_up": {} if nothing_in(_TAGS.name, pairs) else _give_up_exclusive(pairs),
        "tags": move_rows(_TAGS, pairs),
        "lists": move_rows(_LISTS, pairs),
        "changes": move_rows(_CHANGES, pairs),
        "standing": by_loser({table: _take_standing(table, pairs) for table in _STANDING}),
    }
    return by_loser(parts)


def restore(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    for name, table in (("changes", _CHANGES), ("lists", _LISTS), ("tags", _TAGS)):
        if name in data:
            restore_rows(table, data[name], loser=loser_id, survivor=survivor_id)
    for row in data.get("given_up", []):
        insert_rows("audience_contacttag", [row])
    for table, rows in data.get("standing", {}).items():
        _delete_standing(table, [loser_id, survivor_id])
        insert_rows(table, rows)


def _take_standing(table: str, pairs: Pairs) -> dict[int, list[dict[str, Any]]]:
    """Both rows as they were. The survivor keeps its own; the loser's goes."""
    rows: dict[int, dict[str, Any]] = {}
    if nothing_in(table, pairs):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT contact_id, to_jsonb(t) FROM {table} t WHERE contact_id = ANY(%s::bigint[])",
            [numbers(number for pair in pairs for number in pair)],
        )
        for contact_id, row in cursor.fetchall():
            rows[contact_id] = orjson.loads(row) if isinstance(row, str | bytes) else row
    if gone := [loser for loser, _ in pairs if loser in rows]:
        _delete_standing(table, gone)
    return {
        loser: [rows[number] for number in (loser, survivor) if number in rows]
        for loser, survivor in pairs
        if loser in rows or survivor in rows
    }


def _delete_standing(table: str, contact_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE contact_id = ANY(%s::bigint[])", [contact_ids])


def _give_up_exclusive(pairs: Pairs) -> dict[int, list[dict[str, Any]]]:
    """Of an exclusive group one tag may stay: the one given last."""
    held: dict[int, dict[int, ContactTag]] = {}
    wanted = any_of([number for pair in pairs for number in pair])
    for tag in ContactTag.objects.filter(contact_id__in=wanted, exclusive=True):
        held.setdefault(tag.contact_id, {})[tag.group_id] = tag
    given_up: dict[int, list[dict[str, Any]]] = {}
    for loser, survivor in pairs:
        theirs, mine = held.get(loser, {}), held.get(survivor, {})
        for group_id in mine.keys() & theirs.keys():
            one, other = mine[group_id], theirs[group_id]
            if one.tag_id != other.tag_id:
                weaker = one if other.at > one.at else other
                given_up.setdefault(loser, []).append(_row(weaker))
                ContactTag.objects.filter(contact_id=weaker.contact_id, tag_id=weaker.tag_id).delete()
    return given_up


def _row(held: ContactTag) -> dict[str, Any]:
    return {
        "contact_id": held.contact_id,
        "tag_id": held.tag_id,
        "group_id": held.group_id,
        "exclusive": held.exclusive,
        "source": held.source,
        "at": held.at.isoformat(),
    }

"""How tags and lists follow when two records of one person become one."""

from typing import Any

import orjson
from django.db import connection

from hongyan.audience.models import ContactTag
from hongyan.contacts.owned import Owned, insert_rows, move_rows, restore_rows

# As they were at the merge: a tag that was taken off the survivor since comes back to the other record only.
_TAGS = Owned("audience_contacttag", key=("tag_id",), once=(("tag_id",),), whole=True)
_LISTS = Owned("audience_listmember", key=("list_id",), once=(("list_id",),), whole=True)
_CHANGES = Owned("audience_tagchangeitem", key=("change_id",), once=(("change_id",),))

# Where a contact stands follows from everything it did: what is kept here is worked out anew after the merge.
_STANDING = ("audience_lifecycle", "audience_rfm")


def move(loser_id: int, survivor_id: int) -> dict[str, Any]:
    data = {
        "given_up": _give_up_exclusive(loser_id, survivor_id),
        "tags": move_rows(_TAGS, loser=loser_id, survivor=survivor_id),
        "lists": move_rows(_LISTS, loser=loser_id, survivor=survivor_id),
        "changes": move_rows(_CHANGES, loser=loser_id, survivor=survivor_id),
        "standing": {table: rows for table in _STANDING if (rows := _take_standing(table, loser_id, survivor_id))},
    }
    return {name: rows for name, rows in data.items() if rows}


def restore(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    for name, table in (("changes", _CHANGES), ("lists", _LISTS), ("tags", _TAGS)):
        if name in data:
            restore_rows(table, data[name], loser=loser_id, survivor=survivor_id)
    for row in data.get("given_up", []):
        insert_rows("audience_contacttag", [row])
    for table, rows in data.get("standing", {}).items():
        _delete_standing(table, [loser_id, survivor_id])
        insert_rows(table, rows)


def _take_standing(table: str, loser_id: int, survivor_id: int) -> list[dict[str, Any]]:
    """Both rows as they were. The survivor keeps its own; the loser's goes."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t) FROM {table} t WHERE contact_id IN (%s, %s)", [loser_id, survivor_id])
        rows = [orjson.loads(row[0]) if isinstance(row[0], str | bytes) else row[0] for row in cursor.fetchall()]
    _delete_standing(table, [loser_id])
    return rows


def _delete_standing(table: str, contact_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE contact_id = ANY(%s::bigint[])", [contact_ids])


def _give_up_exclusive(loser_id: int, survivor_id: int) -> list[dict[str, Any]]:
    """Of an exclusive group one tag may stay: the one given last."""
    mine, theirs = (
        {held.group_id: held for held in ContactTag.objects.filter(contact_id=contact_id, exclusive=True)}
        for contact_id in (survivor_id, loser_id)
    )
    given_up = []
    for group_id in mine.keys() & theirs.keys():
        one, other = mine[group_id], theirs[group_id]
        if one.tag_id != other.tag_id:
            weaker = one if other.at > one.at else other
            given_up.append(_row(weaker))
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

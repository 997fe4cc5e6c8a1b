"""Two records of one person become one: who moves what, and where a record that was merged away is found now.

``identity.merging`` decides and keeps the record of it; each room with rows about contacts registers here, in its
app's ``ready()``, how its rows follow and how they come back. A test fails for a table with a contact that nobody
moves and nobody has said why it stays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import sql

from hongyan.contacts.models_merging import MergedAway
from hongyan.contacts.owned import Asked, Owned, Pairs, move_rows, restore_rows
from hongyan.core.sql import any_of, numbers

Moved = dict[str, Any]
Move = Callable[[int, int], Moved]
MoveMany = Callable[[Pairs], Mapping[int, Moved]]  # loser → what ``Move`` returns; who had no rows may be missing
Restore = Callable[[int, int, Moved], None]


@dataclass(frozen=True, slots=True)
class Place:
    """A table that a mover takes care of. columns: where it names the contact. both: rows of the survivor alone give
    the mover something to do, too."""

    table: str
    columns: tuple[str, ...] = ("contact_id",)
    both: bool = False


@dataclass(frozen=True, slots=True)
class _Mover:
    """places: none: always called."""

    many: MoveMany
    restore: Restore
    places: tuple[Place, ...]

    def idle(self, asked: Asked) -> bool:
        return bool(self.places) and all(place.table in asked.empty for place in self.places)


_movers: dict[str, _Mover] = {}
_moved_tables: dict[str, str] = {}
_staying: dict[str, str] = {}


def register_mover(
    room: str, move: Move | None, restore: Restore, *, tables: Iterable[str | Place] = (), many: MoveMany | None = None
) -> None:
    """``move(loser_id, survivor_id)`` makes the loser's rows the survivor's and returns, as JSON, what
    ``restore(loser_id, survivor_id, data)`` needs to give them back. Both run in the merge's transaction, while both
    contacts exist and are locked; move runs once more, without the loser, for rows that were late. tables: those it
    takes care of (a name stands for ``Place``). Where none of them holds anything of the pairs it is not called.

    many: the same for many pairs by a few statements; nobody is in two of the pairs. It is then used for one pair too.
    Without it, ``move`` is called pair by pair."""
    if many is None:
        if move is None:
            raise ValueError(f"{room}: neither move nor many")
        many = _pair_by_pair(move)
    places = tuple(Place(table) if isinstance(table, str) else table for table in tables)
    _movers[room] = _Mover(many, restore, places)
    _moved_tables.update(dict.fromkeys((place.table for place in places), room))


def _pair_by_pair(move: Move) -> MoveMany:
    return lambda pairs: {loser: move(loser, survivor) for loser, survivor in pairs}


def register_tables(room: str, *tables: Owned) -> None:
    """A mover for rooms whose rows need no thought beyond ``Owned``."""

    def many(pairs: Pairs) -> dict[int, Moved]:
        return by_loser({table.name: move_rows(table, pairs) for table in tables})

    def restore(loser_id: int, survivor_id: int, data: Moved) -> None:
        for table in reversed(tables):
            if table.name in data:
                restore_rows(table, data[table.name], loser=loser_id, survivor=survivor_id)

    register_mover(room, None, restore, tables=[Place(table.name, (table.column,)) for table in tables], many=many)


def by_loser(parts: Mapping[str, Mapping[int, Any]]) -> dict[int, Moved]:
    """Part → loser → rows, turned round: loser → part → rows. Empty rows are left out."""
    found: dict[int, Moved] = {}
    for name, rows in parts.items():
        for loser, data in rows.items():
            if data:
                found.setdefault(loser, {})[name] = data
    return found


def register_staying(table: str, reason: str) -> None:
    """Rows of this table keep the number of the record that was merged away, for this reason."""
    _staying[table] = reason


def tables_with_answer() -> Mapping[str, str]:
    """Table → the room that moves it, or why it stays."""
    return {**_moved_tables, **_staying}


def move_all(*, loser_id: int, survivor_id: int) -> dict[str, Moved]:
    """Every room in the order of names. Empty answers are left out."""
    return move_all_many([(loser_id, survivor_id)])[loser_id]


def move_all_many(pairs: Pairs) -> dict[int, dict[str, Moved]]:
    """Loser → room → what it needs to give the rows back. Nobody is in two of the pairs."""
    found: dict[int, dict[str, Moved]] = {loser: {} for loser, _ in pairs}
    asked = _asked(pairs)
    for room, mover in sorted(_movers.items()):
        for loser, data in () if mover.idle(asked) else mover.many(asked).items():
            if any(data.values()):
                found[loser][room] = data
    return found


def _asked(pairs: Pairs) -> Asked:
    """One statement instead of several for each table: most tables hold nothing of most people."""
    asked, places = Asked(pairs), tuple(place for mover in _movers.values() for place in mover.places)
    values = {
        "losers": numbers(loser for loser, _ in pairs),
        "all": numbers(number for pair in pairs for number in pair),
    }
    with connection.cursor() as cursor:
        cursor.execute(_question(places), values)
        row = cursor.fetchone() or ()
    asked.empty = frozenset(place.table for place, rows in zip(places, row, strict=True) if not rows)
    return asked


@lru_cache(maxsize=8)
def _question(places: tuple[Place, ...]) -> str:
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(map(_holds, places))).as_string()


def _holds(place: Place) -> sql.Composable:
    """Counted, not EXISTS: hoping to come across the first row soon, the planner would read the table from its top."""
    return sql.SQL("(SELECT count(*) FROM {table} WHERE {match})").format(
        table=sql.Identifier(place.table),
        match=sql.SQL(" OR ").join(
            sql.SQL("{} = ANY({}::bigint[])").format(
                sql.Identifier(column), sql.Placeholder("all" if place.both else "losers")
            )
            for column in place.columns
        ),
    )


def restore_all(*, loser_id: int, survivor_id: int, data: Mapping[str, Moved]) -> None:
    """A room that is no longer installed is passed over."""
    for room, mover in sorted(_movers.items(), reverse=True):
        if room in data:
            mover.restore(loser_id, survivor_id, data[room])


def merged_ids(contact_id: int) -> list[int]:
    """Numbers of the records that were merged into this one, directly or through others."""
    return list(
        MergedAway.objects.filter(into_id=contact_id).order_by("contact_id").values_list("contact_id", flat=True)
    )


def ids_of(contact_id: int) -> list[int]:
    """The contact's own number and those of the records merged into it: what stayed behind carries the old ones."""
    return [contact_id, *merged_ids(contact_id)]


def current_ids(contact_ids: Iterable[int]) -> dict[int, int]:
    """Number of a record that was merged away → number of the contact it is now. Others are missing."""
    rows = MergedAway.objects.filter(contact_id__in=any_of(contact_ids)).values_list("contact_id", "into_id")
    return dict(rows)


def survivor_of(public_id: UUID) -> UUID | None:
    """Where a record that was merged away is found now."""
    found: UUID | None = (
        MergedAway.objects.filter(public_id=public_id).values_list("into__public_id", flat=True).first()
    )
    return found


def survivors_of(public_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The same for many: public id → number of the contact it is now."""
    return dict(MergedAway.objects.filter(public_id__in=public_ids).values_list("public_id", "into_id"))

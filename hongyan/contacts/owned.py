"""Rows of any table that belong to contacts: moved to other contacts and given back, by description."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from psycopg import sql

from hongyan.core.sql import numbers

Pairs = Sequence[tuple[int, int]]  # loser, survivor; nobody is in two of them
Moved = dict[int, dict[str, Any]]  # loser →


class Asked(tuple[tuple[int, int], ...]):  # noqa: SLOT001 - a tuple has no room for slots
    """Pairs of which it was asked beforehand where they have rows. empty: tables that hold nothing of them."""

    empty: frozenset[str] = frozenset()


def nothing_in(table: str, pairs: Pairs) -> bool:
    """Whether it is known that a mover finds no rows in this table; False: known or not, it has to look."""
    return isinstance(pairs, Asked) and table in pairs.empty


_NOTHING = sql.SQL("")
_PAIRS = "unnest(%(losers)s::bigint[], %(survivors)s::bigint[]) AS p (loser, survivor)"


@dataclass(frozen=True, slots=True)
class Owned:
    """How to move the rows of a table.

    column: which one names the contact. key: what tells the rows of one contact apart (without ``column``).
    once: sets of columns of which a contact may have each value only once; where both have one, the survivor's row
    stays and the loser's is set aside. whole: rows are remembered as they were at the merge and come back like that,
    even if they were removed since (tags); otherwise the same rows are handed back as they are by then (orders).
    """

    name: str
    key: tuple[str, ...] = ("id",)
    column: str = "contact_id"
    once: tuple[tuple[str, ...], ...] = ()
    whole: bool = False


def move_rows(table: Owned, pairs: Pairs) -> Moved:
    """Loser → what moved, of those who had rows here. ``aside``: rows set aside; ``moved``: keys, or whole rows."""
    found: Moved = {}
    if nothing_in(table.name, pairs):
        return found

    def note(kind: str, rows: Sequence[tuple[int, Any]]) -> None:
        for loser, row in rows:
            found.setdefault(loser, {"moved": [], "aside": []})[kind].append(row)

    for columns in table.once:
        note("aside", _set_aside(table, columns, pairs))
    if table.whole:
        note("moved", _of_losers("SELECT p.loser, to_jsonb(t)", table, pairs, last=" ORDER BY p.loser, {t_keys}"))
        _of_losers("UPDATE {table} t SET {column} = p.survivor", table, pairs)
    else:
        returning = " RETURNING p.loser, jsonb_build_array({t_keys})"
        note("moved", _of_losers("UPDATE {table} t SET {column} = p.survivor", table, pairs, last=returning))
    return found


def restore_rows(table: Owned, data: dict[str, Any], *, loser: int, survivor: int) -> None:
    if table.whole:
        keys = [[row[name] for name in table.key] for row in data["moved"]]
        _by_keys("DELETE FROM {table} t", table, keys, loser, survivor)
        insert_rows(table.name, data["moved"])
    else:
        _by_keys("UPDATE {table} t SET {column} = %(loser)s", table, data["moved"], loser, survivor)
    insert_rows(table.name, data["aside"])


def insert_rows(table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Rows as ``to_jsonb`` gave them; one that stands already is left alone."""
    if rows:
        with connection.cursor() as cursor:
            query = sql.SQL(
                "INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM"
                " jsonb_populate_recordset(NULL::{table}, %(rows)s::jsonb) ON CONFLICT DO NOTHING"
            ).format(table=sql.Identifier(table))
            cursor.execute(query.as_string(cursor.connection), {"rows": orjson.dumps(rows).decode()})


def _set_aside(table: Owned, columns: tuple[str, ...], pairs: Pairs) -> list[Any]:
    same = sql.SQL(" AND ").join(
        sql.SQL("l.{0} IS NOT DISTINCT FROM s.{0}").format(sql.Identifier(name)) for name in columns
    )
    return _rows(
        "DELETE FROM {table} l USING {table} s, " + _PAIRS + " WHERE l.{column} = p.loser AND s.{column} = p.survivor"
        " AND {same} RETURNING p.loser, to_jsonb(l)",
        table,
        same=same,
        **_arrays(pairs),
    )


def _of_losers(query: str, table: Owned, pairs: Pairs, *, last: str = "") -> list[Any]:
    """``query`` for the rows of all losers."""
    where = " WHERE t.{column} = p.loser"
    source = (" FROM {table} t, " if query.startswith("SELECT") else " FROM ") + _PAIRS
    return _rows(query + source + where + last, table, **_arrays(pairs))


def _by_keys(query: str, table: Owned, keys: Sequence[Sequence[Any]], loser: int, survivor: int) -> None:
    """``query`` for the survivor's rows with these keys. By way of the survivor: its rows are indexed."""
    if keys:
        match = (
            " WHERE t.{column} = %(survivor)s"
            " AND jsonb_build_array({t_keys}) IN (SELECT jsonb_array_elements(%(given)s::jsonb))"
        )
        given = orjson.dumps(list(keys)).decode()
        _rows(query + match, table, given=given, loser=loser, survivor=survivor)


def _arrays(pairs: Pairs) -> dict[str, Any]:
    return {"losers": numbers(loser for loser, _ in pairs), "survivors": numbers(survivor for _, survivor in pairs)}


def _rows(query: str, table: Owned, *, same: sql.Composable = _NOTHING, **params: Any) -> list[Any]:
    composed = sql.SQL(query).format(
        table=sql.Identifier(table.name),
        column=sql.Identifier(table.column),
        t_keys=sql.SQL(", ").join(sql.Identifier("t", name) for name in table.key),
        same=same,
    )
    with connection.cursor() as cursor:
        cursor.execute(composed.as_string(cursor.connection), params)
        if cursor.description is None:
            return []
        return [(loser, orjson.loads(row) if isinstance(row, str | bytes) else row) for loser, row in cursor.fetchall()]

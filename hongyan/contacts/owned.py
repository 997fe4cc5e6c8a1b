"""Rows of any table that belong to a contact: moved to another contact and given back, by description."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from psycopg import sql

_NOTHING = sql.SQL("")


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


def move_rows(table: Owned, *, loser: int, survivor: int) -> dict[str, Any]:
    """Empty when the loser had nothing here. ``aside``: rows set aside; ``moved``: keys, or whole rows."""
    aside = [row for columns in table.once for row in _set_aside(table, columns, loser, survivor)]
    if table.whole:
        moved: list[Any] = _rows(
            "SELECT to_jsonb(t) FROM {table} t WHERE {column} = %(loser)s ORDER BY {keys}", table, loser=loser
        )
        _rows("UPDATE {table} SET {column} = %(survivor)s WHERE {column} = %(loser)s", table, **_both(loser, survivor))
    else:
        moved = _rows(
            "UPDATE {table} SET {column} = %(survivor)s WHERE {column} = %(loser)s RETURNING jsonb_build_array({keys})",
            table,
            **_both(loser, survivor),
        )
    return {"moved": moved, "aside": aside} if moved or aside else {}


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


def _set_aside(table: Owned, columns: tuple[str, ...], loser: int, survivor: int) -> list[Any]:
    same = sql.SQL(" AND ").join(
        sql.SQL("l.{0} IS NOT DISTINCT FROM s.{0}").format(sql.Identifier(name)) for name in columns
    )
    return _rows(
        "DELETE FROM {table} l USING {table} s WHERE l.{column} = %(loser)s AND s.{column} = %(survivor)s"
        " AND {same} RETURNING to_jsonb(l)",
        table,
        same=same,
        **_both(loser, survivor),
    )


def _by_keys(query: str, table: Owned, keys: Sequence[Sequence[Any]], loser: int, survivor: int) -> None:
    """``query`` for the survivor's rows with these keys. By way of the survivor: its rows are indexed."""
    if keys:
        match = (
            " WHERE t.{column} = %(survivor)s"
            " AND jsonb_build_array({t_keys}) IN (SELECT jsonb_array_elements(%(given)s::jsonb))"
        )
        given = orjson.dumps(list(keys)).decode()
        _rows(query + match, table, given=given, **_both(loser, survivor))


def _both(loser: int, survivor: int) -> dict[str, Any]:
    return {"loser": loser, "survivor": survivor}


def _rows(query: str, table: Owned, *, same: sql.Composable = _NOTHING, **params: Any) -> list[Any]:
    composed = sql.SQL(query).format(
        table=sql.Identifier(table.name),
        column=sql.Identifier(table.column),
        keys=sql.SQL(", ").join(map(sql.Identifier, table.key)),
        t_keys=sql.SQL(", ").join(sql.Identifier("t", name) for name in table.key),
        same=same,
    )
    with connection.cursor() as cursor:
        cursor.execute(composed.as_string(cursor.connection), params)
        if cursor.description is None:
            return []
        return [orjson.loads(row[0]) if isinstance(row[0], str | bytes) else row[0] for row in cursor.fetchall()]

"""What a question reads: files and the tail, as of one PostgreSQL snapshot."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import orjson
import psycopg
import pyarrow as pa

from hongyan.core.sql import numbers, statement, texts
from hongyan.events.history import rows
from hongyan.events.history.plan import may_hold
from hongyan.events.history.types import Held, HistoryFile, HistorySnapshot
from hongyan.events.partitions import next_month

Cells = frozenset[tuple[str, date]]


def snapshot(
    connection: psycopg.Connection[Any],
    *,
    names: Sequence[str] | None = None,
    keys: Sequence[str] = (),
    with_lag: bool = True,
) -> HistorySnapshot:
    """connection: in a REPEATABLE READ transaction, or all that is read may not be of one moment. names: the events the
    question is about; None for all. keys: properties the tail shall bring along. with_lag: it costs a
    statement, which an answer does not need."""
    text = _statement("asked").replace("{state}", _statement("state"))
    (tx, caught_up_at, _, left_out, _, now, _, *told), *_ = connection.execute(text)
    marks, decided = map(orjson.loads, told)
    stale, cells = _stale(marks)
    files, odd = _files(connection, names, cells, {(name, key): denied for name, key, denied in decided})
    away = sorted(stale | odd)
    parts = [rows.copy(connection, "rows_waiting", {"tx": str(tx), "names": _names(names)}, keys)]
    if away and tx:
        values = {"tx": str(tx), "names": _names(names), "contact_ids": numbers(away)}
        parts.append(rows.copy(connection, "rows_of_stale", values, keys))
    others = _left_out(connection, names) if tx and left_out else set()
    if tx:
        for name, month in sorted(cells):
            if (names is None or name in names) and name not in others:
                parts.append(rows.copy(connection, "rows_of_cell", cell_values(name, month, tx, away), keys))
    if others:
        values = {"tx": str(tx), "names": texts(sorted(others)), "contact_ids": numbers(away)}
        parts.append(rows.copy(connection, "rows_of_names", values, keys))
    return HistorySnapshot(
        files=files if tx else [],
        stale=pa.array(away, pa.int64()),
        tail=pa.concat_tables(parts),
        tx=tx,
        lag_s=_lag(connection, tx, caught_up_at, now) if with_lag else 0.0,
    )


def cell_values(name: str, month: date, tx: int, contact_ids: Sequence[int]) -> dict[str, Any]:
    first = datetime.combine(month, time.min, UTC)
    end = datetime.combine(next_month(month), time.min, UTC)
    return {"name": name, "first": first, "end": end, "tx": str(tx), "contact_ids": numbers(contact_ids)}


def lag(connection: psycopg.Connection[Any]) -> float:
    """Seconds since the oldest fact arrived that is in no file; 0 when everything is."""
    tx, caught_up_at, _generation, _left_out, _below, now, _built_at = _one(connection, "state")
    return _lag(connection, tx, caught_up_at, now)


def _lag(connection: psycopg.Connection[Any], tx: int, caught_up_at: datetime | None, now: datetime) -> float:
    """A fact may have arrived long before it became somebody's; it waits at most since the writer last caught up. 0
    before there are files at all: then nothing lags behind, everything is missing."""
    if not tx:
        return 0.0
    oldest = _one(connection, "oldest_waiting", {"tx": str(tx)})[0]
    if oldest is None:
        return 0.0
    since = oldest if caught_up_at is None else max(oldest, caught_up_at)
    return max(0.0, float((now - since).total_seconds()))


def _stale(marks: Sequence[tuple[list[int] | None, str, str]]) -> tuple[set[int], Cells]:
    """marks: contacts, or the name and month of a cell."""
    people: set[int] = set()
    cells: set[tuple[str, date]] = set()
    for contact_ids, name, month in marks:
        if contact_ids is None:
            cells.add((name, date.fromisoformat(month)))
        else:
            people.update(contact_ids)
    return people, frozenset(cells)


def _left_out(connection: psycopg.Connection[Any], names: Sequence[str] | None) -> set[str]:
    """Names of which no file holds anything (see ``HistoryName``), of those asked for."""
    if names is None:
        names = [name for (name,) in connection.execute(_statement("names_in_use"))]
    return {name for (name,) in connection.execute(_statement("names_left_out"), {"names": texts(names)})}


def _files(
    connection: psycopg.Connection[Any],
    names: Sequence[str] | None,
    cells: Cells,
    decided: Mapping[tuple[str, str], bool],
) -> tuple[list[HistoryFile], set[int]]:
    """Files that count, and the contacts they had to leave out. Properties the plan has sealed since they were written
    are not offered."""
    files: list[HistoryFile] = []
    odd: set[int] = set()
    for row in connection.execute(_statement("files"), {"names": _names(names)}):
        file = file_of(row)
        odd.update(row[12])
        if (file.name, file.month) not in cells:
            files.append(_offered(file, decided))
    return files, odd


def file_of(row: Sequence[Any]) -> HistoryFile:
    pk, path, name, month, contacts, events, size, first, last, low, high, properties = row[:12]
    read = (
        orjson.loads(properties) if isinstance(properties, str | bytes) else properties
    )  # Django leaves jsonb as text
    held = {key: Held(*parts) for key, parts in read.items()}
    return HistoryFile(pk, path, name, month, contacts, events, size, first, last, low, high, held)


def _offered(file: HistoryFile, decided: Mapping[tuple[str, str], bool]) -> HistoryFile:
    kept = {key: held for key, held in file.properties.items() if may_hold(decided, file.name, key)}
    if len(kept) == len(file.properties):
        return file
    return HistoryFile(
        file.id, file.path, file.name, file.month, file.rows, file.events, file.bytes,
        file.first, file.last, file.low, file.high, kept,
    )  # fmt: skip


def _names(names: Sequence[str] | None) -> str | None:
    return None if names is None else texts(names)


def _one(connection: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
    return next(iter(connection.execute(_statement(name), values)))


def _statement(name: str) -> str:
    return statement("hongyan.events", "history.sql", name)

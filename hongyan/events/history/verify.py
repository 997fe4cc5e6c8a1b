"""Comparing files with the rows they were made of: every byte, every event, every property."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from hongyan.core.sql import statement
from hongyan.events.history.arrays import MOST_SCALE, ORDER, Typed, flatten, value_column
from hongyan.events.history.errors import StoreProblem
from hongyan.events.history.manifest import marks, names_in_files, state
from hongyan.events.history.parts import CellKey, Part, parts_that_count
from hongyan.events.history.rows import Keys, cells, stream
from hongyan.events.history.store import Store
from hongyan.events.history.types import KINDS, column
from hongyan.events.history.writer import PORTION, Progress, snapshot_of

_WIDEST = pa.decimal128(38, MOST_SCALE)


@dataclass(frozen=True, slots=True)
class Fault:
    """code: file_missing | file_changed | events_differ | property_differs | nothing_in_rows."""

    code: str
    name: str
    month: date
    detail: str = ""  # a path or a property; nothing about people


@dataclass(slots=True)
class Verification:
    files: int = 0
    events: int = 0  # compared
    skipped: int = 0  # cells that are answered from rows until they are written anew
    faults: list[Fault] = field(default_factory=list)


def verify(
    connection: psycopg.Connection[Any], store: Store, *, progress: Progress = lambda _done, _total: None
) -> Verification:
    """connection: outside a transaction; nothing is locked, writers go on."""
    found = Verification()
    with snapshot_of(connection):
        seen = state(connection)
        if not seen.tx:
            return found
        parts = parts_that_count(connection)
        found.faults += _damaged(store, parts, found)
        lost = {(fault.name, fault.month) for fault in found.faults}
        changed = marks(connection)
        away = {pk for mark in changed for pk in mark.contact_ids}
        away |= {pk for own in parts.values() for part in own for pk in part.odd}
        passed = {mark.cell for mark in changed if mark.cell is not None} | lost
        found.skipped = len(passed - lost)
        view = _View(store, parts, pa.array(sorted(away), pa.int64()), passed, names_in_files(connection))
        for rows in _by_partition(connection, view.keys(), seen.tx, progress):
            view.compare(rows, found)
        found.faults += [Fault("nothing_in_rows", *cell) for cell in sorted(view.unmet())]
    return found


def _damaged(store: Store, parts: dict[CellKey, list[Part]], found: Verification) -> Iterator[Fault]:
    for (name, month), own in parts.items():
        for part in own:
            found.files += 1
            path = part.file.path
            try:
                digest = store.digest(path)
            except StoreProblem:
                digest = None
            if digest is None:
                yield Fault("file_missing", name, month, path)
            elif digest != part.sha256:
                yield Fault("file_changed", name, month, path)


Rows = dict[CellKey, list[pa.Table]]


def _by_partition(connection: psycopg.Connection[Any], keys: Keys, tx: int, progress: Progress) -> Iterator[Rows]:
    """The rows of one partition at a time; a month of all names is in memory at once."""
    partitions = list(connection.execute(statement("hongyan.events", "history.sql", "partitions")))
    total, done = sum(rows for _, rows in partitions), 0
    for table, count in partitions:
        found: Rows = {}
        where, values = "e.tx < %(tx)s::text::xid8", {"tx": str(tx)}
        for portion in stream(connection, keys, table=table, where=where, values=values, rows=PORTION):
            for cell in cells(portion, keys):
                found.setdefault((cell.name, cell.month), []).append(cell.events)
        yield found
        done += count
        progress(done, total)


@dataclass(slots=True)
class _View:
    """What files say of cells."""

    store: Store
    parts: dict[CellKey, list[Part]]
    away: pa.Array  # people whose rows in files do not count
    passed: set[CellKey]
    names: set[str]
    met: set[CellKey] = field(default_factory=set)

    def keys(self) -> Keys:
        """Properties that all files of a name hold."""
        by_name: dict[str, set[str]] = {}
        for (name, _), own in self.parts.items():
            for part in own:
                held = set(part.file.properties)
                by_name[name] = by_name[name] & held if name in by_name else held
        return Keys({name: tuple(sorted(keys)) for name, keys in by_name.items()})

    def compare(self, rows: Rows, found: Verification) -> None:
        keys = self.keys()
        for cell, tables in rows.items():
            if cell in self.passed or cell[0] not in self.names:
                continue
            self.met.add(cell)
            expected = self._present(pa.concat_tables(tables))
            found.events += expected.num_rows
            found.faults += self._differences(cell, expected, self._held(cell, keys.of(cell[0])), keys.of(cell[0]))

    def unmet(self) -> set[CellKey]:
        """Cells that only files know, with somebody in them who counts."""
        others = set(self.parts) - self.met - self.passed
        return {cell for cell in others if self._held(cell, ()).num_rows}

    def _present(self, events: pa.Table) -> pa.Table:
        return events.filter(pc.invert(pc.is_in(events["contact_id"], self.away))).sort_by(ORDER)

    def _held(self, cell: CellKey, keys: Sequence[str]) -> pa.Table:
        flat = [
            flatten(self.store.read(part.file.path), keys, part.file.properties) for part in self.parts.get(cell, [])
        ]
        nothing = pa.table({name: pa.array([], pa.int64()) for name in ("contact_id", "at_us", "event_id")})
        return self._present(pa.concat_tables(flat or [nothing], promote_options="permissive"))

    def _differences(self, cell: CellKey, expected: pa.Table, actual: pa.Table, keys: Sequence[str]) -> Iterator[Fault]:
        three = ["contact_id", "at_us", "event_id"]
        if not expected.select(three).combine_chunks().equals(actual.select(three).combine_chunks()):
            yield Fault("events_differ", *cell, f"{expected.num_rows} / {actual.num_rows}")
            return
        for key in keys:
            texts = expected[value_column(key)].combine_chunks()
            typed = Typed.of(texts if isinstance(texts, pa.Array) else pa.concat_arrays(texts.chunks))
            if any(not _same(typed.columns.get(kind), actual, column(kind, key)) for kind in KINDS):
                yield Fault("property_differs", *cell, key)


def _same(expected: pa.Array | None, actual: pa.Table, name: str) -> bool:
    there = actual[name] if name in actual.column_names else None
    if expected is None or there is None:
        return _empty(expected) and _empty(there)
    if pa.types.is_decimal(expected.type):
        expected, there = expected.cast(_WIDEST), there.cast(_WIDEST)
    return bool(pa.chunked_array([expected]).equals(there))


def _empty(values: Any) -> bool:
    return values is None or values.null_count == len(values)

"""The writer: from rows to files, one at a time over all processes.

Facts are read in a read-only snapshot (which holds up nobody's cursor), files are written, and then one short
transaction makes them count. Whatever dies before that leaves files nobody knows of, which are swept; whatever dies
after it leaves nothing undone.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import psycopg
from django.db import connections

from hongyan.core.sql import statement
from hongyan.events.history.arrays import Grouped, group
from hongyan.events.history.errors import Stopped
from hongyan.events.history.manifest import Change, State, marks, names_in_files, publish, state
from hongyan.events.history.parts import CellKey, NewPart, Part, joined, parts_that_count, to_join, write_part
from hongyan.events.history.plan import wanted
from hongyan.events.history.rows import Cell, Keys, cells, stream
from hongyan.events.history.store import Store

PORTION: Final = 2_000_000  # rows in memory at once, for each of the threads: some 600 MB
MOST_NAMES: Final = 2_000  # names in files; facts of further ones are answered from rows
_LOCK: Final = 0x6869_7374_6F72_79  # "history": the advisory lock of whoever writes
_THREADS: Final = 2

Progress = Callable[[int, int], None]  # rows done, rows expected
Stop = Callable[[], bool]


@contextmanager
def writing() -> Iterator[psycopg.Connection[Any] | None]:
    """A connection of its own that holds the writer's lock; None while another writer works. The lock goes with the
    connection, so a dead writer never keeps it, and one who lost it cannot publish."""
    made = connections.create_connection("default")
    try:
        made.ensure_connection()
        connection: psycopg.Connection[Any] = made.connection
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        mine = bool(row and row[0])
        yield connection if mine else None
        if mine:  # a closed connection keeps its locks until its server process has gone, a moment later
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    finally:
        made.close()


@contextmanager
def snapshot_of(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Everything inside is read as of one moment. Without a transaction number of its own it delays no reader."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # Before the moment is fixed, and in nobody's way but of who drops a month: it would be gone from the tables
        # while its facts are still of this moment. Partitions are left alone: new months can be made.
        connection.execute("LOCK TABLE ONLY events_event IN ACCESS SHARE MODE")
        yield


@dataclass(slots=True)
class Names:
    """Which names may stand in files. there: those that already do."""

    there: set[str]
    added: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, name: str) -> bool:
        with self._lock:
            if name in self.there or name in self.added:
                return True
            if name not in self.refused and len(self.there) + len(self.added) < MOST_NAMES:
                self.added.add(name)
                return True
            self.refused.add(name)
            return False

    def refuse(self, names: Iterable[str]) -> None:
        self.refused.update(names)
        self.added -= self.refused


def build(
    connection: psycopg.Connection[Any],
    store: Store,
    *,
    progress: Progress = lambda _done, _total: None,
    stop: Stop = lambda: False,
) -> int:
    """Everything anew, whatever there was; until it is published the old files count. Returns how many events."""
    keys, names = Keys(wanted()), Names(set())
    with snapshot_of(connection):
        seen = state(connection)
        change = Change(tx=seen.below, whole=True)
        change.retire = {part.file.id for parts in parts_that_count(connection).values() for part in parts}
        change.done = [mark.id for mark in marks(connection)]
        # A COPY that was left in the middle holds the connection, on which the transaction has to be ended.
        with closing(_all_portions(connection, keys, seen.below, progress)) as portions:
            change.add = list(_written(store, portions, keys, names, stop))
    change.names, change.left_out = names.added, bool(names.refused)
    publish(connection, seen, change)
    return sum(part.events for part in change.add)


def _all_portions(
    connection: psycopg.Connection[Any], keys: Keys, below: int, progress: Progress
) -> Generator[bytes, None, None]:
    found = list(connection.execute(_statement("partitions")))
    total, done = sum(rows for _, rows in found), 0
    for table, rows in found:
        where, values = "e.tx < %(below)s::text::xid8", {"below": str(below)}
        yield from stream(connection, keys, table=table, where=where, values=values, rows=PORTION)
        done += rows
        progress(done, total)


def _written(store: Store, portions: Iterable[bytes], keys: Keys, names: Names, stop: Stop) -> Iterator[NewPart]:
    """Portions are grouped and written by threads while the next is read; never more than a few are in memory."""
    with ThreadPoolExecutor(_THREADS) as pool:
        running: list[Future[list[NewPart]]] = []
        for portion in portions:
            if stop():
                raise Stopped
            running.append(pool.submit(_write_portion, store, portion, keys, names))
            if len(running) >= _THREADS:
                yield from running.pop(0).result()
        for future in running:
            yield from future.result()


def _write_portion(store: Store, portion: bytes, keys: Keys, names: Names) -> list[NewPart]:
    found: list[NewPart] = []
    for cell in cells(portion, keys):
        if names.admit(cell.name):
            found += write_part(store, cell.name, cell.month, _grouped(cell, keys))
    return found


def _grouped(cell: Cell, keys: Keys) -> Grouped:
    return group(cell.events, keys.of(cell.name), ordered=True)


def catch_up(connection: psycopg.Connection[Any], store: Store, *, stop: Stop = lambda: False) -> int:
    """Facts of transactions that ended since the last time become files. Returns how many."""
    keys = Keys(wanted())
    with snapshot_of(connection):
        seen = state(connection)
        names = Names(names_in_files(connection))
        where = "e.tx >= %(tx)s::text::xid8 AND e.tx < %(below)s::text::xid8"
        values = {"tx": str(seen.tx), "below": str(seen.below)}
        portions = stream(connection, keys, where=where, values=values, rows=PORTION)
        first, second = next(portions, None), next(portions, None)
        change, count = Change(tx=seen.below), 0
        if first is not None and second is None:
            found = [cell for cell in cells(first, keys) if names.admit(cell.name)]
            _leave_out_old(connection, names, seen)
            found = [cell for cell in found if cell.name not in names.refused]
            there = parts_that_count(connection, {cell.name for cell in found})
            count = sum(cell.events.num_rows for cell in found)
            for cell in found:
                _add_to_cell(store, change, there.get((cell.name, cell.month), []), cell, _grouped(cell, keys))
        elif first is not None and second is not None:
            with closing(portions):
                add = list(_written(store, chain([first, second], portions), keys, names, stop))
            _leave_out_old(connection, names, seen)
            change.add = [part for part in add if part.name not in names.refused]
            count = sum(part.events for part in change.add)
    change.names, change.left_out = names.added, bool(names.refused)
    publish(connection, seen, change)
    return count


def _leave_out_old(connection: psycopg.Connection[Any], names: Names, seen: State) -> None:
    """A name that has older facts outside of files must not get newer ones into them: half of it would be missing."""
    names.refuse(
        name
        for name in sorted(names.added)
        if connection.execute(_statement("has_older"), {"name": name, "tx": str(seen.tx)}).fetchone() == (True,)
    )


def _add_to_cell(store: Store, change: Change, there: list[Part], cell: Cell, grouped: Grouped) -> None:
    taken = to_join(there, grouped.events)
    if taken:
        grouped = joined(store, taken, [grouped])
        change.retire |= {part.file.id for part in taken}
    change.add += write_part(store, cell.name, cell.month, grouped)


def compact(connection: psycopg.Connection[Any], store: Store, *, most: int = 20) -> int:
    """Join small files of a cell; of at most so many cells. Returns how many files ceased to count."""
    with snapshot_of(connection):
        seen = state(connection)
        change = Change()
        for (name, month), parts in _scattered(parts_that_count(connection)).items():
            if most <= 0:
                break
            most -= 1
            change.retire |= {part.file.id for part in parts}
            change.add += write_part(store, name, month, joined(store, parts))
    if change:
        publish(connection, seen, change)
    return len(change.retire)


def _scattered(there: dict[CellKey, list[Part]]) -> dict[CellKey, list[Part]]:
    found = {}
    for cell, (smallest, *others) in there.items():
        if more := to_join(others, smallest.file.events):
            found[cell] = [smallest, *more]
    return found


def _statement(name: str) -> str:
    return statement("hongyan.events", "history.sql", name)

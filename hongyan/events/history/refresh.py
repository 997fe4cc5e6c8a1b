"""Making files right again after facts in them were changed, and taking properties in or out."""

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from hongyan.core.sql import numbers
from hongyan.events.history.arrays import Grouped, group
from hongyan.events.history.manifest import Change, Mark, State, marks, names_in_files, publish, state
from hongyan.events.history.parts import CellKey, Part, parts_that_count, write_part
from hongyan.events.history.plan import MOST_KEYS, denied, insisted, may_hold, wanted
from hongyan.events.history.rows import Keys, cells, stream
from hongyan.events.history.snapshot import cell_values
from hongyan.events.history.store import Store
from hongyan.events.history.writer import PORTION, snapshot_of

MOST_PEOPLE: Final = 200_000  # put right at a time


def refresh_people(connection: psycopg.Connection[Any], store: Store) -> int:
    """Take people whose facts were changed out of all files and write what PostgreSQL says of them now beside. Returns
    how many they were."""
    keys = Keys(wanted())
    with snapshot_of(connection):
        seen = state(connection)
        if not seen.tx:
            return 0
        people, done = _bite(marks(connection))
        if not done:
            return 0
        change = Change(done=done)
        for parts in parts_that_count(connection).values():
            for part in parts:
                _without(store, change, part, people)
        names = names_in_files(connection)
        where = "e.contact_id = ANY(%(ids)s::bigint[]) AND e.tx < %(tx)s::text::xid8"
        values = {"ids": numbers(people), "tx": str(seen.tx)}
        for portion in stream(connection, keys, where=where, values=values, rows=PORTION):
            for cell in cells(portion, keys):
                if cell.name in names:
                    grouped = group(cell.events, keys.of(cell.name), ordered=True)
                    change.add += write_part(store, cell.name, cell.month, grouped)
    publish(connection, seen, change)
    return len(people)


def _bite(found: Sequence[Mark]) -> tuple[list[int], list[int]]:
    """People of the oldest marks, ascending, and those marks. A mark is done as a whole."""
    people: set[int] = set()
    done: list[int] = []
    for mark in found:
        if mark.cell is not None:
            continue
        if done and len(people) + len(mark.contact_ids) > MOST_PEOPLE:
            break
        people.update(mark.contact_ids)
        done.append(mark.id)
    return sorted(people), done


def _without(store: Store, change: Change, part: Part, people: Sequence[int]) -> None:
    """The part anew without these people, if any of them is in it."""
    gone = pa.array(people, pa.int64())
    odd = tuple(sorted(set(part.odd) - set(people)))
    among = pc.is_in(pa.array(part.odd, pa.int64()), gone)
    column = store.read(part.file.path, ["contact_id"])["contact_id"] if _may_hold_any(part, people) else None
    if (column is None or not pc.any(pc.is_in(column, gone)).as_py()) and not pc.any(among).as_py():
        return
    rows = store.read(part.file.path)
    kept = rows.filter(pc.invert(pc.is_in(rows["contact_id"], gone)))
    change.retire.add(part.file.id)
    change.add += write_part(store, part.file.name, part.file.month, Grouped(kept, part.file.properties, odd))


def _may_hold_any(part: Part, people: Sequence[int]) -> bool:
    return part.file.rows > 0 and people[0] <= part.file.high and people[-1] >= part.file.low


def refresh_cells(
    connection: psycopg.Connection[Any], store: Store, *, settled_s: float = 0.0, seconds: float = 60.0
) -> int:
    """Write cells of which much was deleted, or that lack properties, anew from rows; newest months first, for about so
    long. settled_s: leave alone what changed within the last seconds. Returns how many cells."""
    begun, count = time.monotonic(), 0
    with snapshot_of(connection):
        seen = state(connection)
        due = _due_cells(connection, seen, settled_s) if seen.tx else []
    for name, month in due:
        _rebuild_cell(connection, store, name, month)
        count += 1
        if time.monotonic() - begun > seconds:
            break
    return count


def _due_cells(connection: psycopg.Connection[Any], seen: State, settled_s: float) -> list[CellKey]:
    """Properties that must not be there come first, then what was deleted, then what is missing."""
    decided, plan, urged = denied(), wanted(), insisted()
    changed: dict[CellKey, float] = {}
    for mark in marks(connection):
        if mark.cell is not None:
            age = (seen.now - mark.at).total_seconds()
            changed[mark.cell] = min(age, changed.get(mark.cell, age))
    forbidden, missing = set[CellKey](), set[CellKey]()
    for cell, parts in parts_that_count(connection).items():
        for part in parts:
            held = part.file.properties
            if any(not may_hold(decided, cell[0], key) for key in held):
                forbidden.add(cell)
            lacking = set(plan.get(cell[0], ())) - set(held)
            if lacking and (len(held) < MOST_KEYS or lacking & urged.get(cell[0], set())):
                missing.add(cell)
    ready = {cell for cell, age in changed.items() if age >= settled_s}
    order = sorted(forbidden), sorted(ready), sorted(missing, key=lambda cell: (cell[1], cell[0]), reverse=True)
    return list(dict.fromkeys(cell for cells in order for cell in cells))


def _rebuild_cell(connection: psycopg.Connection[Any], store: Store, name: str, month: Any) -> None:
    keys = Keys({name: wanted().get(name, ())})
    with snapshot_of(connection):
        seen = state(connection)
        change = Change()
        change.retire = {part.file.id for part in parts_that_count(connection, [name]).get((name, month), [])}
        change.done = [mark.id for mark in marks(connection) if mark.cell == (name, month)]
        if name in names_in_files(connection):
            where = (
                "e.name = %(name)s AND e.occurred_at >= %(first)s AND e.occurred_at < %(end)s "
                "AND e.tx < %(tx)s::text::xid8"
            )
            values = cell_values(name, month, seen.tx, [])
            for portion in stream(connection, keys, where=where, values=values, rows=PORTION):
                for cell in cells(portion, keys):
                    grouped = group(cell.events, keys.of(name), ordered=True)
                    change.add += write_part(store, name, month, grouped)
    if change:
        publish(connection, seen, change)

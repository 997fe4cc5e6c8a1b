"""Who was touched since the files were written, and their rows as they are now.

A process remembers what it read for the last question: the next one reads only what was touched since. That is exact
because PostgreSQL says which transactions the earlier snapshot had seen; a question with an older snapshot, or from a
transaction that has written something itself, starts from nothing and leaves nothing behind.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection

from hongyan.audience.population import reading
from hongyan.audience.population.columns import Wanted
from hongyan.audience.population.manifest import Manifest
from hongyan.audience.population.reading import Ids, Read, people
from hongyan.core.sql import statement

_MOST: Final = 300_000  # contacts a process remembers
_SLACK: Final = 2_000


@dataclass(frozen=True, slots=True)
class Delta:
    """stale: ascending. fresh: rows of those of them who exist."""

    stale: pa.Int64Array
    fresh: Read


@dataclass(slots=True)
class _Known:
    """What was read of touched contacts up to a snapshot. touched: contact → newest transaction, of facts and of mere
    activity (None: not asked for yet)."""

    columns: tuple[tuple[str, str], ...]
    oldest: int
    here: str
    facts: dict[int, int] = field(default_factory=dict)
    activity: dict[int, int] | None = None
    rows: Read | None = None


_known: dict[str, _Known] = {}
_lock = threading.Lock()


def delta(link: Connection[Any], state: Manifest, wanted: Mapping[str, Wanted], *, activity: bool) -> Delta:
    """wanted: all columns of people, so that questions share what is read. activity: whether a question about when
    people were last active is among them."""
    place = f"{link.info.host}:{link.info.port}/{link.info.dbname}"
    columns = tuple((name, column.signature) for name, column in wanted.items())
    if state.writing:
        return _brought_on(link, state, wanted, _Known(columns, state.oldest, ""), activity=activity)
    with _lock:
        known = _known.pop(place, None)
    if known is None or known.columns != columns or known.oldest > state.oldest or not _sees(state.here, known.here):
        known = _Known(columns, state.oldest, "")
    found = _brought_on(link, state, wanted, known, activity=activity)
    if len(known.facts) + len(known.activity or ()) <= _MOST:
        with _lock:
            _known[place] = known
    return found


def _brought_on(
    link: Connection[Any], state: Manifest, wanted: Mapping[str, Wanted], known: _Known, *, activity: bool
) -> Delta:
    """``known`` as of this snapshot, and what a question needs of it."""
    facts, active = _touched(link, state.oldest, known, activity=activity or known.activity is not None)
    _take(known.facts, facts)
    if activity or known.activity is not None:
        # Whoever was merely active is read from now on at every question, until the files have caught up.
        known.activity = known.activity or {}
        _take(known.activity, active)
    ids = facts.keys() | active.keys()
    if known.rows is None:
        known.rows = people(link, wanted, Ids(sorted(ids)))
    elif ids:
        known.rows = _replaced(known.rows, people(link, wanted, Ids(sorted(ids))), ids)
    known.here = state.here
    return _needed(state, known, known.rows, activity=activity)


def _take(known: dict[int, int], new: dict[int, int]) -> None:
    """A transaction that became visible later may have begun earlier."""
    for contact_id, tx in new.items():
        known[contact_id] = max(tx, known.get(contact_id, 0))


def _touched(link: Connection[Any], tx: int, known: _Known, *, activity: bool) -> tuple[dict[int, int], dict[int, int]]:
    """What is new to ``known``: of facts, and of mere activity where it is asked for."""
    seen = known.here or None
    bound = {
        "tx": str(tx),
        "seen": seen,
        "seen_active": seen if known.activity is not None else None,
        "activity": activity,
    }
    found: tuple[dict[int, int], dict[int, int]] = {}, {}
    with link.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "population.sql", "touched").encode(), bound)
        for contact_id, active, newest in cursor.fetchall():
            found[active][contact_id] = newest
    return found


def _replaced(before: Read, new: Read, ids: set[int]) -> Read:
    kept = before.rows.filter(pc.invert(pc.is_in(before.rows["contact_id"], pa.array(ids, pa.int64()))))
    return joined([Read(kept, before.columns, before.odd), new])


def joined(parts: list[Read]) -> Read:
    """One after the other, numbers as wide as the widest. Once odd, a column stays so; one whose numbers together need
    more than 38 digits is odd from then on."""
    if len(parts) == 1:
        return parts[0]
    table = pa.concat_tables([part.rows for part in parts], promote_options="permissive").combine_chunks()
    columns, odd = {}, set[str]().union(*(part.odd for part in parts))
    for place, name in enumerate(table.column_names):
        if name in parts[0].columns and pa.types.is_decimal256(table.schema.field(name).type):
            table = table.set_column(place, name, pa.nulls(len(table), pa.decimal128(9, 0)))
            odd.add(name)
    for name, column in parts[0].columns.items():
        type_ = table.schema.field(name).type
        decimal = pa.types.is_decimal(type_)
        columns[name] = type(column)(column.kind, type_.precision, type_.scale) if decimal else column
    return Read(table, columns, frozenset(odd))


def _needed(state: Manifest, known: _Known, fresh: Read, *, activity: bool) -> Delta:
    """Of those touched, whoever's file is older than the touch. What no question can need any more is forgotten."""
    known.oldest = state.oldest
    known.facts = _after_files(state, known.facts)
    touched = known.facts
    if known.activity is not None:
        known.activity = _after_files(state, known.activity)
        if activity:
            touched = touched | known.activity
    remembered = known.facts.keys() | (known.activity or {}).keys()
    if fresh.rows.num_rows > len(remembered) + _SLACK:
        known.rows = fresh = _only(fresh, pa.array(remembered, pa.int64()))
    stale = pa.array(np.sort(np.fromiter(touched, np.int64, len(touched))))
    return Delta(stale, _only(fresh, stale))


def _only(read: Read, ids: pa.Int64Array) -> Read:
    return Read(read.rows.filter(pc.is_in(read.rows["contact_id"], ids)), read.columns, read.odd)


def _after_files(state: Manifest, touched: dict[int, int]) -> dict[int, int]:
    if not touched:
        return touched
    ids: npt.NDArray[np.int64] = np.fromiter(touched.keys(), np.int64, len(touched))
    txs: npt.NDArray[np.int64] = np.fromiter(touched.values(), np.int64, len(touched))
    chunks = ids >> reading.CHUNK_BITS
    numbers_, places = np.unique(chunks, return_inverse=True)
    of_chunk = np.array(
        [state.people[int(n)].tx if int(n) in state.people else state.tx for n in numbers_], dtype=np.int64
    )
    kept = txs >= of_chunk[places]
    if kept.all():
        return touched
    return dict(zip(ids[kept].tolist(), txs[kept].tolist(), strict=True))


def _sees(here: str, earlier: str) -> bool:
    """Whether a snapshot sees every transaction that an earlier one saw. Both as PostgreSQL writes them:
    xmin:xmax:transactions in progress.

    >>> _sees("10:20:12", "10:15:12,14"), _sees("10:20:12,14", "10:15:12"), _sees("10:12:", "10:15:")
    (True, False, False)
    """
    if not earlier:
        return True
    _, end, running = _parts(here)
    _, earlier_end, earlier_running = _parts(earlier)
    return end >= earlier_end and {tx for tx in running if tx < earlier_end} <= earlier_running


def _parts(snapshot: str) -> tuple[int, int, set[int]]:
    first, end, running = snapshot.split(":")
    return int(first), int(end), {int(tx) for tx in running.split(",") if tx}


def forget() -> None:
    """What the process remembers; for tests."""
    with _lock:
        _known.clear()

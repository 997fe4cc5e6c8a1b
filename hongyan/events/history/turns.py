"""What the lane does, turn by turn: catch up, put right, tidy."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from hongyan.core.sql import statement
from hongyan.events.history import sweeping
from hongyan.events.history.errors import Stopped
from hongyan.events.history.manifest import Mark, State, marks, note_caught_up, state
from hongyan.events.history.refresh import refresh_cells, refresh_people
from hongyan.events.history.snapshot import lag
from hongyan.events.history.store import Store, open_store
from hongyan.events.history.writer import build, catch_up, compact, writing
from hongyan.jobs.lanes import keep_turning
from hongyan.jobs.worker import lane_note

LAG_S: Final = 20.0  # facts are written when the oldest has waited so long, and so stay well below a minute
MANY: Final = 50_000  # or when so many wait
STALE_MANY: Final = 2_000  # people read from rows before their files are put right
STALE_S: Final = 6 * 3600.0  # or when the oldest change is so old: an erased person leaves the files the same day
SETTLED_S: Final = 30.0  # a cell being deleted from is left alone until that has ended
_REST_S: Final = 5.0
_SWEEP_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What was done. more: there is something left to do at once."""

    wrote: int = 0
    built: bool = False
    people: int = 0
    cells: int = 0
    joined: int = 0
    lag_s: float = 0.0
    more: bool = False


def turn(*, lag_s: float = LAG_S, stop: Callable[[], bool] = lambda: False) -> Turn | None:
    """One turn of the writer; None while another writes."""
    with writing() as connection:
        return None if connection is None else _turn(connection, open_store(), lag_s, stop)


def _turn(connection: psycopg.Connection[Any], store: Store, lag_s: float, stop: Callable[[], bool]) -> Turn:
    now = state(connection)
    if not now.tx:
        if not _waiting(connection, 0):
            return Turn()
        return Turn(wrote=build(connection, store, stop=stop), built=True, more=True)
    wrote = 0
    if _due(connection, now, lag_s):
        wrote = catch_up(connection, store, stop=stop)
    elif _long_ago(now, lag_s) and not _waiting(connection, now.tx):
        note_caught_up(connection, now.now)
    people = refresh_people(connection, store) if _people_due(now, marks(connection)) else 0
    cells = refresh_cells(connection, store, settled_s=SETTLED_S, seconds=20.0)
    joined = compact(connection, store)
    sweeping.sweep_retired(connection, store)
    return Turn(wrote, built=False, people=people, cells=cells, joined=joined, lag_s=lag(connection), more=bool(cells))


def _long_ago(now: State, lag_s: float) -> bool:
    return now.caught_up_at is None or (now.now - now.caught_up_at).total_seconds() > lag_s


def _waiting(connection: psycopg.Connection[Any], tx: int, most: int = 1) -> int:
    """Facts the writer could take now."""
    query = statement("hongyan.events", "history.sql", "how_many_ready")
    return int(next(iter(connection.execute(query, {"tx": str(tx), "most": most})))[0])


def _due(connection: psycopg.Connection[Any], now: State, lag_s: float) -> bool:
    waiting = _waiting(connection, now.tx, MANY)
    return waiting >= MANY or (waiting > 0 and lag(connection) >= lag_s)


def _people_due(now: State, found: list[Mark]) -> bool:
    people = [mark for mark in found if mark.cell is None]
    if not people:
        return False
    old = (now.now - people[0].at).total_seconds() >= STALE_S
    return old or sum(len(mark.contact_ids) for mark in people) >= STALE_MANY


async def run_history(stop: asyncio.Event) -> None:
    """The lane."""
    await keep_turning(_Lane(stop).turn, stop, rest_s=_REST_S)


@dataclass(slots=True)
class _Lane:
    stop: asyncio.Event
    swept_at: float = float("-inf")  # of the monotonic clock

    def turn(self) -> bool:
        if time.monotonic() - self.swept_at > _SWEEP_S:
            _sweep()
            self.swept_at = time.monotonic()
        try:
            done = turn(stop=self.stop.is_set)
        except Stopped:
            return False
        if done is None:
            return False
        lane_note("history", lag_s=round(done.lag_s, 1))
        return done.more


def _sweep() -> None:
    with writing() as connection:
        if connection is not None:
            sweeping.sweep_unknown(connection, open_store())

"""The one transaction by which files begin and cease to count."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg

from hongyan.core.sql import numbers, statement, texts
from hongyan.events.history.errors import Superseded
from hongyan.events.history.parts import NewPart


@dataclass(frozen=True, slots=True)
class State:
    """As of one snapshot. tx: events of transactions below are in files; 0: no file counts. below: every transaction
    under it is over, so its facts are all there. left_out: some names are in no file."""

    tx: int
    caught_up_at: datetime | None
    generation: int
    left_out: bool
    below: int
    now: datetime
    built_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A line about facts that were changed: people, or a cell."""

    id: int
    contact_ids: tuple[int, ...]
    cell: tuple[str, date] | None
    at: datetime


@dataclass(slots=True)
class Change:
    """What a writer wants to become true at once."""

    add: list[NewPart] = field(default_factory=list)
    retire: set[int] = field(default_factory=set)  # ids of files
    names: set[str] = field(default_factory=set)  # newly in files
    done: list[int] = field(default_factory=list)  # ids of marks whose files are right again
    tx: int | None = None  # events below are in files now
    whole: bool = False  # everything was written anew
    left_out: bool = False  # facts of names for which there is no room were passed over

    def __bool__(self) -> bool:
        return bool(self.add or self.retire or self.done or self.tx is not None)


def state(connection: psycopg.Connection[Any]) -> State:
    return State(*next(iter(connection.execute(_statement("state")))))


def marks(connection: psycopg.Connection[Any]) -> list[Mark]:
    return [
        Mark(pk, tuple(contact_ids or ()), None if month is None else (name, month), at)
        for pk, contact_ids, name, month, at in connection.execute(_statement("stale"))
    ]


def names_in_files(connection: psycopg.Connection[Any]) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM events_historyname")}


def publish(connection: psycopg.Connection[Any], seen: State, change: Change) -> None:
    """connection: outside a transaction. Raises Superseded when the history was thrown away since ``seen``."""
    with connection.transaction():
        row = connection.execute(_statement("state_locked")).fetchone()
        if row is None or row[0] != seen.generation:
            raise Superseded
        if change.retire:
            gone = connection.execute(_statement("retire"), {"ids": numbers(change.retire)})
            if gone.rowcount != len(change.retire):
                raise Superseded
        if change.add:
            with connection.cursor() as cursor:
                cursor.executemany(_statement("add_file"), [part.row for part in change.add])
        if change.names:
            connection.execute(_statement("add_names"), {"names": texts(change.names), "whole": change.whole})
        if change.done:
            connection.execute(_statement("stale_done"), {"ids": numbers(change.done)})
        if change.tx is not None:
            values = {"tx": change.tx, "at": seen.now, "whole": change.whole, "left_out": change.left_out}
            connection.execute(_statement("move_state"), values)


def note_caught_up(connection: psycopg.Connection[Any], at: datetime) -> None:
    connection.execute("UPDATE events_historystate SET caught_up_at = %s WHERE id = 1", [at])


def forget_everything(connection: psycopg.Connection[Any]) -> None:
    """All is answered from rows until it is built again. Files are deleted by and by. In the caller's transaction."""
    connection.execute(_statement("forget"))


def _statement(name: str) -> str:
    return statement("hongyan.events", "history.sql", name)

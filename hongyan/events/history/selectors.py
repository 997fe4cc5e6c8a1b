"""How far the history is, for rooms that choose where to ask and for people who look after it."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from django.db import connection as django_connection

from hongyan.core.sql import statement
from hongyan.events.history.snapshot import lag
from hongyan.events.history.store import open_store
from hongyan.events.history.types import HistoryStatus

_MOST: Final = 200_000  # counting further would take longer than anybody wants to wait


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a question has to read besides files. built: there are files at all; else every event is in the tail."""

    built: bool
    waiting: int  # events in no file yet, counted up to ``most``
    stale: int  # people read from rows


def readiness(connection: psycopg.Connection[Any], *, most: int = 200_000) -> Readiness:
    """For whoever decides between files and rows: a tail of ``most`` or more should not be fetched."""
    tx = connection.execute(_statement("state")).fetchone()[0]  # type: ignore[index]  # always one row
    waiting = next(iter(connection.execute(_statement("how_many_waiting"), {"tx": str(tx), "most": most})))[0]
    return Readiness(tx > 0, waiting, _stale(connection))


def status() -> HistoryStatus:
    """In Django's connection; counts only what is quickly counted."""
    django_connection.ensure_connection()
    connection = django_connection.connection
    tx, caught_up_at, *_, built_at = next(iter(connection.execute(_statement("state"))))
    files, events, size, retired = next(iter(connection.execute(_statement("sums"))))
    waiting = next(iter(connection.execute(_statement("how_many_waiting"), {"tx": str(tx), "most": _MOST})))[0]
    return HistoryStatus(
        built=bool(tx) and built_at is not None,
        files=files if tx else 0,
        events=int(events) if tx else 0,
        bytes=int(size),
        waiting=waiting,
        stale=_stale(connection),
        lag_s=lag(connection),
        retired=retired,
        place=open_store().place,
        writer_at=caught_up_at,
    )


def _stale(connection: psycopg.Connection[Any]) -> int:
    query = "SELECT count(DISTINCT pk) FROM events_historystale, unnest(contact_ids) pk"
    return int(next(iter(connection.execute(query)))[0])


def _statement(name: str) -> str:
    return statement("hongyan.events", "history.sql", name)

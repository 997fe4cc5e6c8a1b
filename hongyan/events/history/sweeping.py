"""Files that no longer count, or never did: deleted when nobody can be reading them."""

from datetime import timedelta
from typing import Any, Final

import psycopg

from hongyan.core.sql import numbers, statement
from hongyan.events.history.store import Store

KEEP_RETIRED_S: Final = 900  # questions that began before a file was replaced may still read it
KEEP_UNKNOWN: Final = timedelta(hours=1)  # a file is listed within minutes of being written, or its writer died


def sweep_retired(connection: psycopg.Connection[Any], store: Store, *, keep_s: float = KEEP_RETIRED_S) -> int:
    """The file first, then its line: dying between the two is mended by doing it again. Returns how many."""
    found = list(connection.execute(_statement("to_delete"), {"keep_s": keep_s}))
    for _, path in found:
        store.remove(path)
    if found:
        connection.execute(_statement("deleted"), {"ids": numbers(pk for pk, _ in found)})
    return len(found)


def sweep_unknown(connection: psycopg.Connection[Any], store: Store, *, keep: timedelta = KEEP_UNKNOWN) -> int:
    """What died writers left. connection holds the writer's lock, so nobody else is about to list a file."""
    now = next(iter(connection.execute("SELECT now()")))[0]
    known = {path for (path,) in connection.execute("SELECT path FROM events_historyfile")}
    lost = [file.path for file in store.files() if file.path not in known and file.at <= now - keep]
    for path in lost:
        store.remove(path)
    return len(lost)


def _statement(name: str) -> str:
    return statement("hongyan.events", "history.sql", name)

"""Now and then, after a question: letting go of what this process and this machine kept of files that are gone."""

import threading
import time
from typing import Final

from django.db import connection

from hongyan.audience.engines.kept import kept
from hongyan.audience.population.people import place
from hongyan.events.history.store import Store, open_store

EVERY_S: Final = 3600
_LISTS: Final = {"events": "events_historyfile", "people": "audience_populationfile"}
_turn = threading.Lock()
_last = -float(EVERY_S)


def tidy() -> None:
    """At most once an hour; costs nothing else."""
    global _last
    with _turn:
        if time.monotonic() - _last < EVERY_S:
            return
        _last = time.monotonic()
    kept().drop_idle(EVERY_S)
    for kind, store in (("events", open_store()), ("people", place())):
        if not store.is_local:
            prune(store, kind)


def prune(store: Store, kind: str) -> int:
    """Local copies of a bucket's files that are on no list. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT path FROM {_LISTS[kind]}")
        known = {path for (path,) in cursor.fetchall()}
    return store.prune(known)

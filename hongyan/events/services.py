import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection

from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.events.types import NewEvent


def append_parameters(events: Sequence[NewEvent]) -> dict[str, Any]:
    """Bound values of the ``append`` statement, for callers with a connection of their own (asynchronous lanes)."""
    received = clock.now()
    return {
        "contact_ids": [event.contact_id for event in events],
        "names": [event.name for event in events],
        "occurred": [event.occurred_at for event in events],
        "received": [event.received_at or received for event in events],
        "sources": [event.source for event in events],
        "properties": [orjson.dumps(event.properties).decode() for event in events],
        "keys": [_key(event) for event in events],
    }


def append(events: Sequence[NewEvent]) -> int:
    """Record facts in the caller's transaction; returns how many were new."""
    if not events:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "append"), append_parameters(events))
        return int(cursor.rowcount)


def _key(event: NewEvent) -> bytes | None:
    if event.dedupe_key is None:
        return None
    return hashlib.sha256(f"{event.source}\x00{event.dedupe_key}".encode()).digest()[:16]

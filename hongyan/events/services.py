import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection

from hongyan.core import clock
from hongyan.core.sql import statement, texts
from hongyan.events.types import NewEvent


def append_parameters(events: Sequence[NewEvent]) -> dict[str, Any]:
    """Bound values of the ``append`` statement, for callers with a connection of their own (asynchronous lanes)."""
    received = clock.now()
    return {
        "contact_ids": texts([None if event.contact_id is None else str(event.contact_id) for event in events]),
        "names": texts([event.name for event in events]),
        "occurred": texts([event.occurred_at.isoformat() for event in events]),
        "received": texts([(event.received_at or received).isoformat() for event in events]),
        "sources": texts([event.source for event in events]),
        "properties": texts([orjson.dumps(event.properties).decode() for event in events]),
        "keys": texts([_key(event) for event in events]),
    }


def append(events: Sequence[NewEvent]) -> int:
    """Record facts in the caller's transaction; returns how many were new."""
    if not events:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "append"), append_parameters(events))
        return int(cursor.rowcount)


def _key(event: NewEvent) -> str | None:
    if event.dedupe_key is None:
        return None
    return "\\x" + dedupe_hash(event.source, event.dedupe_key)


def dedupe_hash(source: str, key: str) -> str:
    """What is kept of a dedupe key, in hex."""
    return hashlib.sha256(f"{source}\x00{key}".encode()).hexdigest()[:32]

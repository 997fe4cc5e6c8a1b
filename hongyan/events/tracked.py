"""Facts about visitors: anonymous at first, a person's once it is known who the visitor was."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from hongyan.core.sql import numbers, statement, texts
from hongyan.events.services import append_parameters, dedupe_hash
from hongyan.events.types import NewEvent


def append_tracked(events: Sequence[NewEvent], visitors: Sequence[bytes | None]) -> int:
    """As ``append``. visitors: for each event the blind index of its anonymous id, remembered where it has no contact.

    Returns how many were new.
    """
    if not events:
        return 0
    values = append_parameters(events) | {"visitors": texts([_bytea(visitor) for visitor in visitors])}
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "append_tracked"), values)
        return int(cursor.rowcount)


def claim(source: str, keys: Sequence[str]) -> set[str]:
    """For facts that another room writes under its own keys: which of these were not seen before. They count as seen
    from now on, if the caller's transaction commits."""
    names = {"\\x" + dedupe_hash(source, key): key for key in keys}
    if not names:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_dedupe (key) SELECT unnest(%s::bytea[]) ON CONFLICT DO NOTHING RETURNING key",
            [texts(names)],
        )
        return {names["\\x" + bytes(key).hex()] for (key,) in cursor.fetchall()}


def tie(people: Mapping[bytes, int]) -> int:
    """Give what these visitors did to the contact each turned out to be. Returns how many facts that were."""
    if not people:
        return 0
    values = {"visitors": texts([_bytea(visitor) for visitor in people]), "contact_ids": numbers(people.values())}
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "tie"), values)
        return int(cursor.rowcount)


def forget_visitors(*, before: datetime) -> int:
    """Who was not recognised until then stays nobody. Returns how many facts lost their thread."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_anonymous WHERE occurred_at < %s", [before])
        return int(cursor.rowcount)


def _bytea(value: bytes | None) -> str | None:
    return None if value is None else "\\x" + value.hex()

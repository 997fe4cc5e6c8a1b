"""Facts about visitors: anonymous at first, a person's once it is known who the visitor was."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from hongyan.core import clock
from hongyan.core.sql import numbers, statement, texts
from hongyan.events.copying import copy_in
from hongyan.events.repeats import unseen
from hongyan.events.services import dedupe_hash
from hongyan.events.types import NewEvent


def append_tracked(events: Sequence[NewEvent], visitors: Sequence[bytes | None]) -> int:
    """As ``append``, but a dedupe key is known for ``repeats.WINDOW`` only. visitors: for each event the blind index of
    its anonymous id, remembered where it has no contact, until somebody turns out to be that visitor.

    Returns how many were new.
    """
    places = _fresh(events)
    fresh = [events[place] for place in places]
    if not fresh:
        return 0
    seen_by = [visitors[place] if events[place].contact_id is None else None for place in places]
    ids = _numbers(len(fresh)) if any(visitor is not None for visitor in seen_by) else None
    copy_in(fresh, received_at=clock.now(), ids=ids)
    if ids is not None:
        _remember(seen_by, ids, fresh)
    return len(fresh)


def _fresh(events: Sequence[NewEvent]) -> list[int]:
    """Places of the events whose key was not seen before, the first of each key."""
    first: dict[bytes, int] = {}
    places: list[int] = []
    for place, event in enumerate(events):
        if event.dedupe_key is None:
            places.append(place)
        else:
            first.setdefault(bytes.fromhex(dedupe_hash(event.source, event.dedupe_key)), place)
    new = unseen(first)
    return sorted([*places, *(place for key, place in first.items() if key in new)])


def _numbers(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "next_numbers"), {"count": count})
        return [number for (number,) in cursor.fetchall()]


def _remember(visitors: Sequence[bytes | None], ids: Sequence[int], events: Sequence[NewEvent]) -> None:
    found = [
        (visitor, number, event.occurred_at)
        for visitor, number, event in zip(visitors, ids, events, strict=True)
        if visitor is not None
    ]
    values = {
        "visitors": texts([_bytea(visitor) for visitor, _, _ in found]),
        "ids": numbers(number for _, number, _ in found),
        "occurred": texts([at.isoformat() for _, _, at in found]),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "remember_anonymous"), values)


def claim(source: str, keys: Sequence[str]) -> set[str]:
    """For facts that another room writes under its own keys: which of these were not seen before. They count as seen
    from now on, if the caller's transaction commits."""
    names = {bytes.fromhex(dedupe_hash(source, key)): key for key in keys}
    return {names[key] for key in unseen(names)}


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

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.core.sql import statement
from hongyan.events.types import EventCursor, EventRow


def events_of_contact(
    *,
    actor: Actor,
    contact_id: int,
    before: tuple[datetime, int] | None = None,
    limit: int = 50,
    names: Sequence[str] | None = None,
) -> list[EventRow]:
    """Newest first; ``before`` is (occurred_at, id) of the last row already shown."""
    actor.require(Permission.CONTACT_VIEW)
    at, last_id = before or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "events.sql", "of_contact"),
            {
                "contact_id": contact_id,
                "names": list(names) if names is not None else None,
                "before_at": at,
                "before_id": last_id,
                "limit": limit,
            },
        )
        return [row_of(values) for values in cursor.fetchall()]


def events_after(*, cursor_at: EventCursor, limit: int = 5000) -> tuple[list[EventRow], EventCursor]:
    """The next events for a reader, in a stable order, and where it stands then. For rooms, not for people."""
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "events.sql", "after_cursor"),
            {"tx": str(cursor_at.tx), "id": cursor_at.id, "limit": limit},
        )
        rows = cursor.fetchall()
    if not rows:
        return [], cursor_at
    return [row_of(values[1:]) for values in rows], EventCursor(tx=rows[-1][0], id=rows[-1][1])


def row_of(values: Sequence[Any]) -> EventRow:
    event_id, contact_id, name, occurred_at, received_at, source, properties = values
    if isinstance(properties, str | bytes):  # Django leaves jsonb of raw cursors as text
        properties = orjson.loads(properties)
    return EventRow(event_id, contact_id, name, occurred_at, received_at, source, properties)

"""Facts for the tests of the history, and what the rows of PostgreSQL say for comparison."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, transaction

from hongyan.events.services import append
from hongyan.events.types import NewEvent

START = datetime(2026, 9, 28, 12, tzinfo=UTC)  # a few days reach into the next month


def happened(contact_id: int | None, name: str = "order_completed", hours: float = 0, **properties: Any) -> NewEvent:
    return NewEvent(contact_id, name, START + timedelta(hours=hours), "test", properties)


def record(*events: NewEvent) -> None:
    with transaction.atomic():
        append(events)


@contextmanager
def reading() -> Iterator[psycopg.Connection[Any]]:
    """The test's own connection, in one snapshot."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection.connection


def plan(name: str, properties: Mapping[str, str]) -> None:
    """Declare properties (key → type) of an event name."""
    from hongyan.events.models import EventName, EventProperty

    row, _ = EventName.objects.get_or_create(name=name)
    for key, kind in properties.items():
        EventProperty.objects.update_or_create(event=row, key=key, defaults={"type": kind})

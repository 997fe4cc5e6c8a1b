import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, connections, transaction

from hongyan.accounts.types import system_actor
from hongyan.events import partitions, privacy
from hongyan.events.selectors import events_after, events_of_contact
from hongyan.events.services import append
from hongyan.events.types import EventCursor, NewEvent

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ACTOR = system_actor("test")


def _event(number: int, *, contact_id: int = 1, key: str | None = None, name: str = "page_viewed") -> NewEvent:
    return NewEvent(contact_id, name, AT + timedelta(minutes=number), "web", {"n": number}, dedupe_key=key)


@pytest.mark.django_db
def test_repeats_of_a_key_are_dropped_within_and_across_batches() -> None:
    assert append([_event(1, key="a"), _event(2, key="a"), _event(3, key="b"), _event(4), _event(4)]) == 4
    assert append([_event(5, key="b"), _event(6, key="c")]) == 1


@pytest.mark.django_db
def test_timeline_pages_newest_first_without_gaps() -> None:
    append([_event(number) for number in range(25)])
    append([_event(0, contact_id=2)])
    seen: list[int] = []
    before = None
    while rows := events_of_contact(actor=ACTOR, contact_id=1, before=before, limit=7):
        seen += [row.properties["n"] for row in rows]
        before = (rows[-1].occurred_at, rows[-1].id)
    assert seen == list(range(24, -1, -1))


@pytest.mark.django_db
def test_months_are_made_once_and_old_events_wait_in_the_default() -> None:
    append([NewEvent(1, "order_completed", datetime(1999, 5, 5, tzinfo=UTC), "shop")])
    assert partitions.ensure_months(first=date(2026, 11, 3), last=date(2027, 2, 1)) == 4
    assert partitions.ensure_months(first=date(2026, 11, 3), last=date(2027, 2, 1)) == 0
    assert partitions.ensure_months(first=date(1999, 5, 1), last=date(1999, 5, 1)) == 0
    append([_event(1)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events_event_2026_11")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_a_reader_never_overtakes_a_slow_writer() -> None:
    start = EventCursor(tx=0, id=0)
    inserted, release = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with transaction.atomic():
            append([_event(1, name="slow")])
            inserted.set()
            release.wait(10)
        connections["default"].close()

    writer = threading.Thread(target=slow_writer)
    writer.start()
    assert inserted.wait(10)
    append([_event(2, name="fast")])
    rows, cursor_at = events_after(cursor_at=start)
    assert rows == []  # "fast" committed, but a transaction older than it still runs
    release.set()
    writer.join()
    rows, cursor_at = events_after(cursor_at=cursor_at)
    assert [row.name for row in rows] == ["slow", "fast"]
    assert events_after(cursor_at=cursor_at)[0] == []


@pytest.mark.django_db
def test_erasure_keeps_counts_and_loses_the_person() -> None:
    append([NewEvent(7, "email_clicked", AT, "edge", {"origin_id": 3, "link": 1, "city": "上海"})])
    assert privacy.erase(contact_id=7) == 1
    assert events_of_contact(actor=ACTOR, contact_id=7) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT contact_id, properties::text FROM events_event")
        assert cursor.fetchall() == [(None, '{"link": 1, "origin_id": 3}')]

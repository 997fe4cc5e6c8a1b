"""Repeats of message ids, and what retention leaves behind: keys that are too old, months without facts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import connect

from hongyan.core import clock
from hongyan.core.dsn import connection_parameters
from hongyan.events import partitions, repeats
from hongyan.events.models import Event
from hongyan.events.models_catalogue import EventPolicy
from hongyan.events.partitions import ensure_months
from hongyan.events.retention import forget_old
from hongyan.events.services import append
from hongyan.events.tracked import append_tracked, claim, tie
from hongyan.events.types import NewEvent

pytestmark = pytest.mark.django_db


def said(name: str, key: str | None, contact_id: int | None = 1, **properties: Any) -> NewEvent:
    return NewEvent(contact_id, name, clock.now(), "web", properties, dedupe_key=key)


def names() -> list[str]:
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def test_of_two_calls_with_one_id_the_first_counts() -> None:
    events = [said("A", "1"), said("B", "1"), said("C", None), said("D", "2"), said("E", None)]
    assert append_tracked(events, [None] * 5) == 4
    assert append_tracked([said("F", "2"), said("G", "3")], [None, None]) == 1
    assert names() == ["A", "C", "D", "E", "G"]
    assert claim("web", ["3", "4"]) == {"4"}
    assert claim("web", ["4"]) == set()
    assert claim("other", ["4"]) == {"4"}


def test_an_id_is_known_for_thirty_days_at_least_and_then_dropped_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC) + 700 * repeats.WINDOW  # the worst: the last instant of a period
    last = start - timedelta(seconds=1)
    repeats.ensure_periods(first=last.date(), last=start.date())
    at = last
    monkeypatch.setattr(clock, "now", lambda: at)
    assert claim("web", ["x"]) == {"x"}
    for at in (start, start + repeats.WINDOW - timedelta(seconds=2)):
        repeats.forget_periods(today=at.date())
        assert claim("web", ["x"]) == set()
    at = start + repeats.WINDOW
    assert claim("web", ["x"]) == {"x"}
    assert repeats.forget_periods(today=at.date()) >= 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('events_message_699')")
        assert cursor.fetchone() == (None,)
        cursor.execute("SELECT count(*) FROM events_message WHERE period <= 699")
        assert cursor.fetchone() == (0,)


def test_facts_are_written_as_they_are_and_visitors_are_remembered() -> None:
    at = datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
    event = NewEvent(None, "试用 ✓", at, "web", {"名": "值\n\\\t", "n": [1, 2.5, None, True]}, "k", received_at=at)
    assert append_tracked([event, said("B", None), said("C", None, None)], [b"v" * 16, None, b"w" * 16]) == 3
    first = Event.objects.order_by("id").first()
    assert first is not None
    assert (first.name, first.occurred_at, first.received_at, first.properties) == (
        event.name, at, at, event.properties,
    )  # fmt: skip
    assert tie({b"v" * 16: 7}) == 1
    assert list(Event.objects.order_by("id").values_list("contact_id", flat=True)) == [7, 1, None]


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            TEXT.filter(bool),
            st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
            st.dictionaries(TEXT, JSON, max_size=4),
            st.none() | st.integers(1, 2**62),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_copied_in_and_inserted_is_the_same(rows: list[tuple[str, datetime, dict[str, Any], int | None]]) -> None:
    Event.objects.all().delete()
    events = [NewEvent(person, name, at, "web", said, received_at=at) for name, at, said, person in rows]
    append(events)
    append_tracked(events, [None] * len(events))
    columns = ("contact_id", "name", "occurred_at", "received_at", "source", "properties")
    found = list(Event.objects.order_by("id").values_list(*columns))
    assert found[: len(rows)] == found[len(rows) :]


OLD = date(2020, 3, 1)


def months() -> set[date]:
    return {month for _, month in partitions._months()}


def add(at: datetime) -> None:
    append([NewEvent(1, "Heartbeat", at, "shop", {})])


@pytest.mark.django_db(transaction=True)
def test_months_that_retention_has_emptied_are_dropped() -> None:
    ensure_months(first=OLD, last=date(2020, 4, 30))
    ensure_months(first=clock.now().date(), last=clock.now().date())
    add(datetime(2020, 3, 5, tzinfo=UTC))
    add(datetime(2020, 4, 5, tzinfo=UTC))
    add(clock.now())
    EventPolicy.objects.update_or_create(pk=1, defaults={"keep_days": (clock.now().date() - date(2020, 4, 2)).days})
    assert forget_old(at=clock.now()) == {"*": 1}
    assert date(2020, 3, 1) not in months()
    assert {date(2020, 4, 1), clock.now().date().replace(day=1)} <= months()
    add(datetime(2020, 3, 6, tzinfo=UTC))  # late: it is kept, in the default partition
    assert Event.objects.count() == 3
    partitions.drop_emptied(before=clock.now().date())
    assert date(2020, 4, 1) in months()  # it holds a fact
    Event.objects.all().delete()
    partitions.drop_emptied(before=clock.now().date())
    assert months() & {date(2020, 3, 1), date(2020, 4, 1)} == set()


@pytest.mark.django_db(transaction=True)
def test_whoever_writes_is_not_held_up_by_a_month_that_cannot_be_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_months(first=OLD, last=OLD)
    monkeypatch.setattr(partitions, "_TRIES", 2)
    with connect(**connection_parameters()) as other:
        other.execute("SELECT count(*) FROM events_event")  # a reader whose transaction goes on
        assert partitions.drop_emptied(before=date(2021, 1, 1)) == []
        add(clock.now())
        other.rollback()
    assert partitions.drop_emptied(before=date(2021, 1, 1)) == [OLD]
    assert Event.objects.count() == 1


def test_keys_of_facts_that_are_too_old_to_be_kept_go_with_them() -> None:
    append([said("A", "old"), said("B", "new")])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_dedupe SET seen_at = now() - interval '900 days' "
            "WHERE key = (SELECT key FROM events_dedupe LIMIT 1)"
        )
        assert forget_old(at=clock.now()) == {}
        cursor.execute("SELECT count(*) FROM events_dedupe")
        assert cursor.fetchone() == (1,)

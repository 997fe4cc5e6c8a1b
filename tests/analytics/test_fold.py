"""Sums against counting by hand, in batches, repeated, concurrent and after a crash."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction

from hongyan.analytics import fold as folding
from hongyan.analytics.fold import fold, rebuild
from hongyan.analytics.models import Figure, MessageMark, Slot
from hongyan.analytics.types import Mark
from hongyan.events.models import ReaderCursor
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.analytics.factory import brute_messages, engagement

# Readers see only what is committed, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE events_event, events_dedupe")


def figures() -> dict[tuple[int, Mark, int], tuple[int, int]]:
    rows = Figure.objects.filter(origin_kind="campaign")
    return {(row.origin_id, Mark(row.mark), row.link): (row.messages, row.hits) for row in rows}


def assert_counts_match(events: list[NewEvent]) -> None:
    expected = brute_messages(events)
    assert {key: messages for key, (messages, _) in figures().items()} == {
        key: len(ids) for key, ids in expected.items()
    }
    marked: dict[tuple[int, Mark, int], set[int]] = {}
    for row in MessageMark.objects.all():
        marked.setdefault((row.origin_id, Mark(row.mark), row.link), set()).add(row.message_id)
    assert marked == {key: ids for key, ids in expected.items() if key[1] is not Mark.SENT}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sums_agree_with_counting_by_hand(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "BATCH", 97)
    events = engagement(seed)
    for start in range(0, len(events), 250):  # arrives in pieces, read in other pieces
        append(events[start : start + 250])
        fold(batches=2)
    while fold():
        pass
    assert_counts_match(events)
    before = figures()
    assert fold() == 0
    assert rebuild() == len(events)
    assert figures() == before


def test_hits_count_events_and_not_what_follows_from_them() -> None:
    events = engagement(5)
    append(events)
    fold()
    opens = Counter(
        event.properties["origin_id"]
        for event in events
        if event.name == "email_opened" and event.properties.get("machine") is None and "origin_id" in event.properties
    )
    for origin, count in opens.items():
        assert figures()[origin, Mark.OPENED_PERSON, -1][1] == count


def test_slots_add_up_to_the_figures_and_hold_first_times() -> None:
    events = engagement(6)
    append(events)
    fold()
    sums: Counter[tuple[int, Mark]] = Counter()
    for slot in Slot.objects.all():
        assert slot.starts_at.minute % 15 == 0
        sums[slot.origin_id, Mark(slot.mark)] += slot.messages
    assert sums == {(origin, mark): n for (origin, mark, link), (n, _) in figures().items() if link == -1}
    row = MessageMark.objects.filter(mark=Mark.OPENED_PERSON).first()
    assert row is not None
    times = [
        event.occurred_at
        for event in events
        if event.properties.get("message_id") == row.message_id
        and event.name in {"email_opened", "email_clicked"}
        and event.properties["machine"] is None
        and event.properties.get("origin_id")
    ]
    assert row.first_at == min(times)
    assert Slot.objects.filter(
        mark=Mark.OPENED_PERSON, starts_at__lte=row.first_at, starts_at__gt=row.first_at - timedelta(minutes=15)
    ).exists()


def test_two_folders_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "BATCH", 50)
    events = engagement(7)
    append(events)
    errors: list[Exception] = []

    def work() -> None:
        try:
            while fold(batches=1):
                pass
        except Exception as error:  # noqa: BLE001  # handed to the main thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while fold():
        pass
    assert not errors
    assert_counts_match(events)


def test_a_crash_between_sums_and_cursor_loses_both(monkeypatch: pytest.MonkeyPatch) -> None:
    events = engagement(8)
    append(events)
    with monkeypatch.context() as broken:

        def fail(self: ReaderCursor) -> None:
            raise RuntimeError("the worker died here")

        broken.setattr(ReaderCursor, "save", fail)
        ReaderCursor.objects.bulk_create([ReaderCursor(name=folding.READER)], ignore_conflicts=True)
        ReaderCursor.objects.filter(name=folding.READER).update(tx=0, event_id=0)
        with pytest.raises(RuntimeError):
            fold()
    assert Figure.objects.count() == 0
    fold()
    assert_counts_match(events)


def test_a_slow_writer_is_waited_for() -> None:
    first, second = engagement(9, messages=4, events=3), engagement(10, messages=4, events=3)
    began, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            append(first)
            began.set()
            go_on.wait(10)
        connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    assert began.wait(10)
    append(second)
    assert fold() == 0  # what was committed later waits for what began earlier
    go_on.set()
    writer.join()
    assert fold() == len(first) + len(second)


def test_an_erased_person_stays_counted_as_a_hit() -> None:
    append(
        [
            NewEvent(
                None, "email_opened", engagement(1)[0].occurred_at, "edge", {"origin_kind": "campaign", "origin_id": 9}
            )
        ]
    )
    fold()
    assert figures()[9, Mark.OPENED_PERSON, -1] == (0, 1)


def test_broken_properties_are_skipped() -> None:
    at = engagement(1)[0].occurred_at
    broken: list[dict[str, object]] = [
        {"origin_kind": "campaign", "origin_id": "x", "message_id": 1},
        {"origin_kind": "campaign", "origin_id": None},
        {"origin_kind": "campaign", "origin_id": 3, "message_id": "abc", "link": "no"},
    ]
    append([NewEvent(1, "email_clicked", at, "edge", properties) for properties in broken])
    assert fold() == 3
    assert set(figures()) == {
        (3, mark, -1)
        for mark in (
            Mark.CLICKED_PERSON, Mark.CLICKED_ANY, Mark.OPENED_PERSON, Mark.OPENED_NOT_MACHINE, Mark.OPENED_ANY
        )
    }  # fmt: skip

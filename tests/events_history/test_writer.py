import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import psycopg
import pyarrow.fs as pafs
import pytest
from django.db import connection, connections
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from hongyan.core import clock
from hongyan.events import ownership, partitions, privacy
from hongyan.events.history import turns, writer
from hongyan.events.history.errors import BadPlace, Stopped, Superseded
from hongyan.events.history.manifest import Change, forget_everything, publish, state
from hongyan.events.history.plan import ask_for
from hongyan.events.history.refresh import refresh_cells, refresh_people
from hongyan.events.history.selectors import status
from hongyan.events.history.snapshot import snapshot
from hongyan.events.history.store import Store, open_store
from hongyan.events.history.sweeping import sweep_retired, sweep_unknown
from hongyan.events.history.verify import verify
from hongyan.events.models import EventPolicy, EventProperty, HistoryFile, HistoryName, HistoryStale
from hongyan.events.retention import forget_old
from hongyan.events.types import NewEvent
from tests.events_history.factory import forget_all, happened, plan, reading, record, same

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = ["total", "code"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    plan("order_completed", {"total": "number", "code": "text"})
    return Store(pafs.LocalFileSystem(), str(tmp_path))


@pytest.fixture
def pen() -> Iterator[psycopg.Connection[Any]]:
    with writer.writing() as found:
        assert found is not None
        yield found


def check(store: Store, pen: psycopg.Connection[Any]) -> None:
    with reading() as asked:
        assert same(asked, store, KEYS)
    assert verify(pen, store).faults == []


@pytest.mark.parametrize("built", [False, True])
def test_stopped_in_the_middle_of_reading(
    store: Store, pen: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, *, built: bool
) -> None:
    """Half of the answer is still to come: the connection must not wait for itself."""
    if built:
        record(happened(1, total=1))
        writer.build(pen, store)
    record(*(happened(contact_id, total=2) for contact_id in range(1, 10)))
    monkeypatch.setattr(writer, "PORTION", 2)
    with pytest.raises(Stopped):
        (writer.catch_up if built else writer.build)(pen, store, stop=lambda: True)
    assert writer.build(pen, store) > 0
    check(store, pen)


def test_one_writer_at_a_time(pen: psycopg.Connection[Any]) -> None:
    del pen
    with writer.writing() as other:
        assert other is None


def test_facts_come_into_files_and_small_files_are_joined(store: Store, pen: psycopg.Connection[Any]) -> None:
    record(happened(1, total=1), happened(2, total=2.5, code="A"))
    assert writer.build(pen, store) == 2
    for hour in range(6):
        record(happened(1, hours=hour, total=hour), happened(3, hours=hour * 24))
        writer.catch_up(pen, store)
        check(store, pen)
    assert snapshot(pen).tail.num_rows == 0
    counting = HistoryFile.objects.filter(retired_at=None)
    assert sum(file.events for file in counting) == 14
    assert counting.count() == 2  # a month each
    assert sweep_retired(pen, store, keep_s=0) > 5
    assert {file.path for file in store.files()} == set(HistoryFile.objects.values_list("path", flat=True))


def test_a_slow_transaction_is_not_passed_by(store: Store, pen: psycopg.Connection[Any]) -> None:
    record(happened(1))
    writer.build(pen, store)
    slow = connections.create_connection("default")
    try:
        with slow.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "INSERT INTO events_event (contact_id, name, occurred_at, source) "
                "VALUES (9, 'order_completed', now(), 'x')"
            )
            record(happened(2))
            writer.catch_up(pen, store)
            check(store, pen)
            cursor.execute("COMMIT")
        check(store, pen)
        writer.catch_up(pen, store)
        assert snapshot(pen).tail.num_rows == 0
        check(store, pen)
    finally:
        slow.close()


class TestChanges:
    def test_merge_undoing_and_erasure_leave_the_files(self, store: Store, pen: psycopg.Connection[Any]) -> None:
        record(happened(1, code="mine"), happened(2, hours=100), happened(3))
        writer.build(pen, store)
        ids = ownership.hand_over([(1, 2)])[1]
        check(store, pen)
        ownership.hand_back(ids, contact_id=2, to=1)
        privacy.erase(contact_id=1)
        check(store, pen)
        assert refresh_people(pen, store) == 2
        assert not HistoryStale.objects.exists()
        check(store, pen)
        with reading() as asked:
            seen = snapshot(asked)
        assert not len(seen.stale)
        assert 1 not in {pk for file in seen.files for pk in store.read(file.path)["contact_id"].to_pylist()}
        sweep_retired(pen, store, keep_s=0)
        assert all(b"mine" not in Path(store.local(file.path)).read_bytes() for file in store.files())

    def test_much_deleted_writes_the_cell_anew(self, store: Store, pen: psycopg.Connection[Any]) -> None:
        record(*(happened(pk) for pk in range(1, 700)))
        writer.build(pen, store)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM events_event WHERE contact_id < 650")
        with reading() as asked:
            assert snapshot(asked).tail.num_rows == 50
        check(store, pen)
        assert refresh_cells(pen, store) == 1
        with reading() as asked:
            assert snapshot(asked).tail.num_rows == 0
        check(store, pen)

    def test_thrown_away_while_writing(self, store: Store, pen: psycopg.Connection[Any]) -> None:
        record(happened(1))
        writer.build(pen, store)
        seen = state(pen)
        forget_everything(pen)
        with pytest.raises(Superseded):
            publish(pen, seen, Change(tx=1))
        check(store, pen)
        with reading() as asked:
            assert not snapshot(asked).files


class TestProperties:
    def test_what_the_plan_seals_is_never_in_a_file(self, store: Store, pen: psycopg.Connection[Any]) -> None:
        plan("order_completed", {"coupon": "text", "email": "text"})
        EventProperty.objects.filter(key="coupon").update(handling="seal")
        record(happened(1, coupon="secret-1", email="secret-2", note="plain"))
        writer.build(pen, store)
        assert ask_for("order_completed", ["email", "coupon", "note"]) == 1
        refresh_cells(pen, store)
        file = HistoryFile.objects.get(retired_at=None)
        assert set(file.properties) == {"total", "code", "note"}
        assert b"secret" not in Path(store.local(file.path)).read_bytes()

    def test_what_is_sealed_later_is_hidden_at_once_and_leaves(
        self, store: Store, pen: psycopg.Connection[Any]
    ) -> None:
        record(happened(1, code="open"))
        writer.build(pen, store)
        EventProperty.objects.filter(key="code").update(handling="drop")
        with reading() as asked:
            assert set(snapshot(asked).files[0].properties) == {"total"}
        assert refresh_cells(pen, store) == 1
        assert set(HistoryFile.objects.get(retired_at=None).properties) == {"total"}

    def test_numbers_stay_exact(self, store: Store, pen: psycopg.Connection[Any]) -> None:
        record(happened(1, total=0.1), happened(2))
        with connection.cursor() as cursor:
            cursor.execute("UPDATE events_event SET properties = '{\"total\": 1e300}' WHERE contact_id = 2")
        writer.build(pen, store)
        with reading() as asked:
            seen = snapshot(asked, keys=["total"])
        assert seen.stale.to_pylist() == [2]  # the whole person is PostgreSQL's to answer
        assert [str(value) for value in store.read(seen.files[0].path)["n:total"].to_pylist()[0]] == ["0.1"]
        assert seen.tail_of("order_completed", ["total"]).odd == (2,)


def test_too_many_names_are_left_to_rows(
    store: Store, pen: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_NAMES", 2)
    record(*(happened(1, f"name {number}") for number in range(5)))
    writer.build(pen, store)
    assert HistoryName.objects.count() == 2
    check(store, pen)
    monkeypatch.setattr(writer, "MOST_NAMES", 9)  # room comes too late for those that already have facts outside
    record(*(happened(2, f"name {number}") for number in range(6)))
    writer.catch_up(pen, store)
    assert HistoryName.objects.count() == 3
    check(store, pen)
    with reading() as asked:
        assert snapshot(asked, names=["name 5"]).tail.num_rows == 0


def test_damage_is_found(store: Store, pen: psycopg.Connection[Any]) -> None:
    record(happened(1, total=1), happened(2, "page_viewed"))
    writer.build(pen, store)
    first, second = HistoryFile.objects.order_by("name")
    Path(store.local(first.path)).write_bytes(b"x")
    Path(store.local(second.path)).unlink()
    assert {fault.code for fault in verify(pen, store).faults} == {"file_changed", "file_missing"}
    writer.build(pen, store)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER events_history_changed")
        cursor.execute("UPDATE events_event SET properties = '{\"total\": 2}' WHERE contact_id = 1")
        cursor.execute("UPDATE events_event SET contact_id = 8 WHERE contact_id = 2")
        cursor.execute("ALTER TABLE events_event ENABLE TRIGGER events_history_changed")
    assert {fault.code for fault in verify(pen, store).faults} == {"property_differs", "events_differ"}


def test_a_month_that_retention_dropped(
    store: Store, pen: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    EventPolicy.objects.update_or_create(pk=1, defaults={"keep_days": 3650})
    monkeypatch.setattr(partitions, "_TRIES", 1)
    old, other = date(2010, 9, 1), date(2011, 3, 1)
    for month in (old, other):
        partitions.ensure_months(first=month, last=month)
    long_ago = NewEvent(1, "order_completed", datetime(2010, 9, 5, tzinfo=UTC), "test", {"total": 3})
    record(long_ago, happened(1, total=1), happened(2))
    writer.build(pen, store)
    refused: list[date] = []
    tried = verify(pen, store, progress=lambda *_: refused.extend(partitions.drop_emptied(before=date(2012, 1, 1))))
    assert (tried.faults, refused) == ([], [])  # not while somebody compares
    forget_old(at=clock.now())
    assert {month for _, month in partitions._months()}.isdisjoint({old, other})
    check(store, pen)  # the month is still in files
    refresh_people(pen, store)
    refresh_cells(pen, store)
    check(store, pen)
    assert not HistoryFile.objects.filter(retired_at=None, month=old).exists()
    record(long_ago)  # late: it lies among what has no month
    writer.catch_up(pen, store)
    check(store, pen)
    assert HistoryFile.objects.filter(retired_at=None, month=old).count() == 1


def test_the_lane_builds_catches_up_and_tells_its_lag(settings: Settings, tmp_path: Path) -> None:
    settings.HONGYAN_HISTORY_URL = str(tmp_path)
    assert turns.turn() == turns.Turn()
    record(happened(1))
    first = turns.turn()
    assert first is not None
    assert first.built
    record(happened(2))
    assert status().waiting == 1
    waits = turns.turn()  # one fact, just arrived: not worth a file yet
    assert waits is not None
    assert waits.wrote == 0
    done = turns.turn(lag_s=0)
    assert done is not None
    assert (done.wrote, done.lag_s) == (1, 0.0)
    shown = status()
    assert (shown.built, shown.events, shown.waiting, shown.place) == (True, 2, 0, f"{tmp_path}/events")


def test_killed_at_any_moment(store: Store) -> None:
    chance = random.Random(7)
    record(*(happened(pk % 7 + 1, hours=pk, total=pk) for pk in range(40)))
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            _write_until_killed(store)
        for _ in range(chance.randint(1, 5)):
            record(happened(chance.randint(1, 7), hours=chance.randint(0, 100), total=chance.random()))
            if chance.random() < 0.3:
                ownership.hand_over([(chance.randint(1, 7), chance.randint(1, 7))])
            with reading() as asked:
                assert same(asked, store, KEYS)
            time.sleep(chance.random() * 0.1)  # the moment of death is what is drawn
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with reading() as asked:
            assert same(asked, store, KEYS)
    with _pen_after_death() as pen:
        assert verify(pen, store).faults == []
        writer.catch_up(pen, store) if state(pen).tx else writer.build(pen, store)
        sweep_retired(pen, store, keep_s=0)
        sweep_unknown(pen, store, keep=timedelta(0))
        assert {file.path for file in store.files()} == set(HistoryFile.objects.values_list("path", flat=True))
        check(store, pen)


def _write_until_killed(store: Store) -> None:
    """In the child: the parent's connection is left alone, neither used nor closed."""
    kept, connection.connection = connection.connection, None
    try:
        while kept is not None:
            with writer.writing() as pen:
                if pen is None:
                    continue
                writer.build(pen, store)
                for _ in range(5):
                    writer.catch_up(pen, store)
                    refresh_people(pen, store)
                    writer.compact(pen, store)
                    sweep_unknown(pen, store)
    finally:
        os._exit(1)


class _pen_after_death:  # noqa: N801  used as a function
    """The lock goes when the server has noticed that its client is gone."""

    def __enter__(self) -> psycopg.Connection[Any]:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            self._held = writer.writing()
            found = self._held.__enter__()
            if found is not None:
                return found
            self._held.__exit__(None, None, None)
        raise AssertionError("the lock is still held")

    def __exit__(self, *_: object) -> None:
        self._held.__exit__(None, None, None)


@pytest.fixture
def bucket(settings: Settings) -> Iterator[None]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )
    client.create_bucket(Bucket="history")
    settings.HONGYAN_HISTORY_URL = f"s3://history/here?region=us-east-1&endpoint={url}"
    settings.HONGYAN_HISTORY_S3_KEY, settings.HONGYAN_HISTORY_S3_SECRET = "k", "s"
    yield
    server.stop()


@pytest.mark.usefixtures("bucket")
def test_in_a_bucket(pen: psycopg.Connection[Any]) -> None:
    store = open_store()
    forget_all(store)
    plan("order_completed", {"total": "number", "code": "text"})
    store.probe()
    assert store.place == "s3://history/here/events"
    record(happened(1, code="上海"), happened(2, hours=100))
    writer.build(pen, store)
    check(store, pen)
    assert store.url(HistoryFile.objects.first().path).startswith("s3://history/here/events/2026-")  # type: ignore[union-attr]
    ownership.hand_over([(1, 2)])
    record(happened(3))
    writer.catch_up(pen, store)
    refresh_people(pen, store)
    check(store, pen)
    sweep_retired(pen, store, keep_s=0)
    assert {file.path for file in store.files()} == set(HistoryFile.objects.values_list("path", flat=True))
    assert all(Path(store.local(file.path)).exists() for file in store.files())


def test_a_bad_place_is_refused(settings: Settings) -> None:
    settings.HONGYAN_HISTORY_URL = "ftp://somewhere"
    with pytest.raises(BadPlace):
        open_store()

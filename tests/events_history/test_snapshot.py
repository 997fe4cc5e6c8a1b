from collections.abc import Sequence

import pytest
from django.db import connection

from hongyan.events import ownership, privacy
from hongyan.events.history.snapshot import snapshot
from hongyan.events.models import HistoryStale
from tests.events_history.factory import START, happened, reading, record

pytestmark = pytest.mark.django_db(transaction=True)


def stale() -> Sequence[int]:
    return sorted({pk for row in HistoryStale.objects.all() for pk in row.contact_ids or ()})


def test_without_files_the_tail_is_everything() -> None:
    record(happened(7, total=12.5, code="A\tB\\C\n"), happened(8, "页面\t看过", hours=100), happened(None))
    with reading() as asked:
        found = snapshot(asked, keys=["total", "code"])
    assert found.tx == 0
    assert not found.files
    rows = sorted(found.tail.to_pylist(), key=lambda row: row["contact_id"])
    assert [(row["contact_id"], row["name"]) for row in rows] == [(7, "order_completed"), (8, "页面\t看过")]
    assert rows[0]["at_us"] == int(START.timestamp() * 1_000_000)
    assert (rows[0]["v:total"], rows[0]["v:code"], rows[1]["v:total"]) == ("12.5", '"A\\tB\\\\C\\n"', None)
    grouped = found.tail_of("order_completed", ["code"])
    assert grouped.rows["s:code"].to_pylist() == [["A\tB\\C\n"]]


def test_names_limit_the_tail() -> None:
    record(happened(7), happened(7, "page_viewed"))
    with reading() as asked:
        assert snapshot(asked, names=["page_viewed"]).tail["name"].to_pylist() == ["page_viewed"]
        assert snapshot(asked, names=[]).tail.num_rows == 0


class TestChangesAreNoted:
    def test_merge_and_its_undoing(self) -> None:
        record(happened(1), happened(2))
        ids = ownership.hand_over([(1, 2)])[1]
        assert stale() == [1, 2]
        HistoryStale.objects.all().delete()
        ownership.hand_back(ids, contact_id=2, to=1)
        assert stale() == [1, 2]

    def test_erasure(self) -> None:
        record(happened(1), happened(2))
        privacy.erase(contact_id=1)
        assert stale() == [1]

    def test_appending_is_not_a_change(self) -> None:
        record(happened(1))
        assert not HistoryStale.objects.exists()

    def test_deleting_few_people_names_them(self) -> None:
        record(happened(1), happened(2), happened(None))
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM events_event WHERE contact_id = 1 OR contact_id IS NULL")
        assert stale() == [1]

    def test_deleting_many_people_names_the_cell(self) -> None:
        record(*(happened(pk) for pk in range(1, 602)))
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM events_event WHERE contact_id < 601")
        row = HistoryStale.objects.get()
        assert (row.contact_ids, row.name, str(row.month)) == (None, "order_completed", "2026-09-01")

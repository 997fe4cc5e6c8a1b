"""Facts that retention deletes: who was in by them alone goes, and whoever is not concerned is not looked at."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from hongyan.audience.membership.lane import Lane, settle
from hongyan.audience.models import MemberMove
from hongyan.contacts.models import Contact
from hongyan.contacts.touched import Cursor, Kind, touched_after
from hongyan.core import clock
from hongyan.events.history.store import open_store
from hongyan.events.history.turns import turn
from hongyan.events.history.verify import verify
from hongyan.events.retention import forget_old
from hongyan.events.services import append
from hongyan.events.tracking_plan import policy
from hongyan.events.types import NewEvent
from tests.membership.factory import NOW, audience, check_all, happen, members

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(days=365 * 5)


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, settings: LazySettings) -> None:
    settings.HONGYAN_HISTORY_URL = str(tmp_path / "history")


def keep(days: int) -> None:
    rule = policy()
    rule.keep_days = days
    rule.save()


def test_who_was_in_by_what_is_deleted_goes() -> None:
    with clock.freeze(NOW):
        old, both = Contact.objects.create(), Contact.objects.create()
        for one in (old, both):
            happen(one.pk, "order_completed", NOW - LONG_AGO, total=10)
        happen(both.pk, "order_completed", total=5)
        ever = audience("ever", {"event": "order_completed"})
        never = audience("never", {"not": {"event": "order_completed"}})
        value = {"measure": "sum", "property": "total", "op": ">=", "value": 15}
        spent = audience("spent", {"event": "order_completed", **value})
        lately = audience("lately", {"event": "order_completed", "within_days": 90})
        lane = settle()
        assert (members(ever), members(never), members(spent)) == ({old.pk, both.pk}, set(), {both.pk})
        keep(365 * 3)
        assert forget_old(at=clock.now()) == {"*": 2}
        done = lane.turn()
        assert (done.came, done.gone, done.looked) == (1, 2, 6)  # nobody was asked about what is lately
        settle(lane)
        check_all()
        assert (members(ever), members(never), members(spent)) == ({both.pk}, {old.pk}, set())
        assert members(lately) == {both.pk}
        causes = set(MemberMove.objects.values_list("audience_id", "contact_id", "kind", "cause"))
        assert causes == {
            (ever.pk, old.pk, "change", "forgotten"),
            (never.pk, old.pk, "change", "forgotten"),
            (spent.pk, both.pk, "change", "forgotten"),
        }


def test_what_is_deleted_just_after_it_left_the_window_has_left() -> None:
    """Nobody can see it leave any more, but somebody sees it deleted."""
    with clock.freeze(NOW):
        person = Contact.objects.create()
        happen(person.pk, "order_completed", NOW - timedelta(days=30) + timedelta(minutes=1))
        lately = audience("lately", {"event": "order_completed", "within_days": 30})
        lane = settle()
        assert members(lately) == {person.pk}
    with clock.freeze(NOW + timedelta(minutes=2)):
        keep(30)
        forget_old(at=clock.now())
    with clock.freeze(NOW + timedelta(days=2)):
        lane.turn()
        assert members(lately) == set()


def test_after_a_great_deletion_history_and_members_are_right() -> None:
    with clock.freeze(NOW):
        people = [one.pk for one in Contact.objects.bulk_create([Contact() for _ in range(700)])]
        append(
            [
                NewEvent(pk, "page_viewed", NOW - LONG_AGO + timedelta(hours=pk % 9), "test", {"path": f"/{pk}"})
                for pk in people
            ]
            + [NewEvent(pk, "page_viewed", NOW - timedelta(days=pk % 50), "test") for pk in people[::3]]
        )
        audience("ever", {"event": "page_viewed"})
        audience("twice", {"event": "page_viewed", "op": ">=", "count": 2})
        audience("before", {"event": "page_viewed", "to": "2025-01-01"})
        turn(lag_s=0)
        lane = settle()
        check_all()
        keep(365)
        assert forget_old(at=clock.now()) == {"*": 700}
        assert verified() == []  # whatever the files still hold does not count
        settle(lane)
        check_all()
        settle(Lane())
        check_all()
        for _ in range(3):
            turn(lag_s=0)
        assert verified() == []


def verified() -> list[object]:
    return list(verify(connection.connection, open_store()).faults)


def test_a_deletion_says_whose_what_and_until_when() -> None:
    with clock.freeze(NOW):
        _, start = touched_after(Cursor(), limit=10_000)
        happen(7, "a", NOW - timedelta(days=900))
        happen(7, "b", NOW - timedelta(days=800))
        happen(8, "b", NOW - timedelta(days=700))
        append([NewEvent(None, "b", NOW - timedelta(days=600), "test")])
        assert touched_after(start)[0] == []  # what comes is no touch
        keep(365)
        forget_old(at=clock.now())
        row = touched_after(start)[0][0]
        assert (row.kind, set(row.contact_ids), set(row.names)) == (Kind.FORGOTTEN, {7, 8}, {"a", "b"})
        assert row.until == NOW - timedelta(days=700)

"""Where the lane looks for what somebody did long ago: never in too few months, whoever became whom meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.audience import rows
from hongyan.audience.membership.lane import Lane, settle
from hongyan.audience.membership.months import Months
from hongyan.core import clock
from hongyan.identity.merging import merge, unmerge
from hongyan.identity.types import MergeReason
from tests.audience.factory import people
from tests.membership.factory import NOW, SYSTEM, audience, check_all, happen, members

TWICE = {"event": "order_completed", "op": ">=", "count": 2}
CONTACTS = st.integers(1, 9)
TIMES = st.datetimes(datetime(1960, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  given a zone


def covers(months: Months, contact: int, at: datetime) -> bool:
    return any(_time(low) <= at < _time(high) for _, low, high in months.spans([contact]))


def _time(text: str) -> datetime:
    ends = {"-infinity": datetime(1, 1, 1, tzinfo=UTC), "infinity": datetime(9999, 1, 1, tzinfo=UTC)}
    return ends.get(text) or datetime.fromisoformat(text)


@given(st.lists(st.tuples(CONTACTS, TIMES) | st.tuples(CONTACTS, CONTACTS), max_size=30))
def test_everything_noted_is_looked_at_also_by_whoever_was_joined(acts: list[tuple[int, Any]]) -> None:
    months = Months(frozenset({"order_completed"}), now=NOW)
    did: dict[int, set[datetime]] = {}
    for contact, what in acts:
        if isinstance(what, int):
            months.join(contact, what)
            did[contact] = did[what] = did.get(contact, set()) | did.get(what, set())
        else:
            months.note(contact, what)
            did[contact] = did.get(contact, set()) | {what}
    for contact in range(1, 12):
        assert all(covers(months, contact, at) for at in did.get(contact, ()))
        assert bool(months.spans([contact])) == bool(did.get(contact))


def test_runs_of_months_are_one_place_to_look_and_nothing_else_is() -> None:
    months = Months(frozenset({"order_completed"}), now=NOW)
    for at in ("2026-03-31T23:59:59+00:00", "2026-04-01T00:00:00+00:00", "2026-07-09T00:00:00+08:00"):
        months.note(7, datetime.fromisoformat(at))
    march, july = ("2026-03-01 00:00+00", "2026-05-01 00:00+00"), ("2026-07-01 00:00+00", "2026-08-01 00:00+00")
    assert months.spans([6, 7, 8_000_000]) == [(7, *march), (7, *july)]


@pytest.mark.django_db
def test_what_is_in_the_log_is_read() -> None:
    one, two, three = people(3)
    long_ago, lately = NOW - timedelta(days=4_000), NOW - timedelta(days=40)
    happen(one.pk, "order_completed", long_ago)
    happen(one.pk, "order_completed", lately)
    happen(two.pk, "page_viewed", lately)
    months = Months(frozenset({"order_completed", "order_refunded"}), now=NOW)
    months.read()
    assert months.whole
    assert covers(months, one.pk, long_ago)
    assert covers(months, one.pk, lately)
    assert not months.spans([two.pk, three.pk])


@pytest.mark.django_db
def test_who_is_joined_between_reading_a_month_and_setting_it_has_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = people(2)
    happen(one.pk, "order_completed", NOW)
    months, asked = Months(frozenset({"order_completed"}), now=NOW), rows.query

    def query(text: str, params: Any) -> Any:
        found = asked(text, params)
        if found[0][0]:
            months.join(two.pk, one.pk)  # the lane passes the merge while the month is on its way
        return found

    monkeypatch.setattr(rows, "query", query)
    months.read()
    assert covers(months, two.pk, NOW)


@pytest.mark.django_db(transaction=True)
def test_what_comes_late_and_who_becomes_one_is_found_by_the_months() -> None:
    with clock.freeze(NOW):
        one, two, three = people(3)
        made = audience("Twice", TWICE)
        happen(one.pk, "order_completed", NOW - timedelta(days=500))
        lane = settle()
        assert lane.months is not None
        assert lane.months.whole
        assert lane.months.names == {"order_completed"}
        happen(one.pk, "order_completed", NOW - timedelta(days=800))  # an import of old orders
        happen(two.pk, "order_completed", NOW - timedelta(days=200))
        happen(three.pk, "order_completed", NOW)
        settle(lane)
        assert members(made) == {one.pk}
        done = merge(actor=SYSTEM, survivor_id=three.pk, loser_id=two.pk, reason=MergeReason.MANUAL)
        settle(lane)
        assert members(made) == {one.pk, three.pk}
        unmerge(actor=SYSTEM, merge_id=done.pk)
        happen(two.pk, "order_completed")
        settle(lane)
        assert members(made) == {one.pk, two.pk}
        check_all()


@pytest.mark.django_db
def test_what_is_known_already_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = people(2)
    happen(one.pk, "order_completed", NOW)
    happen(two.pk, "page_viewed", NOW)
    months = Months(frozenset({"order_completed"}), now=NOW)
    months.read()
    asked, names = rows.query, set[str]()

    def query(text: str, params: Any) -> Any:
        names.add(params["names"])
        return asked(text, params)

    monkeypatch.setattr(rows, "query", query)
    months.ask(frozenset({"order_completed", "page_viewed"}))
    assert not months.whole
    months.read()
    assert names == {'{"page_viewed"}'}
    assert all(covers(months, contact.pk, NOW) for contact in (one, two))
    months.ask(frozenset({"page_viewed"}))
    assert months.whole
    assert covers(months, two.pk, NOW)


@pytest.mark.django_db
def test_asked_about_others_while_it_reads_it_is_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    months, asked = Months(frozenset({"order_completed"}), now=NOW), rows.query

    def query(text: str, params: Any) -> Any:
        months.ask(frozenset({"order_completed", "page_viewed"}))
        return asked(text, params)

    monkeypatch.setattr(rows, "query", query)
    months.read()
    assert not months.whole
    months.read()
    assert months.whole


@pytest.mark.django_db(transaction=True)
def test_only_what_counts_for_long_is_kept_and_another_audience_may_need_more() -> None:
    with clock.freeze(NOW):
        (one,) = people(1)
        audience("Lately", {"event": "page_viewed", "within_days": 30})
        lane = settle(Lane())
        assert lane.months is not None
        assert not lane.months.names
        happen(one.pk, "order_completed", NOW - timedelta(days=300))
        settle(lane)
        made = audience("Twice in a year", {**TWICE, "within_days": 365})
        settle(lane)
        assert lane.months.names == {"order_completed"}
        happen(one.pk, "order_completed")
        settle(lane)
        assert members(made) == {one.pk}

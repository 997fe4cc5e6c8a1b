"""Times that stand in properties of events let people in and out when they come and go by, to the minute."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hongyan.audience.compiler.emit import emit_among
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.compiler.text import read
from hongyan.audience.membership.lane import settle
from hongyan.audience.membership.statement import among
from hongyan.core import clock
from tests.audience.catalogue import small_catalogue
from tests.audience.factory import people
from tests.membership.factory import NOW, audience, check_all, happen, members


@pytest.mark.django_db(transaction=True)
def test_what_stands_in_properties_turns_by_time_alone() -> None:
    """NOW is noon in Shanghai."""
    with clock.freeze(NOW):
        instant, clock_time, day, listed, never = (one.pk for one in people(5))
        soon = audience(
            "soon", read('did("order_completed", where arrives in next 3d or rooms[].free in next 3d)').tree
        )
        just = audience("just", read('last("order_completed", arrives) in last 1d').tree)
        lane = settle()
        happen(instant, "order_completed", arrives="2026-11-26T12:00:00+08:00")  # four days from now
        happen(clock_time, "order_completed", arrives="2026-11-26 12:00")
        happen(day, "order_completed", arrives="2026-11-26")
        happen(listed, "order_completed", rooms=[{"free": 5}, {"free": "2026-11-26T04:00:00Z"}])
        happen(never, "order_completed", arrives="2026-11-31")
        lane.turn()
        assert (members(soon), members(just)) == (set(), set())
    at_noon = {instant, clock_time, listed}
    tick = timedelta(microseconds=1)
    for at, coming, been in (
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), set(), set()),
        (datetime(2026, 11, 22, 16, tzinfo=UTC), {day}, set()),  # midnight: from the 23rd on it is within three days
        (NOW + timedelta(days=1) - tick, {day}, set()),
        (NOW + timedelta(days=1), {day, *at_noon}, set()),
        (datetime(2026, 11, 25, 16, tzinfo=UTC), {day, *at_noon}, {day}),
        (NOW + timedelta(days=4), {day, *at_noon}, {day, instant, clock_time}),
        (NOW + timedelta(days=4) + tick, {day}, {day, instant, clock_time}),
        (datetime(2026, 11, 26, 16, tzinfo=UTC), set(), {day, instant, clock_time}),
        (NOW + timedelta(days=5) + tick, set(), {day}),
        (datetime(2026, 11, 27, 16, tzinfo=UTC), set(), set()),
    ):
        with clock.freeze(at):
            lane.turn()
            assert (members(soon), members(just)) == (coming, been), at
            assert lane.turn().looked == 0  # nobody is asked before a next moment
            check_all()


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])
def test_the_statement_made_once_follows_the_clock(zone: str) -> None:
    catalogue = small_catalogue(zone=ZoneInfo(zone))
    text = (
        'did("email_opened", where x in last 2d or x in next 9d or x between 2026-03-07 and 2026-03-09) to 2026-11-01'
    )
    node = rewrite(parse(read(text).tree), catalogue)
    made = among(node, catalogue, prefix="w1_")
    for now in (
        datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 3, 6, 30, tzinfo=UTC),
    ):
        wanted = emit_among(node, catalogue, now=now, contact_ids=()).params
        got: dict[str, Any] = made.params(now)
        assert got == {f"w1_{name}": value for name, value in wanted.items() if name != "ids"}

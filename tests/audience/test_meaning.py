"""What segments mean, told by examples: each as text, and what must be so of one person. No database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hongyan.audience.compiler.check import check
from hongyan.audience.compiler.evaluate import Facts, Happened, Thing, evaluate
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.text import read
from tests.audience.catalogue import small_catalogue
from tests.audience.factory import NOW

OPENED, ORDERED = "email_opened", "order_completed"


def holds(text: str, events: Sequence[Happened] = (), *, zone: str = "UTC", now: datetime = NOW, **facts: Any) -> bool:
    catalogue = small_catalogue(zone=ZoneInfo(zone))
    node = parse(read(text).tree)
    assert check(node, catalogue) == []
    numbered = tuple(Happened(event.name, event.at, event.properties, place) for place, event in enumerate(events))
    return evaluate(node, Facts(events=numbered, **facts), catalogue, now=now)


def ago(name: str, *, days: float = 0, hours: float = 0, tick: int = 0, **properties: Any) -> Happened:
    return Happened(name, NOW - timedelta(days=days, hours=hours) + timedelta(microseconds=tick), properties)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('sum("order_completed", total) = 0.3', True),  # a tenth and two tenths, exactly
        ('sum("order_completed", total) = 0', False),
        ('sum("email_opened", total) = 0', True),  # nothing adds up to 0 …
        ('sum("email_opened", total) < 5', True),
        ('sum("email_opened", total) != 0', False),
        ('min("email_opened", total) < 5', False),  # … and has no smallest value
        ('min("email_opened", total) is not set', True),
        ('min("email_opened", total) != 5', True),
        ('min("order_completed", total) = 0.1', True),
        ('max("order_completed", total) = 0.2', True),  # "9" is a text and true is no number
        ('average("order_completed", total) = 0.15', True),
        ('average("order_completed", total) in (1, 0.15)', True),
        ('average("order_completed", total) between 0.15 and 0.2', True),
        ('first("order_completed", total) = 0.1', True),
        ('last("order_completed", total) = true', True),  # of the latest in which it is set, of whatever kind
        ('last("order_completed", total) = 0.2', False),
        ('last("order_completed", total, where total > 0) = 0.2', True),
        ('last("order_completed", coupon) is set', False),  # an empty text is none
        ('last_at("order_completed") in last 1d', True),
        ('first_at("order_completed") in last 1d', False),
        ('first_at("order_completed") in last 5d', True),
        ('last_at("email_opened") is not set', True),
    ],
)
def test_measures(*, text: str, answer: bool) -> None:
    orders = [
        ago(ORDERED, days=1, total=True),
        ago(ORDERED, days=5, total=0.1),
        ago(ORDERED, days=4, total=0.2),
        ago(ORDERED, days=3, total="9"),
        ago(ORDERED, hours=5, coupon=""),
        ago(ORDERED, hours=-5, total=1000),  # a clock that ran ahead
    ]
    assert holds(text, orders) is answer


def test_at_one_instant_what_was_recorded_first_is_the_earlier() -> None:
    both = [ago(OPENED, days=1, x="a"), ago(OPENED, days=1, x="b")]
    assert holds('first("email_opened", x) = "a" and last("email_opened", x) = "b"', both)
    assert not holds('did("email_opened", where x = "a") then did("email_opened", where x = "b")', both)


@pytest.mark.parametrize(
    ("text", "days", "tick", "answer"),
    [
        ('did("email_opened") in 24h', 1, 0, True),
        ('did("email_opened") in 24h', 1, -1, False),
        ('did("email_opened") between 60d and 30d ago', 60, 0, True),
        ('did("email_opened") between 60d and 30d ago', 60, -1, False),
        ('did("email_opened") between 60d and 30d ago', 30, -1, True),
        ('did("email_opened") between 60d and 30d ago', 30, 0, False),  # that instant is of the last 30 days
        ('did("email_opened") between 30d and 0d ago', 30, 0, True),
        ('did("email_opened") between 30d and 0d ago', 0, 0, True),
        ('did("email_opened") between 30d and 0d ago', 0, 1, False),
    ],
)
def test_windows_end_at_the_very_instant(*, text: str, days: int, tick: int, answer: bool) -> None:
    assert holds(text, [ago(OPENED, days=days, tick=tick)]) is answer


@pytest.mark.parametrize(
    ("instant", "on"),
    [
        (datetime(2026, 3, 8, 5, tzinfo=UTC), True),  # midnight, still winter time
        (datetime(2026, 3, 9, 3, 59, tzinfo=UTC), True),  # 23 hours later the day is over
        (datetime(2026, 3, 9, 4, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 8, 4, 59, tzinfo=UTC), False),
    ],
)
def test_a_day_ends_where_the_organisation_is(*, instant: datetime, on: bool) -> None:
    text = 'did("email_opened") from 2026-03-08 to 2026-03-08'
    assert holds(text, [Happened(OPENED, instant)], zone="America/New_York") is on


TRIED = [ago(OPENED, days=20), ago(OPENED, days=10), ago(ORDERED, days=9)]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('did("email_opened") then did("order_completed")', True),
        ('did("order_completed") then did("email_opened")', False),
        ('did("email_opened") then did("order_completed") within 1d', True),  # that instant included
        ('did("email_opened") then did("order_completed") within 23h', False),
        ('did("email_opened") then did("email_opened") then did("order_completed") within 1d', True),
        ('did("email_opened") in 15d then did("email_opened")', False),  # the window is of the first step
        ('did("email_opened") in 15d then did("order_completed") within 2d', True),
        ('did("email_opened") then not did("order_completed") within 5d', True),  # after the one 20 days ago
        ('did("email_opened") in 15d then not did("order_completed") within 5d', False),
        ('did("order_completed") then not did("email_opened") within 9d', True),
        ('did("order_completed") then not did("email_opened") within 10d', False),  # that time has not gone by
        ('did("email_opened") then not did("order_completed") within 1440min', True),
    ],
)
def test_sequences(*, text: str, answer: bool) -> None:
    assert holds(text, TRIED) is answer


def test_the_things_of_a_list() -> None:
    order = ago(ORDERED, days=1, products=[{"category": "茶", "price": 5}, {"category": "杯", "price": 50}, "x"])
    for text in (
        'did("order_completed", where products[].category = "茶")',
        'did("order_completed", where products[].price > 40 and products[].category = "茶")',
        'did("order_completed", where products[].category != "酒")',
        'not did("order_completed", where products[].category != "茶")',
        'not did("order_completed", where products[].colour is set)',
    ):
        assert holds(text, [order]), text


def test_things_are_asked_one_by_one() -> None:
    things = (
        Thing("pet", {"level": "gold", "points": 3, "price": {"amount_minor": 1250, "currency": "CNY"}}),
        Thing(
            "pet",
            {"level": "silver", "points": 9, "price": {"amount_minor": 9900, "currency": "EUR"}},
            frozenset({"chip"}),
        ),
    )
    for text in (
        'has("pet") = 2',
        'has("pet", where level = "gold" and points < 5)',
        'not has("pet", where level = "gold" and points > 5)',
        'has("pet", where price = 12.5)',
        'has("pet", where price is set) = 1',  # the other is in another currency than the field
        'has("pet", where chip is not set) = 1',
    ):
        assert holds(text, things=things), text
    assert holds('not has("pet") and has("pet") = 0')

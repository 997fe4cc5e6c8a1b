"""What is said about an audience, held against counting by hand."""

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.insight import composition, value
from hongyan.audience.insight.members import member_ids
from hongyan.audience.insight.overlap import overlap, regions
from hongyan.audience.insight.venn import circles, lens
from hongyan.audience.tagging import tags
from hongyan.commerce.models import ContactFacts
from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.factory import SYSTEM, group, people, tag

SETS = st.lists(st.sets(st.integers(1, 40)), min_size=2, max_size=3)
SHANGHAI = {"field": "city", "op": "=", "value": "上海"}


def _ids(numbers: set[int]) -> Any:
    return np.array(sorted(numbers), dtype=np.int64)


@given(SETS)
def test_overlap_is_what_sets_of_python_share(found: list[set[int]]) -> None:
    counted = overlap([_ids(one) for one in found])
    assert counted.union == len(set().union(*found))
    for i, one in enumerate(found):
        for j, other in enumerate(found):
            assert counted.shared[i][j] == len(one & other)


@given(SETS)
def test_regions_are_exact_and_make_up_the_union(found: list[set[int]]) -> None:
    parts = regions([_ids(one) for one in found])
    for part in parts:
        inside = set.intersection(*(found[place] for place in part.inside))
        outside = set().union(*(one for place, one in enumerate(found) if place not in part.inside))
        assert part.size == len(inside - outside)
    assert sum(part.size for part in parts) == len(set().union(*found))


@settings(deadline=None)
@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_two_circles_are_drawn_to_scale(only_a: int, only_b: int, both: int) -> None:
    a, b = only_a + both, only_b + both
    if not a or not b:
        return
    one, two = circles([a, b], [[a, both], [both, b]], width=400, height=300)
    unit = a / (math.pi * one.r**2)  # people per square of the drawing
    assert two.r**2 * math.pi * unit == pytest.approx(b, rel=1e-6)
    drawn = lens(one.r, two.r, math.hypot(two.x - one.x, two.y - one.y)) * unit
    assert drawn == pytest.approx(both, rel=1e-3, abs=max(a, b) * 1e-4)
    for circle in (one, two):
        assert min(circle.x, circle.y) - circle.r >= -0.01
        assert circle.x + circle.r <= 400.01
        assert circle.y + circle.r <= 300.01


def test_three_circles_show_what_each_two_share() -> None:
    sizes, shared = [900, 700, 500], [[900, 200, 150], [200, 700, 120], [150, 120, 500]]
    drawn = circles(sizes, shared, width=500, height=400)
    unit = sizes[0] / (math.pi * drawn[0].r ** 2)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        far = math.hypot(drawn[i].x - drawn[j].x, drawn[i].y - drawn[j].y)
        assert lens(drawn[i].r, drawn[j].r, far) * unit == pytest.approx(shared[i][j], rel=0.02)


@pytest.mark.django_db
def test_composition_says_who_is_over_and_under_represented() -> None:
    vip = tag("vip", group("value"), name_zh="贵宾", name_en="VIP")
    here = people(40, city="上海", country="CN", sex=2)
    people(160, city="北京", country="CN", sex=1)
    people(100, city="Berlin", country="DE", sex=1)
    tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[contact.pk for contact in here[:20]])
    catalogue = catalogue_now()
    fields = ["country", "sex", "tags", "orders.count", "created_at", "full_name", "nothing"]
    found = composition.profiles(actor=SYSTEM, tree=SHANGHAI, fields=fields, catalogue=catalogue, language="en")
    by_key = {profile.key: profile for profile in found}
    assert list(by_key) == ["country", "sex", "tags", "orders.count", "created_at"]  # never a sealed field
    china = next(item for item in by_key["country"].slices if item.value == "CN")
    assert (china.label, china.here, china.here_total, china.everyone, china.everyone_total) == (
        "China",
        40,
        40,
        200,
        300,
    )
    assert china.index == 150
    germany = next(item for item in by_key["country"].slices if item.value == "DE")
    assert (germany.index, germany.weight < 0) == (0, True)
    assert [(item.label, item.here, item.everyone) for item in by_key["tags"].slices] == [("VIP", 20, 20)]
    assert [(item.label, item.here) for item in by_key["orders.count"].slices] == [("none", 40)]
    assert by_key["created_at"].slices[0].label == "the last 7 days"
    first, second = [item for item in composition.striking(found) if item.field == "sex"]
    assert {(first.label, first.index), (second.label, second.index)} == {("female", 750), ("male", 0)}


@pytest.mark.django_db
def test_numbers_are_compared_by_fifths_of_everyone() -> None:
    some = people(50, city="上海") + people(50, city="北京")
    ContactFacts.objects.bulk_create(
        ContactFacts(
            contact=contact, orders=n, currency="CNY", total_minor=n * 1000, average_minor=1000, per_currency={}
        )
        for n, contact in enumerate(some)
    )
    found = composition.profiles(
        actor=SYSTEM, tree=SHANGHAI, fields=["orders.total"], catalogue=catalogue_now(), language="en"
    )[0]
    assert sum(item.everyone for item in found.slices) == 100
    assert sum(item.here for item in found.slices) == 50
    lowest = next(item for item in found.slices if item.label.startswith("0–"))
    assert (lowest.here, lowest.label) == (lowest.everyone, "0–180")  # yuan, as people write them


@pytest.mark.django_db
def test_engagement_counts_people_and_leaves_machines_out() -> None:
    one, two, three, other = people(3, city="上海") + people(1, city="北京")
    now = clock.now()

    def event(contact: Contact, name: str, days: int, **properties: Any) -> NewEvent:
        return NewEvent(
            contact_id=contact.pk, name=name, occurred_at=now - timedelta(days=days), source="test",
            properties=properties, dedupe_key=None,
        )  # fmt: skip

    append(
        [
            *(event(who, "email_sent", 10) for who in (one, one, two, other)),
            event(three, "email_sent", 120),
            event(one, "email_opened", 9, machine=None),
            event(one, "email_opened", 8, machine=None),
            event(two, "email_opened", 9, machine="apple_mpp"),
            event(other, "email_clicked", 9, machine=None),
            event(three, "order_completed", 1),
        ]
    )
    found, _worth = value.engagement_and_worth(actor=SYSTEM, tree=SHANGHAI, catalogue=catalogue_now())
    assert found.mailed == value.Rate(2, 3, 3, 4)
    assert found.opened == value.Rate(1, 2, 1, 3)
    assert found.clicked == value.Rate(0, 2, 1, 3)
    assert found.ordered == value.Rate(1, 3, 1, 4)
    assert found.opened.index == 150


@pytest.mark.django_db
def test_worth_is_shared_by_heads_buyers_and_orders() -> None:
    rich, plain, other = [*people(2, city="上海"), *people(1, city="北京")]
    for contact, orders, total in ((rich, 3, 9000), (other, 1, 1000)):
        ContactFacts.objects.create(
            contact=contact, orders=orders, currency="CNY", total_minor=total, average_minor=0, per_currency={}
        )
    _engagement, found = value.engagement_and_worth(actor=SYSTEM, tree=SHANGHAI, catalogue=catalogue_now())
    assert found == value.Worth(value.Money(2, 1, 3, 9000), value.Money(3, 2, 4, 10000), "CNY")
    assert (found.here.per_head_minor, found.here.per_buyer_minor, found.everyone.per_order_minor) == (4500, 9000, 2500)
    assert member_ids(SHANGHAI, catalogue=catalogue_now()).tolist() == sorted([rich.pk, plain.pk])


@pytest.mark.django_db
def test_nothing_is_told_to_who_may_not_see_contacts() -> None:
    stranger = Actor(kind="user", id=None, label="nobody", permissions=frozenset())
    catalogue = catalogue_now()
    for ask in (
        lambda: value.engagement_and_worth(actor=stranger, tree=SHANGHAI, catalogue=catalogue),
        lambda: composition.profiles(
            actor=stranger, tree=SHANGHAI, fields=["city"], catalogue=catalogue, language="en"
        ),
    ):
        with pytest.raises(PermissionRefused):
            ask()

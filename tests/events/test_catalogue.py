"""The tracking plan, counted from facts."""

from datetime import timedelta
from typing import Any

import pytest

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.types import Actor, system_actor
from hongyan.core import clock
from hongyan.events import catalogue, sensitive, tracking_plan
from hongyan.events.models import Event, EventName, EventViolation
from hongyan.events.retention import forget_old
from hongyan.events.services import append
from hongyan.events.tracked import append_tracked, tie
from hongyan.events.tracking_plan import PlanRefused, PropertyChoice
from hongyan.events.types import NewEvent

pytestmark = pytest.mark.django_db(transaction=True)
ADMIN = system_actor("test")


@pytest.fixture(autouse=True)
def _fresh_rules() -> None:
    sensitive.forget_rules()


def add(name: str = "Trial Begun", days_ago: int = 0, **properties: Any) -> None:
    append([NewEvent(None, name, clock.now() - timedelta(days=days_ago), "shop", properties)])


def counted() -> None:
    while catalogue.fold():
        pass


def test_names_types_and_volumes_are_counted_once() -> None:
    add(price=3, plan="pro", at="2026-11-22T08:00:00Z", tags=["a"])
    add(price="3,50", plan="pro")
    counted()
    counted()
    (row,) = tracking_plan.names(actor=ADMIN)
    assert (row.name, row.total, row.recent, row.trend[-1], row.planned) == ("Trial Begun", 2, 2, 2, False)
    name = EventName.objects.get()
    types = {found.key: found.types for found in tracking_plan.properties_of(actor=ADMIN, name=name)}
    assert types == {"price": {"number": 1, "text": 1}, "plan": {"text": 2}, "at": {"time": 1}, "tags": {"list": 1}}
    add(price=4)
    counted()
    assert name.properties.get(key="price").types == {"number": 2, "text": 1}
    assert tracking_plan.trend_of(actor=ADMIN, name=name)[-1][1] == 3


def test_a_fact_that_finds_its_person_is_not_counted_again() -> None:
    visitor = b"0123456789abcdef"
    append_tracked([NewEvent(None, "page_viewed", clock.now(), "web", {})], [visitor])
    counted()
    assert tie({visitor: 7}) == 1
    counted()
    assert EventName.objects.get().total == 1
    assert Event.objects.get().contact_id == 7


def test_violations_of_the_plan_with_samples_that_show_nobody() -> None:
    name = tracking_plan.plan_name(actor=ADMIN, name="Trial Begun")
    tracking_plan.plan_change(
        actor=ADMIN,
        name=name,
        about="Somebody tries it",
        planned=True,
        closed=True,
        keep_days=None,
        choices=[
            PropertyChoice("price", "number", required=True, handling=""),
            PropertyChoice("plan", "text", required=False, handling=""),
        ],
    )
    add(price="19,90 EUR", plan="pro")
    add(plan="pro", colour="red", page_path="/tea")  # the path comes from the client library
    add(price=3, claimed_at="2031-01-01T00:00:00+00:00")
    counted()
    found = {(row.key, row.code): (row.count, row.sample) for row in EventViolation.objects.all()}
    assert found == {
        ("price", "wrong_type"): (1, "99,99 xxx"),
        ("price", "missing"): (1, ""),
        ("colour", "unplanned"): (1, "xxx"),
        ("", "in_future"): (1, ""),
    }
    assert Event.objects.count() == 3
    assert tracking_plan.violations_forget(actor=ADMIN, name=name) == 4


def test_marks_of_the_plan_hold_for_what_comes_next() -> None:
    name = tracking_plan.plan_name(actor=ADMIN, name="Trial Begun")
    choices = [
        PropertyChoice("salary", "", required=False, handling="drop"),
        PropertyChoice("remark", "", required=False, handling="seal"),
        PropertyChoice("email", "", required=False, handling="open"),
    ]
    tracking_plan.plan_change(
        actor=ADMIN, name=name, about="", planned=True, closed=False, keep_days=30, choices=choices
    )
    marked = sensitive.rules()["Trial Begun"]
    found = sensitive.cleaned({"salary": 1, "remark": "ill", "email": "by post"}, marked)
    assert set(found) == {"remark", "email"}
    assert sensitive.opened(found["remark"]) == "ill"
    assert found["email"] == "by post"


def test_what_the_plan_refuses() -> None:
    name = tracking_plan.plan_name(actor=ADMIN, name="order completed")
    assert name.name == "order_completed"
    with pytest.raises(PlanRefused, match="name_taken"):
        tracking_plan.plan_name(actor=ADMIN, name="Order Completed")
    with pytest.raises(PlanRefused, match="keep_days_bad"):
        tracking_plan.plan_change(actor=ADMIN, name=name, about="", planned=True, closed=False, keep_days=1, choices=[])
    with pytest.raises(PermissionRefused):
        tracking_plan.names(actor=Actor(kind="user", id=1, label="nobody"))


def test_old_facts_go_by_their_own_name_or_by_the_policy() -> None:
    add("Heartbeat", days_ago=40)
    add("Heartbeat", days_ago=5)
    add("Trial Begun", days_ago=40)
    add("Trial Begun", days_ago=800)
    EventName.objects.create(name="Heartbeat", keep_days=30)
    assert forget_old(at=clock.now()) == {"Heartbeat": 1, "*": 1}
    assert sorted(Event.objects.values_list("name", flat=True)) == ["Heartbeat", "Trial Begun"]
    append_tracked([NewEvent(None, "page_viewed", clock.now() - timedelta(days=500), "web", {})], [b"x" * 16])
    assert forget_old(at=clock.now())["visitors"] == 1
    assert tie({b"x" * 16: 7}) == 0


def test_the_tail_shows_the_newest_first() -> None:
    add("A")
    add("B")
    assert [row.name for row in tracking_plan.newest(actor=ADMIN)] == ["B", "A"]
    assert [row.name for row in tracking_plan.newest(actor=ADMIN, name="A", source="shop")] == ["A"]
    assert tracking_plan.newest(actor=ADMIN, source="other") == []

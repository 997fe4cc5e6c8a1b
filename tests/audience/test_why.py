"""Why somebody is in a segment: the parts add up to the answer, and the events named are those that decided."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hongyan.accounts.permissions import Role
from hongyan.accounts.types import Actor
from hongyan.audience.compiler.evaluate import evaluate
from hongyan.audience.compiler.parse import parse
from hongyan.audience.errors import BadTree
from hongyan.audience.why.answers import Reason, why
from hongyan.contacts.models import Contact
from hongyan.events.models import Event
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.catalogue import AUDIENCE_ID, small_catalogue
from tests.audience.factory import NOW, SYSTEM, actor_of, person
from tests.audience.generate import MOMENTS, Moment, facts_at, trees_at
from tests.audience.world import renumbered, world

pytestmark = pytest.mark.django_db(transaction=True)


def asked(contact: Contact, tree: Any, actor: Actor = SYSTEM) -> Reason:
    return why(actor=actor, tree=tree, contact_id=contact.pk, language="en", catalogue=small_catalogue(), now=NOW)


@pytest.fixture
def shopper() -> Contact:
    """Opened 40, 20 and 2 days ago, ordered for 30 and for 70 after the last one."""
    someone = person(city="上海")
    days = {40: "email_opened", 20: "email_opened", 2: "email_opened"}
    append([NewEvent(someone.pk, name, NOW - timedelta(days=ago), "t") for ago, name in days.items()])
    orders = {30: 25.5, 1: 74.5}
    append(
        [NewEvent(someone.pk, "order_completed", NOW - timedelta(days=a), "t", {"total": v}) for a, v in orders.items()]
    )
    return someone


def days_ago(reason: Reason) -> list[int]:
    assert reason.evidence is not None
    return [(NOW - event.at).days for event in reason.evidence.events]


def test_each_condition_says_whether_it_holds_and_why(shopper: Contact) -> None:
    tree = {
        "all": [
            {"field": "city", "op": "=", "value": "上海"},
            {"event": "email_opened", "op": ">=", "count": 2, "within_days": 30},
            {"not": {"event": "order_completed", "within_hours": 12}},
            {"event": "order_completed", "measure": "sum", "property": "total", "op": ">=", "value": 500},
        ]
    }
    reason = asked(shopper, tree)
    city, opened, not_ordered, spent = reason.parts
    assert (reason.kind, reason.holds) == ("all", False)
    assert [part.holds for part in reason.parts] == [True, True, True, False]
    assert city.evidence is not None
    assert city.evidence.value == "上海"
    assert opened.evidence is not None
    assert (opened.evidence.count, days_ago(opened)) == (2, [2, 20])
    assert opened.path == "/all/1"
    assert opened.sentence == "who did “opened a mail” at least 2 times in the last 30 days"
    inner = not_ordered.parts[0]
    assert inner.evidence is not None
    assert inner.evidence.nearest is not None
    assert (inner.holds, inner.evidence.count, (NOW - inner.evidence.nearest.at).days) == (False, 0, 1)
    assert spent.evidence is not None
    assert (spent.evidence.count, spent.evidence.value) == (2, 100)
    ids = set(Event.objects.filter(contact_id=shopper.pk, name="order_completed").values_list("id", flat=True))
    assert {event.id for event in spent.evidence.events} == ids


def test_sequences_show_the_chain_or_how_far_it_came(shopper: Contact) -> None:
    steps = [{"event": "email_opened"}, {"event": "order_completed", "within": {"days": 3}}]
    whole = asked(shopper, {"sequence": steps})
    assert (whole.holds, days_ago(whole)) == (True, [2, 1])
    part = asked(shopper, {"sequence": [*steps, {"event": "email_opened"}]})
    assert part.evidence is not None
    assert (part.holds, part.evidence.count, days_ago(part)) == (False, 2, [2, 1])
    quiet = asked(shopper, {"sequence": [*steps, {"not_event": "email_opened", "within": {"hours": 3}}]})
    assert (quiet.holds, days_ago(quiet)) == (True, [2, 1])


def test_measures_show_the_events_behind_the_value(shopper: Contact) -> None:
    greatest = asked(
        shopper, {"event": "order_completed", "measure": "max", "property": "total", "op": ">", "value": 50}
    )
    assert greatest.evidence is not None
    assert (greatest.evidence.value, days_ago(greatest)) == (74.5, [1])
    first = asked(shopper, {"event": "email_opened", "measure": "first_at", "op": "within_last_days", "value": 30})
    assert (first.holds, days_ago(first)) == (False, [40])


def test_audiences_are_opened_up(shopper: Contact) -> None:
    reason = asked(shopper, {"not": {"audience": AUDIENCE_ID}})
    assert reason.holds
    audience = reason.parts[0]
    assert (audience.kind, audience.path, audience.holds) == ("audience", "/not", False)
    assert audience.parts[0].parts[0].path == "/not/audience/all/0"


def test_sealed_fields_show_nothing_and_only_staff_who_see_contacts_may_ask(shopper: Contact) -> None:
    reason = asked(shopper, {"field": "full_name", "op": "is_set"})
    assert reason.evidence is None
    with pytest.raises(BadTree):
        asked(shopper, {"tag": "nope"})
    nobody = Actor(kind="user", id=None, label="nobody", permissions=frozenset())
    with pytest.raises(Exception, match="contact"):
        asked(shopper, {"everyone": True}, nobody)
    assert asked(shopper, {"everyone": True}, actor_of(Role.ANALYST)).holds


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(data=st.data(), moment=MOMENTS)
def test_the_parts_add_up_to_the_answer(data: st.DataObject, moment: Moment) -> None:
    facts = data.draw(facts_at(moment))
    trees = data.draw(st.lists(trees_at(moment), min_size=4, max_size=6))
    with world([facts], moment) as (catalogue, ids):
        seen = renumbered(facts, catalogue)
        for tree in trees:
            reason = why(actor=SYSTEM, tree=tree, contact_id=ids[0], language="en", catalogue=catalogue, now=moment.now)
            assert reason.holds == evaluate(parse(tree), seen, catalogue, now=moment.now), tree

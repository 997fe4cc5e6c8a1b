"""The lane: what is committed reaches stages, RFM and rule tags; the same again changes nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hongyan.audience.models import RFM, Lifecycle
from hongyan.audience.standing.lane import _Memory, round_of
from hongyan.audience.tagging.rules import rule_draft, rules_publish
from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.factory import SYSTEM, group, held, tag
from tests.standing.factory import NOW, customer, did, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    with clock.freeze(NOW):
        yield


def test_everything_new_is_placed_and_what_follows_moves_at_once() -> None:
    memory = _Memory()
    reader, buyer = Contact.objects.create(), Contact.objects.create()
    round_of(memory)
    assert set(Lifecycle.objects.values_list("stage", flat=True)) == {"awareness"}
    did(reader, "email_clicked", days_ago=0)
    did(buyer, "order_completed", days_ago=0)
    customer(orders=1, total_minor=100, days_ago=0, contact=buyer)
    late = Contact.objects.create()
    assert round_of(memory) == 3
    stages = dict(Lifecycle.objects.values_list("contact_id", "stage"))
    assert stages == {reader.pk: "attraction", buyer.pk: "conversion", late.pk: "awareness"}
    assert RFM.objects.get().contact_id == buyer.pk
    round_of(memory)  # the moves themselves were touches, of a kind no rule asks for
    assert round_of(memory) == 0
    assert len(told("lifecycle_changed")) == 2


def test_a_published_rule_is_applied_and_follows_what_people_do_and_time() -> None:
    memory = _Memory()
    recent = tag("recent", group())
    contact = Contact.objects.create()
    round_of(memory)
    rule_draft(actor=SYSTEM, tag=recent, tree={"event": "product_viewed", "within_days": 7})
    rules_publish(actor=SYSTEM, group=recent.group, tags=[recent])
    round_of(memory)
    assert held(recent) == set()
    memory.planned_at = 0
    append([NewEvent(contact.pk, "product_viewed", NOW - timedelta(days=6), "test")])
    round_of(memory)
    assert held(recent) == {contact.pk}
    round_of(memory)
    with clock.freeze(NOW + timedelta(days=1) - timedelta(seconds=1)):
        round_of(memory)
        assert held(recent) == {contact.pk}
    with clock.freeze(NOW + timedelta(days=1, seconds=1)):
        round_of(memory)
    assert held(recent) == set()


def test_rules_about_stages_and_tags_follow_each_other() -> None:
    memory = _Memory()
    where = group()
    lost, both = tag("lost", where), tag("both", where)
    rule_draft(actor=SYSTEM, tag=lost, tree={"field": "lifecycle.stage", "op": "=", "value": "conversion"})
    rule_draft(actor=SYSTEM, tag=both, tree={"all": [{"tag": "lost"}, {"field": "city", "op": "=", "value": "上海"}]})
    rules_publish(actor=SYSTEM, group=where, tags=[lost, both])
    contact = Contact.objects.create(city="上海")
    round_of(memory)
    did(contact, "order_completed", days_ago=0)
    for _round in range(4):
        round_of(memory)
    assert held(lost) == held(both) == {contact.pk}

"""The lane: what is committed reaches stages, RFM and rule tags; the same again changes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.audience.models import RFM, Lifecycle
from hongyan.audience.saved import audience_create, audience_update
from hongyan.audience.standing import lane
from hongyan.audience.standing.lane import _Memory, round_of
from hongyan.audience.standing.stage_rules import StageRule, StageRules
from hongyan.audience.standing.stages import stage_rules_change
from hongyan.audience.tagging.rules import rule_draft, rules_publish
from hongyan.audience.types import Stage
from hongyan.contacts.fields import field_create
from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.core import clock
from hongyan.events.retention import forget_old
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


def test_a_rule_about_a_contact_s_own_dates_turns_with_them_and_nobody_else_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    field_create(actor=SYSTEM, key="renewal", label_zh="续费", label_en="Renewal", type=FieldDefinition.Type.DATE)
    memory = _Memory()
    soon, fresh = tag("soon", group("when")), tag("fresh", group("since"))
    trees = {
        soon: {"field": "custom.renewal", "op": "within_next_days", "value": 7},
        fresh: {"field": "created_at", "op": "within_last_days", "value": 30},
    }
    for one, tree in trees.items():
        rule_draft(actor=SYSTEM, tag=one, tree=tree)
        rules_publish(actor=SYSTEM, group=one.group, tags=[one])
    people = [
        Contact.objects.create(attributes={"renewal": f"2026-12-{day:02}"}, created_at=NOW - timedelta(days=age))
        for day, age in ((10, 1), (20, 29), (30, 60))
    ]
    round_of(memory)
    assert (held(soon), held(fresh)) == (set(), {people[0].pk, people[1].pk})
    round_of(memory)
    monkeypatch.setattr(lane, "rules_refresh", None)  # from here on nobody looks at everybody
    monkeypatch.setattr(lane, "stages_refresh", None)
    with clock.freeze(NOW + timedelta(days=1)):
        round_of(memory)
        assert held(fresh) == {people[0].pk, people[1].pk}  # the last instant still counts
    with clock.freeze(NOW + timedelta(days=1, seconds=1)):
        assert round_of(memory) == 1
        assert held(fresh) == {people[0].pk}
    # A week before the tenth begins at midnight in Shanghai.
    with clock.freeze(datetime(2026, 12, 2, 15, 59, 59, tzinfo=UTC)):
        round_of(memory)
        assert held(soon) == set()
    with clock.freeze(datetime(2026, 12, 2, 16, 0, 1, tzinfo=UTC)):
        assert round_of(memory) == 1
        assert held(soon) == {people[0].pk}
        Contact.objects.filter(pk=people[1].pk).update(attributes={"renewal": "2026-12-12"})
        round_of(memory)
        assert held(soon) == {people[0].pk}
    with clock.freeze(datetime(2026, 12, 4, 16, 0, 1, tzinfo=UTC)):
        assert round_of(memory) == 1  # on the new day, not on the old one
        assert held(soon) == {people[0].pk, people[1].pk}
    with clock.freeze(datetime(2026, 12, 10, 16, 0, 1, tzinfo=UTC)):
        round_of(memory)
        assert held(soon) == {people[1].pk}


def test_a_rule_about_times_in_events_turns_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, soon = _Memory(), tag("soon", group("when"))
    tree = {"event": "order_completed", "where": {"property": "ship_by", "op": "within_next_days", "value": 3}}
    rule_draft(actor=SYSTEM, tag=soon, tree=tree)
    rules_publish(actor=SYSTEM, group=soon.group, tags=[soon])
    contact = Contact.objects.create()
    round_of(memory)
    monkeypatch.setattr(lane, "rules_refresh", None)  # from here on nobody looks at everybody
    append([NewEvent(contact.pk, "order_completed", NOW, "test", {"ship_by": "2026-11-30 12:00"})])
    round_of(memory)
    noon = datetime(2026, 11, 27, 4, tzinfo=UTC)  # in Shanghai
    for at, there in (
        (noon - timedelta(seconds=1), set()),
        (noon, {contact.pk}),
        (noon + timedelta(days=3), {contact.pk}),
        (noon + timedelta(days=3, seconds=1), set()),
    ):
        with clock.freeze(at):
            round_of(memory)
            assert held(soon) == there, at


def test_a_stage_by_a_contact_s_own_date_turns_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {"field": "created_at", "op": "within_last_days", "value": 30}
    stage_rules_change(actor=SYSTEM, rules=StageRules((StageRule(Stage.ATTRACTION, tree),), Stage.AWARENESS))
    memory, contact = _Memory(), Contact.objects.create(created_at=NOW - timedelta(days=29))
    round_of(memory)
    monkeypatch.setattr(lane, "stages_refresh", None)
    assert Lifecycle.objects.get(contact_id=contact.pk).stage == "attraction"
    with clock.freeze(NOW + timedelta(days=1, seconds=1)):
        round_of(memory)
    assert Lifecycle.objects.get(contact_id=contact.pk).stage == "awareness"
    assert [moved["cause"] for _, moved in told("lifecycle_changed")] == ["time"]


def test_when_what_a_rule_names_has_another_meaning_everybody_is_looked_at() -> None:
    memory = _Memory()
    here = audience_create(actor=SYSTEM, name="here", tree={"field": "city", "op": "=", "value": "上海"})
    one = tag("one", group())
    rule_draft(actor=SYSTEM, tag=one, tree={"audience": str(here.public_id)})
    rules_publish(actor=SYSTEM, group=one.group, tags=[one])
    people = [Contact.objects.create(city=city) for city in ("上海", "北京")]
    round_of(memory)
    assert held(one) == {people[0].pk}
    there = {"field": "city", "op": "=", "value": "北京"}
    audience_update(actor=SYSTEM, audience=here, name="here", tree=there)
    round_of(memory)
    assert held(one) == {people[1].pk}


def test_what_retention_deletes_takes_tags_along() -> None:
    memory = _Memory()
    ever, lately = tag("ever", group("ever")), tag("lately", group("lately"))
    for one, tree in ((ever, {"event": "product_viewed"}), (lately, {"event": "product_viewed", "within_days": 7})):
        rule_draft(actor=SYSTEM, tag=one, tree=tree)
        rules_publish(actor=SYSTEM, group=one.group, tags=[one])
    old, both = Contact.objects.create(), Contact.objects.create()
    did(old, "product_viewed", days_ago=3000)
    did(both, "product_viewed", days_ago=3000)
    did(both, "product_viewed", days_ago=1)
    round_of(memory)
    round_of(memory)
    assert (held(ever), held(lately)) == ({old.pk, both.pk}, {both.pk})
    forget_old(at=NOW)
    assert round_of(memory) == 2
    assert (held(ever), held(lately)) == ({both.pk}, {both.pk})


def test_an_event_of_the_future_counts_when_its_time_has_come() -> None:
    memory, seen = _Memory(), tag("seen", group())
    rule_draft(actor=SYSTEM, tag=seen, tree={"event": "product_viewed"})
    rules_publish(actor=SYSTEM, group=seen.group, tags=[seen])
    contact = Contact.objects.create()
    round_of(memory)
    append([NewEvent(contact.pk, "product_viewed", NOW + timedelta(hours=2), "test")])
    round_of(memory)
    assert held(seen) == set()
    with clock.freeze(NOW + timedelta(hours=2, seconds=1)):
        round_of(memory)
    assert held(seen) == {contact.pk}

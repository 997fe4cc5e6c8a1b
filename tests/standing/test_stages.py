"""Lifecycle stages: each contact in exactly one, moved by rules, with a history."""

from datetime import timedelta

import pytest

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Role
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.errors import BadTree, BadValue
from hongyan.audience.models import Lifecycle, StandingFlow, StandingState
from hongyan.audience.saved import audience_create
from hongyan.audience.segments import compile_members
from hongyan.audience.standing.stage_rules import DEFAULTS, StageRule, StageRules, as_json, from_json
from hongyan.audience.standing.stages import stage_rules, stage_rules_change, stages_refresh, stages_renew
from hongyan.audience.types import Stage
from hongyan.contacts.models import Contact
from tests.audience.factory import SYSTEM, actor_of
from tests.standing.factory import NOW, did, told

pytestmark = pytest.mark.django_db


def stage(contact: Contact) -> str:
    return Lifecycle.objects.get(contact_id=contact.pk).stage


def test_defaults_survive_storing() -> None:
    assert from_json(as_json(DEFAULTS)) == DEFAULTS
    assert set(DEFAULTS.stages) == set(Stage)


def test_the_defaults_part_prospects_customers_and_lost_ones() -> None:
    silent, reader, cart, first, regular, away, gone = (Contact.objects.create() for _ in range(7))
    did(reader, "email_opened", days_ago=89)
    did(silent, "email_opened", days_ago=91)
    did(cart, "checkout_started", days_ago=2)
    did(first, "order_completed", days_ago=10)
    for days in (200, 20):
        did(regular, "order_completed", days_ago=days)
    did(away, "order_completed", days_ago=150)
    did(away, "email_opened", days_ago=1)
    did(gone, "order_completed", days_ago=300)
    assert stages_refresh(now=NOW) == 7
    found = [stage(contact) for contact in (silent, reader, cart, first, regular, away, gone)]
    assert found == ["awareness", "attraction", "conversion", "conversion", "retention", "churn_risk", "lost"]
    assert told("lifecycle_changed") == []  # the first look moves nobody
    assert stages_refresh(now=NOW) == 0


def test_everybody_is_in_exactly_one_stage_also_where_rules_overlap() -> None:
    contacts = Contact.objects.bulk_create(Contact(city=city) for city in ("上海", "北京", "") for _ in range(5))
    both = {"field": "city", "op": "is_set"}
    rules = StageRules(
        (StageRule(Stage.RETENTION, {"field": "city", "op": "=", "value": "上海"}), StageRule(Stage.ATTRACTION, both)),
        Stage.LOST,
    )
    stage_rules_change(actor=SYSTEM, rules=rules)
    stages_refresh(now=NOW)
    counts = {name: Lifecycle.objects.filter(stage=name).count() for name in ("retention", "attraction", "lost")}
    assert counts == {"retention": 5, "attraction": 5, "lost": 5}
    assert Lifecycle.objects.count() == len(contacts)


def test_what_somebody_does_moves_them_and_is_told_once() -> None:
    someone, other = Contact.objects.create(), Contact.objects.create()
    stages_refresh(now=NOW)
    did(someone, "order_completed", days_ago=0)
    moved = stages_renew([someone.pk, other.pk], catalogue=catalogue_now(), now=NOW)
    again = stages_renew([someone.pk, other.pk], catalogue=catalogue_now(), now=NOW)
    assert (moved, again) == (1, 0)
    expected = {"from": "awareness", "to": "conversion", "cause": "change"}
    assert told("lifecycle_changed") == [(someone.pk, expected)]
    flow = StandingFlow.objects.get(kind="stages", before="awareness", after="conversion")
    assert flow.contacts == 1


def test_time_alone_moves_people() -> None:
    someone = Contact.objects.create()
    did(someone, "email_opened", days_ago=80)
    stages_refresh(now=NOW)
    assert stages_refresh(now=NOW + timedelta(days=9, hours=23)) == 0
    assert stages_refresh(now=NOW + timedelta(days=10, seconds=1)) == 1
    assert told("lifecycle_changed") == [(someone.pk, {"from": "attraction", "to": "awareness", "cause": "time"})]


def test_new_rules_are_named_as_the_cause() -> None:
    someone = Contact.objects.create(city="上海")
    stages_refresh(now=NOW)
    rules = StageRules((StageRule(Stage.ATTRACTION, {"field": "city", "op": "=", "value": "上海"}),), Stage.AWARENESS)
    assert stage_rules_change(actor=SYSTEM, rules=rules) == 1
    stages_refresh(now=NOW)
    assert [properties["cause"] for _id, properties in told("lifecycle_changed")] == ["rules"]
    assert StandingState.objects.get(kind="stages").number == 1
    assert stage(someone) == "attraction"


def test_rules_must_be_right_and_must_not_ask_for_the_stage() -> None:
    wrong = StageRules((StageRule(Stage.LOST, {"field": "nothing", "op": "is_set"}),), Stage.AWARENESS)
    with pytest.raises(BadTree) as caught:
        stage_rules_change(actor=SYSTEM, rules=wrong)
    assert caught.value.problems[0].path == "/0/field"
    asking = {"field": "lifecycle.stage", "op": "=", "value": "lost"}
    saved = audience_create(actor=SYSTEM, name="lost ones", tree=asking)
    for tree in (asking, {"not": {"audience": str(saved.public_id)}}):
        with pytest.raises(BadValue):
            stage_rules_change(actor=SYSTEM, rules=StageRules((StageRule(Stage.LOST, tree),), Stage.AWARENESS))
    twice = StageRules((StageRule(Stage.LOST, {"everyone": True}),), Stage.LOST)
    with pytest.raises(BadValue):
        stage_rules_change(actor=SYSTEM, rules=twice)
    with pytest.raises(PermissionRefused):
        stage_rules_change(actor=actor_of(Role.ANALYST), rules=DEFAULTS)
    assert stage_rules() == DEFAULTS


def test_a_rule_that_went_wrong_moves_nobody_and_says_so() -> None:
    someone = Contact.objects.create(city="上海")
    stages_refresh(now=NOW)
    saved = audience_create(actor=SYSTEM, name="Shanghai", tree={"field": "city", "op": "=", "value": "上海"})
    rules = StageRules((StageRule(Stage.LOST, {"audience": str(saved.public_id)}),), Stage.AWARENESS)
    stage_rules_change(actor=SYSTEM, rules=rules)
    saved.delete()
    with pytest.raises(BadTree):
        stages_refresh(now=NOW)
    assert stage(someone) == "awareness"
    assert StandingState.objects.get(kind="stages").problem == "broken_rules"


def test_the_stage_is_a_field_of_conditions() -> None:
    someone = Contact.objects.create()
    Contact.objects.create()
    did(someone, "order_completed", days_ago=1)
    stages_refresh(now=NOW)
    members = compile_members({"field": "lifecycle.stage", "op": "=", "value": "conversion"}, now=NOW)
    since = compile_members({"field": "lifecycle.since", "op": "within_last_days", "value": 1}, now=NOW)
    from hongyan.audience.selectors import count_sql

    assert (count_sql(members), count_sql(since)) == (1, 2)

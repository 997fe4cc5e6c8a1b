"""Rule tags: drafts write nothing, live rules are kept true, exclusive groups never hold two."""

from datetime import timedelta

import pytest

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Role
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.errors import BadTree, BadValue, RuleDecides
from hongyan.audience.models import ContactTag, Tag, TagRule
from hongyan.audience.saved import audience_create, audience_update
from hongyan.audience.tagging.applying import rules_refresh, rules_renew
from hongyan.audience.tagging.rules import (
    rule_change_undo,
    rule_discard,
    rule_draft,
    rule_withdraw,
    rules_of_group,
    rules_publish,
)
from hongyan.audience.tagging.tags import tag_contacts, untag_contacts
from hongyan.audience.tagging.taxonomy import tag_update
from hongyan.contacts.models import Contact
from tests.audience.factory import SYSTEM, actor_of, group, held, people, tag
from tests.standing.factory import NOW, did, told

pytestmark = pytest.mark.django_db


def city(name: str) -> dict[str, object]:
    return {"field": "city", "op": "=", "value": name}


def live(named: Tag, tree: object) -> None:
    rule_draft(actor=SYSTEM, tag=named, tree=tree)
    rules_publish(actor=SYSTEM, group=named.group, tags=[named])


def test_a_draft_writes_no_tags_and_publishing_does() -> None:
    here = tag("here", group())
    contact = people(1, city="上海")[0]
    people(2, city="北京")
    rule_draft(actor=SYSTEM, tag=here, tree=city("上海"))
    assert rules_refresh(now=NOW) == 0
    rules_publish(actor=SYSTEM, group=here.group, tags=[here])
    assert rules_refresh(now=NOW) == 1
    assert held(here) == {contact.pk}
    assert told("tag_added") == []  # the first look tells nothing
    assert rules_refresh(now=NOW) == 0


def test_a_live_rule_gives_and_takes_as_things_change() -> None:
    here = tag("here", group())
    comes, goes = people(1, city="北京")[0], people(1, city="上海")[0]
    live(here, city("上海"))
    rules_refresh(now=NOW)
    Contact.objects.filter(pk=comes.pk).update(city="上海")
    Contact.objects.filter(pk=goes.pk).update(city="")
    moved = rules_renew([comes.pk, goes.pk], catalogue=catalogue_now(), now=NOW)
    assert moved == 2
    assert held(here) == {comes.pk}
    assert told("tag_added") == [(comes.pk, {"tag": "here", "source": "rule"})]
    assert told("tag_removed") == [(goes.pk, {"tag": "here", "source": "rule"})]


def test_time_alone_takes_a_tag() -> None:
    reader = tag("reader", group())
    contact = people(1)[0]
    did(contact, "email_opened", days_ago=29)
    live(reader, {"event": "email_opened", "within_days": 30})
    rules_refresh(now=NOW)
    assert held(reader) == {contact.pk}
    rules_refresh(now=NOW + timedelta(days=1, seconds=1))
    assert held(reader) == set()


def test_in_an_exclusive_group_the_first_rule_decides_even_when_rules_come_to_overlap() -> None:
    where = group(exclusive=True)
    first, second = tag("first", where), tag("second", where)
    contact = people(1, city="上海")[0]
    rule_draft(actor=SYSTEM, tag=first, tree={"field": "country", "op": "=", "value": "CN"})
    rule_draft(actor=SYSTEM, tag=second, tree=city("上海"))
    rules_publish(actor=SYSTEM, group=where)
    rules_refresh(now=NOW)
    assert held(second) == {contact.pk}
    Contact.objects.filter(pk=contact.pk).update(country="CN")
    rules_renew([contact.pk], catalogue=catalogue_now(), now=NOW)
    assert (held(first), held(second)) == ({contact.pk}, set())
    Contact.objects.filter(pk=contact.pk).update(country="", city="")
    rules_renew([contact.pk], catalogue=catalogue_now(), now=NOW)
    assert ContactTag.objects.count() == 0


def test_publishing_an_exclusive_group_needs_zero_overlap() -> None:
    where = group(exclusive=True)
    first, second = tag("first", where), tag("second", where)
    people(3, city="上海", country="CN")
    rule_draft(actor=SYSTEM, tag=first, tree=city("上海"))
    rule_draft(actor=SYSTEM, tag=second, tree={"field": "country", "op": "=", "value": "CN"})
    with pytest.raises(BadValue) as caught:
        rules_publish(actor=SYSTEM, group=where)
    assert caught.value.field == "overlap"
    assert "3" in caught.value.message
    assert not TagRule.objects.filter(live__isnull=False).exists()


def test_a_tag_given_by_hand_stays_in_an_exclusive_group() -> None:
    where = group(exclusive=True)
    by_rule, by_hand = tag("by-rule", where), tag("by-hand", where)
    contact, other = people(2, city="上海")
    live(by_rule, city("上海"))
    tag_contacts(actor=SYSTEM, tag=by_hand, contact_ids=[contact.pk])
    rules_refresh(now=NOW)
    assert (held(by_hand), held(by_rule)) == ({contact.pk}, {other.pk})
    assert rules_refresh(now=NOW) == 0
    rules_renew([contact.pk, other.pk], catalogue=catalogue_now(), now=NOW)
    assert (held(by_hand), held(by_rule)) == ({contact.pk}, {other.pk})
    untag_contacts(actor=SYSTEM, tag=by_hand, contact_ids=[contact.pk])
    rules_refresh(now=NOW)
    assert held(by_rule) == {contact.pk, other.pk}


def test_hands_are_off_a_tag_with_a_live_rule() -> None:
    here = tag("here", group())
    contact = people(1)[0]
    live(here, city("上海"))
    with pytest.raises(RuleDecides):
        tag_contacts(actor=SYSTEM, tag=here, contact_ids=[contact.pk])
    with pytest.raises(RuleDecides):
        untag_contacts(actor=SYSTEM, tag=here, contact_ids=[contact.pk])
    elsewhere = group("elsewhere")
    with pytest.raises(BadValue):
        tag_update(actor=SYSTEM, tag=here, name_zh="这里", name_en="", colour="teal", group=elsewhere)
    rule_withdraw(actor=SYSTEM, tag=here)
    tag_contacts(actor=SYSTEM, tag=here, contact_ids=[contact.pk])
    assert rules_refresh(now=NOW) == 0
    assert held(here) == {contact.pk}


def test_rules_that_ask_for_themselves_are_refused_and_later_ones_stand_still() -> None:
    where = group()
    one, two = tag("one", where), tag("two", where)
    with pytest.raises(BadTree):
        rule_draft(actor=SYSTEM, tag=one, tree={"not": {"tag": "one"}})
    live(one, {"tag": "two"})
    with pytest.raises(BadTree):
        rule_draft(actor=SYSTEM, tag=two, tree={"tag_group": "value"})
    saved = audience_create(actor=SYSTEM, name="Shanghai", tree=city("上海"))
    live(two, {"audience": str(saved.public_id)})
    contact = people(1, city="上海")[0]
    audience_update(actor=SYSTEM, audience=saved, name="Shanghai", tree={"not": {"tag": "two"}})
    assert rules_refresh(now=NOW) == 0
    assert held(two) == set()
    assert TagRule.objects.get(tag=two).problem == "circle"
    assert contact.pk not in held(one)


def test_a_rule_that_went_wrong_leaves_its_tag_as_it_is() -> None:
    here = tag("here", group())
    contact = people(1, city="上海")[0]
    saved = audience_create(actor=SYSTEM, name="Shanghai", tree=city("上海"))
    live(here, {"audience": str(saved.public_id)})
    rules_refresh(now=NOW)
    saved.delete()
    rules_refresh(now=NOW)
    assert held(here) == {contact.pk}
    assert TagRule.objects.get(tag=here).problem == "broken"


def test_acts_on_drafts_are_undone_in_reverse_order() -> None:
    here = tag("here", group())
    rule_draft(actor=SYSTEM, tag=here, tree=city("上海"))
    rule_draft(actor=SYSTEM, tag=here, tree=city("北京"))
    first, second = here.group.rule_changes.order_by("id")
    with pytest.raises(BadValue):
        rule_change_undo(actor=SYSTEM, public_id=first.public_id)
    rule_change_undo(actor=SYSTEM, public_id=second.public_id)
    assert rules_of_group(here.group)[0].draft == city("上海")
    rule_change_undo(actor=SYSTEM, public_id=first.public_id)
    assert rules_of_group(here.group) == []


def test_a_draft_that_says_the_same_is_none_and_discarding_keeps_the_live_rule() -> None:
    here = tag("here", group())
    live(here, city("上海"))
    assert rule_draft(actor=SYSTEM, tag=here, tree=city("上海")).draft is None
    rule_draft(actor=SYSTEM, tag=here, tree=city("北京"))
    rule_discard(actor=SYSTEM, tag=here)
    rule = TagRule.objects.get(tag=here)
    assert (rule.live, rule.draft) == (city("上海"), None)


def test_rules_need_the_permission() -> None:
    here = tag("here", group())
    with pytest.raises(PermissionRefused):
        rule_draft(actor=actor_of(Role.ANALYST), tag=here, tree=city("上海"))
    with pytest.raises(PermissionRefused):
        rules_publish(actor=actor_of(Role.ANALYST), group=here.group, tags=[here])

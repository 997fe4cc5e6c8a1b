"""The MECE check counts what sets count, and its fixes leave no overlap and no gap."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.audience.models import Tag, TagRule
from hongyan.audience.tagging.applying import rules_refresh
from hongyan.audience.tagging.mece import (
    Report,
    fix_apply,
    fix_order,
    fix_rest,
    in_order,
    report,
    report_of_group,
    rest_of,
)
from hongyan.audience.tagging.rules import rule_change_undo, rule_draft, rules_publish
from hongyan.contacts.models import Contact
from tests.audience.factory import SYSTEM, group, held, people, tag
from tests.standing.factory import NOW

pytestmark = pytest.mark.django_db
CITIES = ("上海", "北京", "杭州", "成都", "")


def cities(*names: str) -> dict[str, Any]:
    return {"field": "city", "op": "in", "value": list(names)}


@pytest.mark.django_db(transaction=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(CITIES), max_size=12),
    st.lists(st.sets(st.sampled_from(CITIES[:-1]), min_size=1), min_size=1, max_size=4),
)
def test_counts_are_those_of_sets(living_in: list[str], rules: list[set[str]]) -> None:
    Contact.objects.all().delete()
    everyone = {Contact.objects.create(city=city).pk: city for city in living_in}
    trees = [cities(*sorted(names)) for names in rules]
    found = report(trees, now=NOW)
    sets = [{pk for pk, city in everyone.items() if city in names} for names in rules]
    assert found.total == len(everyone)
    assert found.gap.size == len(set(everyone) - set().union(*sets))
    assert found.overlap == sum(sum(pk in one for one in sets) > 1 for pk in everyone)
    for one, other in combinations(range(len(sets)), 2):
        assert found.matrix()[one][other] == found.matrix()[other][one] == len(sets[one] & sets[other])
    assert [found.size(place) for place in range(len(sets))] == [len(one) for one in sets]
    assert all(set(each.sample) <= set(everyone) for each in found.combinations)
    fixed = in_order(trees)
    assert report([*fixed, rest_of(fixed)], now=NOW).is_mece


def test_nobody_at_all_is_mece() -> None:
    assert report([cities("上海")], now=NOW).is_mece
    assert Report(0, 0).is_mece


def test_the_fix_is_shown_then_applied_to_drafts_and_can_be_undone() -> None:
    where = group(exclusive=True)
    first, second = tag("first", where), tag("second", where)
    people(2, city="上海")
    people(3, city="北京")
    people(4, city="成都")
    rule_draft(actor=SYSTEM, tag=first, tree=cities("上海", "北京"))
    rule_draft(actor=SYSTEM, tag=second, tree=cities("北京"))
    _rules, before = report_of_group(actor=SYSTEM, group=where)
    assert (before.overlap, before.gap.size, len(before.gap.sample)) == (3, 4, 4)

    order = fix_order(actor=SYSTEM, group=where)
    assert (order.report.overlap, tuple(order.trees)) == (0, ("second",))
    assert order.trees["second"] == {"all": [cities("北京"), {"not": cities("上海", "北京")}]}
    assert TagRule.objects.get(tag=second).draft == cities("北京")  # shown is not applied
    ordered = fix_apply(actor=SYSTEM, group=where, fix=order)

    rest = fix_rest(actor=SYSTEM, group=where)
    assert rest.report.is_mece
    rested = fix_apply(actor=SYSTEM, group=where, fix=rest)
    assert report_of_group(actor=SYSTEM, group=where)[1].is_mece
    rules_publish(actor=SYSTEM, group=where)
    rules_refresh(now=NOW)
    made = Tag.objects.get(key=rest.rest_key)
    assert (len(held(first)), len(held(second)), len(held(made))) == (5, 0, 4)
    assert ordered.undone_at is rested.undone_at is None


def test_undoing_a_fix_takes_the_made_tag_away() -> None:
    where = group(exclusive=True)
    first = tag("first", where)
    people(1)
    rule_draft(actor=SYSTEM, tag=first, tree=cities("上海"))
    change = fix_apply(actor=SYSTEM, group=where, fix=fix_rest(actor=SYSTEM, group=where))
    assert Tag.objects.filter(group=where).count() == 2
    rule_change_undo(actor=SYSTEM, public_id=change.public_id)
    assert list(Tag.objects.filter(group=where)) == [first]
    assert TagRule.objects.count() == 1


def test_fixing_twice_changes_nothing_more() -> None:
    where = group(exclusive=True)
    first, second = tag("first", where), tag("second", where)
    people(2, city="上海")
    rule_draft(actor=SYSTEM, tag=first, tree=cities("上海"))
    rule_draft(actor=SYSTEM, tag=second, tree=cities("上海", "北京"))
    fix_apply(actor=SYSTEM, group=where, fix=fix_order(actor=SYSTEM, group=where))
    assert fix_order(actor=SYSTEM, group=where).trees == {}

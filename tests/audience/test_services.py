"""Tagging, exclusive groups, lists, saved audiences: what the database and the services promise."""

from typing import Any, cast

import pytest
from django.db import IntegrityError, transaction

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Role
from hongyan.audience import saved, selectors
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.errors import BadTree, BadValue, HoldsSeveral, InUse
from hongyan.audience.lists import list_add, list_create, list_delete, list_remove
from hongyan.audience.models import ContactTag, SavedAudience, TagChange
from hongyan.audience.people import sample
from hongyan.audience.segments import check, compile_members, explain, tree_hash
from hongyan.audience.tagging import tags, taxonomy
from hongyan.audience.tasks import list_add_members_job, tag_change_undo_job, tag_members_job
from hongyan.audience.types import GroupValues, OnOtherTag, TagValues, Use, UsedKind
from hongyan.audience.usage import register_finder, where_used
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import KindFunction
from tests.audience.factory import NOW, SYSTEM, actor_of, group, held, people, person, tag

pytestmark = pytest.mark.django_db


class Handle:
    """What a job holds: counts what it was told."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def advance(self, done: int, *_more: object) -> None:
        self.seen.append(done)


def ran(job: KindFunction, params: dict[str, Any]) -> dict[str, Any]:
    """The result of a job's function, without a queue."""
    return cast("dict[str, Any]", job(cast("JobHandle", Handle()), params))


def test_tagging_twice_changes_nothing_the_second_time() -> None:
    vip = tag("vip", group())
    ids = [contact.pk for contact in people(3)]
    first = tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=ids)
    second = tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[*ids, 10**12])
    assert (first.added, second.added, second.already) == (3, 0, 3)
    assert second.change_id is None
    assert held(vip) == set(ids)


def test_undo_of_tagging_leaves_those_who_had_it_before() -> None:
    vip = tag("vip", group())
    before, after = people(2)
    tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[before.pk])
    outcome = tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[before.pk, after.pk])
    assert outcome.change_id is not None
    tags.tag_change_undo(actor=SYSTEM, public_id=outcome.change_id)
    assert held(vip) == {before.pk}
    tags.tag_change_undo(actor=SYSTEM, public_id=outcome.change_id)
    assert held(vip) == {before.pk}


def test_undo_of_untagging_gives_the_tag_back() -> None:
    vip = tag("vip", group())
    ids = [contact.pk for contact in people(2)]
    tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=ids)
    outcome = tags.untag_contacts(actor=SYSTEM, tag=vip, contact_ids=ids[:1])
    assert held(vip) == set(ids[1:])
    assert outcome.change_id is not None
    tags.tag_change_undo(actor=SYSTEM, public_id=outcome.change_id)
    assert held(vip) == set(ids)


def test_exclusive_group_replaces_or_keeps_and_undo_restores() -> None:
    levels = group("level", exclusive=True)
    gold, silver = tag("gold", levels), tag("silver", levels)
    one, two = (contact.pk for contact in people(2))
    tags.tag_contacts(actor=SYSTEM, tag=gold, contact_ids=[one])
    kept = tags.tag_contacts(actor=SYSTEM, tag=silver, contact_ids=[one, two], on_other=OnOtherTag.KEEP)
    assert (kept.added, kept.kept, held(gold), held(silver)) == (1, 1, {one}, {two})
    moved = tags.tag_contacts(actor=SYSTEM, tag=silver, contact_ids=[one, two])
    assert (moved.added, moved.replaced, moved.already) == (1, 1, 1)
    assert (held(gold), held(silver)) == (set(), {one, two})
    assert moved.change_id is not None
    tags.tag_change_undo(actor=SYSTEM, public_id=moved.change_id)
    assert (held(gold), held(silver)) == ({one}, {two})


def test_database_itself_refuses_a_second_tag_of_an_exclusive_group() -> None:
    levels = group("level", exclusive=True)
    gold, silver = tag("gold", levels), tag("silver", levels)
    somebody = person()
    values: dict[str, Any] = {"contact": somebody, "group": levels, "source": "test", "at": NOW}
    ContactTag.objects.create(tag=gold, exclusive=True, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactTag.objects.create(tag=silver, exclusive=True, **values)
    with pytest.raises(IntegrityError), transaction.atomic():  # nor can the copy lie about the group
        ContactTag.objects.create(tag=silver, exclusive=False, **values)


def test_group_becomes_exclusive_only_without_overlap() -> None:
    levels = group("level")
    gold, silver = tag("gold", levels), tag("silver", levels)
    somebody, other = person(), person()
    tags.tag_contacts(actor=SYSTEM, tag=gold, contact_ids=[somebody.pk, other.pk])
    tags.tag_contacts(actor=SYSTEM, tag=silver, contact_ids=[somebody.pk])
    with pytest.raises(HoldsSeveral) as refused:
        taxonomy.tag_group_update(actor=SYSTEM, group=levels, name_zh="级别", name_en="", exclusive=True)
    assert refused.value.contacts == 1
    levels.refresh_from_db()
    assert levels.exclusive is False
    tags.untag_contacts(actor=SYSTEM, tag=gold, contact_ids=[somebody.pk])
    taxonomy.tag_group_update(actor=SYSTEM, group=levels, name_zh="级别", name_en="", exclusive=True)
    assert set(ContactTag.objects.values_list("exclusive", flat=True)) == {True}


def test_moving_a_tag_into_an_exclusive_group() -> None:
    levels, other_group = group("level", exclusive=True), group("other")
    gold, loose = tag("gold", levels), tag("loose", other_group)
    both, only = person(), person()
    tags.tag_contacts(actor=SYSTEM, tag=gold, contact_ids=[both.pk])
    tags.tag_contacts(actor=SYSTEM, tag=loose, contact_ids=[both.pk, only.pk])
    move: dict[str, Any] = {"name_zh": "散", "name_en": "", "colour": "blue", "group": levels}
    with pytest.raises(HoldsSeveral):
        taxonomy.tag_update(actor=SYSTEM, tag=loose, **move)
    tags.untag_contacts(actor=SYSTEM, tag=gold, contact_ids=[both.pk])
    loose.refresh_from_db()
    taxonomy.tag_update(actor=SYSTEM, tag=loose, **move)
    rows = set(ContactTag.objects.filter(tag=loose).values_list("group_id", "exclusive"))
    assert rows == {(levels.pk, True)}


def test_three_levels_and_no_more() -> None:
    top = group("a")
    second = group("b", parent=top)
    third = group("c", parent=second)
    with pytest.raises(BadValue):
        group("d", parent=third)
    somebody = person()
    deep = tag("deep", third)
    tags.tag_contacts(actor=SYSTEM, tag=deep, contact_ids=[somebody.pk])
    assert selectors.count(actor=SYSTEM, tree={"tag_group": "a"}) == 1


def test_keys_are_made_from_what_people_write() -> None:
    assert taxonomy.key_of("  VIP 客户 / 2026 ") == "vip-客户-2026"
    made = taxonomy.tag_for_key(actor=SYSTEM, key="VIP 客户")
    assert (made.key, made.group.key) == ("vip-客户", "imported")
    assert taxonomy.tag_for_key(actor=SYSTEM, key="vip 客户").pk == made.pk
    with pytest.raises(BadValue):
        taxonomy.tag_for_key(actor=SYSTEM, key=" / ")
    with pytest.raises(BadValue):
        taxonomy.tag_create(actor=SYSTEM, group=made.group, values=TagValues(key="Has Blank", name_zh="x"))
    with pytest.raises(BadValue):
        taxonomy.tag_group_create(actor=SYSTEM, values=GroupValues(key="imported", name_zh="x"))


def test_bulk_tagging_as_a_job_goes_on_where_it_stopped_and_is_undone() -> None:
    vip = tag("vip", group())
    inside = people(5, city="上海")
    people(2, city="北京")
    job, change = tags.tag_members(actor=SYSTEM, tag=vip, tree={"field": "city", "op": "=", "value": "上海"})
    result = ran(tag_members_job, job.params)
    assert result["added"] == 5
    assert held(vip) == {contact.pk for contact in inside}
    again = ran(tag_members_job, job.params)
    assert again["added"] == 0
    change.refresh_from_db()
    assert change.affected == 5
    assert ran(tag_change_undo_job, {"change_id": change.pk}) == {"undone": 5}
    assert held(vip) == set()


def test_bulk_act_holds_the_moment_it_was_asked() -> None:
    """A tree over the tag itself must not chase its own tail while it runs."""
    vip = tag("vip", group())
    everybody = people(4)
    job, _change = tags.tag_members(actor=SYSTEM, tag=vip, tree={"not": {"tag": "vip"}})
    assert ran(tag_members_job, job.params)["added"] == 4
    assert held(vip) == {contact.pk for contact in everybody}


def test_bulk_untagging() -> None:
    vip = tag("vip", group())
    ids = [contact.pk for contact in people(3)]
    tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=ids)
    job, change = tags.tag_members(actor=SYSTEM, tag=vip, tree={"tag": "vip"}, action=TagChange.Action.REMOVE)
    assert ran(tag_members_job, job.params)["removed"] == 3
    assert held(vip) == set()
    tags.tag_change_undo(actor=SYSTEM, public_id=change.public_id)
    assert held(vip) == set(ids)


def test_lists() -> None:
    made = list_create(actor=SYSTEM, name="  展会   2026 ")
    assert made.name == "展会 2026"
    with pytest.raises(BadValue):
        list_create(actor=SYSTEM, name="展会 2026")
    ids = [contact.pk for contact in people(3, city="上海")]
    assert list_add(actor=SYSTEM, contact_list=made, contact_ids=[*ids[:2], 10**12]) == 2
    job_params = {"list_id": made.pk, "tree": {"field": "city", "op": "=", "value": "上海"}, "at": NOW.isoformat()}
    assert ran(list_add_members_job, job_params) == {"added": 1}
    assert selectors.count(actor=SYSTEM, tree={"list": str(made.public_id)}) == 3
    assert list_remove(actor=SYSTEM, contact_list=made, contact_ids=ids[:1]) == 1
    saved.audience_create(actor=SYSTEM, name="A", tree={"not": {"list": str(made.public_id)}})
    with pytest.raises(InUse):
        list_delete(actor=SYSTEM, contact_list=made)


def test_erasing_a_contact_takes_its_memberships_along() -> None:
    vip = tag("vip", group())
    somebody = person()
    made = list_create(actor=SYSTEM, name="L")
    tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[somebody.pk])
    list_add(actor=SYSTEM, contact_list=made, contact_ids=[somebody.pk])
    from django.db import connection

    with connection.cursor() as cursor:  # as a bulk statement would, without the ORM's own cascade
        cursor.execute("DELETE FROM contacts_contact WHERE id = %s", [somebody.pk])
    assert held(vip) == set()
    assert made.members.count() == 0


def test_saved_audience_keeps_versions_and_refuses_circles() -> None:
    first = saved.audience_create(actor=SYSTEM, name="A", tree={"everyone": True})
    second = saved.audience_create(actor=SYSTEM, name="B", tree={"not": {"audience": str(first.public_id)}})
    with pytest.raises(BadTree) as refused:
        saved.audience_update(actor=SYSTEM, audience=first, name="A", tree={"audience": str(second.public_id)})
    assert refused.value.problems[0].code == "circle"
    with pytest.raises(InUse):
        saved.audience_delete(actor=SYSTEM, audience=first)
    same = {"all": [{"everyone": True}]}
    assert saved.audience_update(actor=SYSTEM, audience=first, name="A2", tree=same).current == 1
    changed = saved.audience_update(actor=SYSTEM, audience=first, name="A2", tree={"not": {"everyone": True}})
    assert (changed.current, changed.versions.count()) == (2, 2)
    copy = saved.audience_duplicate(actor=SYSTEM, audience=second)
    assert copy.name.startswith("B")
    saved.audience_delete(actor=SYSTEM, audience=copy)
    saved.audience_delete(actor=SYSTEM, audience=second)
    saved.audience_delete(actor=SYSTEM, audience=first)
    assert not SavedAudience.objects.exists()


def test_the_hash_changes_with_an_audience_inside() -> None:
    inner = saved.audience_create(actor=SYSTEM, name="A", tree={"everyone": True})
    tree = {"audience": str(inner.public_id)}
    before = tree_hash(tree)
    saved.audience_update(actor=SYSTEM, audience=inner, name="renamed", tree={"everyone": True})
    assert tree_hash(tree) == before
    saved.audience_update(actor=SYSTEM, audience=inner, name="A", tree={"not": {"everyone": True}})
    assert tree_hash(tree) != before


def test_where_used_asks_the_rooms_above() -> None:
    tag("vip", group())
    uses = [Use("campaign", "Spring")]
    register_finder(lambda kind, key: uses if (kind, key) == (UsedKind.TAG, "vip") else [])
    saved.audience_create(actor=SYSTEM, name="VIPs", tree={"any": [{"tag": "vip"}]})
    assert [use.name for use in where_used(UsedKind.TAG, "vip")] == ["VIPs", "Spring"]
    assert where_used(UsedKind.TAG, "gold") == []
    with pytest.raises(InUse):
        taxonomy.tag_delete(actor=SYSTEM, tag=tags.tag_by_key("vip"))


def test_a_tag_that_went_makes_the_tree_wrong_not_everyone() -> None:
    people(3)
    assert [problem.code for problem in check({"not": {"tag": "gone"}})] == ["unknown_tag"]
    with pytest.raises(BadTree):
        compile_members({"not": {"tag": "gone"}})
    with pytest.raises(BadTree):
        compile_members(None)


def test_breakdown_names_why_people_are_left_out() -> None:
    people(2)
    person(has_email=True)
    found = selectors.breakdown(actor=SYSTEM, tree={"everyone": True})
    assert (found.total, found.reachable, dict(found.excluded)) == (3, 0, {"no_email": 2, "no_consent": 1})


def test_suggestions_are_real_values_with_names() -> None:
    people(2, country="CN", city="上海")
    people(1, country="DE", city="Berlin")
    found = selectors.suggest(actor=SYSTEM, field="country", text="", language="zh-hans")
    assert [(item.value, item.label, item.contacts) for item in found] == [("CN", "中国", 2), ("DE", "德国", 1)]
    by_name = selectors.suggest(actor=SYSTEM, field="country", text="germ", language="en")
    assert [item.value for item in by_name] == ["DE"]
    assert [item.value for item in selectors.suggest(actor=SYSTEM, field="city", text="berl", language="en")] == [
        "Berlin"
    ]
    assert selectors.suggest(actor=SYSTEM, field="full_name", text="", language="en") == []


def test_catalogue_takes_a_fixed_number_of_queries(django_assert_max_num_queries: Any) -> None:
    in_group = group()
    for number in range(5):
        tag(f"t{number}", in_group)
        list_create(actor=SYSTEM, name=f"L{number}")
        saved.audience_create(actor=SYSTEM, name=f"A{number}", tree={"tag": f"t{number}"})
    with django_assert_max_num_queries(8):
        catalogue = catalogue_now()
    assert len(catalogue.audiences) == 5


SENTENCES = [
    (
        {
            "event": "order_completed",
            "measure": "sum",
            "property": "total",
            "op": ">=",
            "value": 1000,
            "within_days": 90,
        },
        "Contacts whose total “total” of “placed an order” in the last 90 days is at least 1000",
        "最近 90 天内“下单”的“总额”合计至少为 1000 的联系人",
    ),
    (
        {"event": "email_opened", "measure": "last_at", "op": "before", "value": "2026-06-01"},
        "Contacts whose last “opened a mail” is before 2026-06-01",
        "最近一次“打开邮件”的时间早于 2026-06-01 的联系人",
    ),
    (
        {"sequence": [{"event": "product_added"}, {"not_event": "order_completed", "within": {"hours": 2}}]},
        "Contacts who did “put a product into the cart”, then not “placed an order” within 2 hours",
        "有过“加入购物车”，之后 2 小时内没有“下单”的联系人",
    ),
    (
        {"event": "order_completed", "where": {"property": "ship_by", "op": "within_next_days", "value": 3}},
        "Contacts who did “placed an order” (where ship_by is within the next 3 days)",
        "有过“下单”（其中 ship_by 在未来 3 天内）的联系人",
    ),
    (
        {
            "not": {
                "event": "order_completed",
                "measure": "last",
                "property": "ship_by",
                "op": "before",
                "value": "2026-12-01",
            }
        },
        "Contacts whose “ship_by” at the last “placed an order” is not before 2026-12-01",
        "最近一次“下单”的“ship_by”不早于 2026-12-01 的联系人",
    ),
    ({"field": "country", "op": "=", "value": "CN"}, "Contacts whose country is “China”", "国家/地区是“中国”的联系人"),
    ({"everyone": True}, "All contacts", "所有联系人"),
    (
        {"all": [{"field": "city", "op": "=", "value": "上海"}, {"tag": "vip"}]},
        "Contacts whose city is “上海” and who have the tag “VIP”",
        "城市是“上海”，并且有标签“贵宾”的联系人",
    ),
    (
        {"any": [{"not": {"tag": "vip"}}, {"event": "email_opened", "count": 3, "within_days": 90}]},
        "Contacts who do not have the tag “VIP” or who did “opened a mail” at least 3 times in the last 90 days",
        "没有标签“贵宾”，或者最近 90 天内“打开邮件”至少 3 次的联系人",
    ),
    (
        {"event": "order_completed", "op": "=", "count": 0, "within_days": 30},
        "Contacts who did not “placed an order” in the last 30 days",
        "最近 30 天内没有“下单”的联系人",
    ),
]


@pytest.mark.parametrize(("tree", "english", "chinese"), SENTENCES)
def test_sentences(tree: Any, english: str, chinese: str) -> None:
    tag("vip", group(), name_zh="贵宾", name_en="VIP")
    assert explain(tree, "en") == english
    assert explain(tree, "zh-hans") == chinese


def test_roles() -> None:
    vip = tag("vip", group())
    somebody = person()
    for role in (Role.APPROVER, Role.ANALYST, Role.SALES, Role.SUPPORT):
        actor = actor_of(role)
        with pytest.raises(PermissionRefused):
            tags.tag_contacts(actor=actor, tag=vip, contact_ids=[somebody.pk])
        with pytest.raises(PermissionRefused):
            saved.audience_create(actor=actor, name="x", tree={"everyone": True})
        assert selectors.count(actor=actor, tree={"everyone": True}) == 1
    marketer = actor_of(Role.MARKETER)
    assert tags.tag_contacts(actor=marketer, tag=vip, contact_ids=[somebody.pk]).added == 1
    nobody = type(marketer)(kind="api_key", id=None, label="empty")
    for read in (selectors.count, sample, selectors.breakdown):
        with pytest.raises(PermissionRefused):
            read(actor=nobody, tree={"everyone": True})

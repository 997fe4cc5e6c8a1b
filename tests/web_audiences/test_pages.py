"""Pages and JSON of the audiences area, through the test client."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.audience import saved
from hongyan.audience.lists import list_add, list_create
from hongyan.audience.models import ContactList, SavedAudience, Tag, TagGroup
from hongyan.audience.tagging import tags
from tests.audience.factory import SYSTEM, group, held, people, tag
from tests.browser import staff

pytestmark = pytest.mark.django_db
SHANGHAI = {"field": "city", "op": "=", "value": "上海"}


def signed_in(role: Role, language: str = "en") -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(staff(role, language=language))
    return client


@pytest.fixture
def marketer() -> Client:
    return signed_in(Role.MARKETER)


def test_every_page_opens_in_both_languages() -> None:
    in_group = group("level", exclusive=True)
    vip = tag("vip", in_group, name_en="VIP", name_zh="贵宾")
    members = people(3, city="上海", country="CN", language="zh")
    tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[members[0].pk])
    made = list_create(actor=SYSTEM, name="Fair")
    list_add(actor=SYSTEM, contact_list=made, contact_ids=[contact.pk for contact in members])
    audience = saved.audience_create(actor=SYSTEM, name="Shanghai", tree={"all": [SHANGHAI, {"tag": "vip"}]})
    pages = [
        reverse("audiences:index"),
        reverse("audiences:create"),
        reverse("audiences:audience", args=[audience.public_id]),
        reverse("audiences:edit", args=[audience.public_id]),
        reverse("audiences:tags"),
        reverse("audiences:group_create"),
        reverse("audiences:group_edit", args=[in_group.public_id]),
        reverse("audiences:tag_create"),
        reverse("audiences:tag_edit", args=[vip.public_id]),
        reverse("audiences:list_create"),
        reverse("audiences:list", args=[made.public_id]),
        reverse("audiences:list_edit", args=[made.public_id]),
        reverse("audiences:list_fill", args=[made.public_id]),
    ]
    for language, word in (("en", "Audiences"), ("zh-hans", "受众")):
        client = signed_in(Role.MARKETER, language)
        for page in pages:
            answer = client.get(page)
            assert answer.status_code == 200, page
            assert word in answer.content.decode(), page


def test_saving_a_wrong_tree_keeps_what_was_typed(marketer: Client) -> None:
    url = reverse("audiences:create")
    answer = marketer.post(url, {"name": "A", "tree": json.dumps({"all": [{"tag": "gone"}]})})
    assert answer.status_code == 422
    assert "This tag does not exist." in answer.content.decode()
    assert "gone" in answer.content.decode()
    assert marketer.post(url, {"name": "A", "tree": ""}).status_code == 422
    assert not SavedAudience.objects.exists()


def test_an_audience_is_made_changed_copied_and_deleted(marketer: Client) -> None:
    marketer.post(reverse("audiences:create"), {"name": "A", "tree": json.dumps(SHANGHAI)})
    made = SavedAudience.objects.get()
    marketer.post(reverse("audiences:edit", args=[made.public_id]), {"name": "B", "tree": '{"everyone": true}'})
    made.refresh_from_db()
    assert (made.name, made.current) == ("B", 2)
    marketer.post(reverse("audiences:copy", args=[made.public_id]))
    assert SavedAudience.objects.count() == 2
    marketer.post(reverse("audiences:delete", args=[made.public_id]))
    assert SavedAudience.objects.count() == 1


def test_deleting_what_is_used_is_refused_with_the_reason(marketer: Client) -> None:
    made = saved.audience_create(actor=SYSTEM, name="Inner", tree={"everyone": True})
    saved.audience_create(actor=SYSTEM, name="Outer", tree={"audience": str(made.public_id)})
    answer = marketer.post(reverse("audiences:delete", args=[made.public_id]), follow=True)
    assert "It is still used by: Outer" in answer.content.decode()
    assert SavedAudience.objects.count() == 2


def test_a_broken_definition_is_shown_as_such(marketer: Client) -> None:
    vip = tag("vip", group())
    made = saved.audience_create(actor=SYSTEM, name="VIPs", tree={"tag": "vip"})
    Tag.objects.filter(pk=vip.pk).delete()
    for page in (reverse("audiences:index"), reverse("audiences:audience", args=[made.public_id])):
        assert "The definition is no longer right" in marketer.get(page).content.decode()


def test_tags_and_groups_through_forms(marketer: Client) -> None:
    marketer.post(reverse("audiences:group_create"), {"name_zh": "级别", "name_en": "Level"})
    made = TagGroup.objects.get(key="level")
    data = {"name_zh": "金卡", "name_en": "Gold", "colour": "amber", "group": made.public_id}
    marketer.post(reverse("audiences:tag_create"), data)
    gold = Tag.objects.get(key="gold")
    silver = tag("silver", made)
    somebody = people(1)[0]
    for one in (gold, silver):
        tags.tag_contacts(actor=SYSTEM, tag=one, contact_ids=[somebody.pk])
    answer = marketer.post(
        reverse("audiences:group_edit", args=[made.public_id]), {"name_zh": "级别", "exclusive": "on"}
    )
    assert answer.status_code == 422
    assert "1 contacts hold more than one tag of this group" in answer.content.decode()
    answer = marketer.post(reverse("audiences:group_delete", args=[made.public_id]), follow=True)
    assert "still has tags" in answer.content.decode()


def test_a_change_is_undone_from_the_page_of_the_tag(marketer: Client) -> None:
    vip = tag("vip", group())
    outcome = tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[people(1)[0].pk])
    marketer.post(reverse("audiences:change_undo", args=[outcome.change_id]))
    assert held(vip) == set()


def test_people_are_taken_off_a_list(marketer: Client) -> None:
    made = list_create(actor=SYSTEM, name="Fair")
    one, two = people(2)
    list_add(actor=SYSTEM, contact_list=made, contact_ids=[one.pk, two.pk])
    marketer.post(reverse("audiences:list_remove", args=[made.public_id]), {"ids": [str(one.public_id), "nonsense"]})
    assert list(made.members.values_list("contact_id", flat=True)) == [two.pk]


def test_who_only_looks_cannot_change() -> None:
    vip = tag("vip", group())
    audience = saved.audience_create(actor=SYSTEM, name="A", tree={"everyone": True})
    analyst = signed_in(Role.ANALYST)
    assert analyst.get(reverse("audiences:index")).status_code == 200
    assert analyst.get(reverse("audiences:audience", args=[audience.public_id])).status_code == 200
    refused = [
        analyst.get(reverse("audiences:create")),
        analyst.post(reverse("audiences:create"), {"name": "B", "tree": '{"everyone": true}'}),
        analyst.post(reverse("audiences:delete", args=[audience.public_id])),
        analyst.post(reverse("audiences:copy", args=[audience.public_id])),
        analyst.post(reverse("audiences:tagging", args=[audience.public_id]), {"tag": "vip", "act": "add"}),
        analyst.post(reverse("audiences:tag_delete", args=[vip.public_id])),
        analyst.post(reverse("audiences:group_create"), {"name_zh": "x"}),
        analyst.post(reverse("audiences:list_create"), {"name": "x"}),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert (SavedAudience.objects.count(), ContactList.objects.count()) == (1, 0)


def test_strangers_see_nothing() -> None:
    client = Client()
    assert client.get(reverse("audiences:index")).status_code == 302
    assert client.post(reverse("audiences:preview"), "{}", content_type="application/json").status_code == 302


def test_overview_takes_a_bounded_number_of_queries(marketer: Client, django_assert_max_num_queries: Any) -> None:
    in_group = group()
    for number in range(8):
        tag(f"t{number}", in_group)
        list_create(actor=SYSTEM, name=f"L{number}")
    marketer.get(reverse("audiences:index"))
    with django_assert_max_num_queries(15):
        marketer.get(reverse("audiences:index"))


def test_palette_finds_audiences_lists_and_tags() -> None:
    from hongyan.web.audiences.search import audiences

    tag("spring", group())
    list_create(actor=SYSTEM, name="Spring fair")
    saved.audience_create(actor=SYSTEM, name="Spring buyers", tree={"everyone": True})
    assert [hit.title for hit in audiences(SYSTEM, "spring", 10)] == ["Spring buyers", "Spring fair", "spring"]
    assert audiences(SYSTEM, "", 10) == []

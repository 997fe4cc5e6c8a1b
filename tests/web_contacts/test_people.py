"""The list and the page of a person, per role."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from hongyan.accounts.models import SavedView
from hongyan.accounts.permissions import Role
from hongyan.audience.lists import list_add, list_create
from hongyan.audience.tagging.tags import tag_contacts
from hongyan.contacts.consent import consent_record
from hongyan.contacts.fields import field_create
from hongyan.contacts.models import ConsentState, Contact, Suppression, Tombstone, Topic
from hongyan.contacts.normalise.places import country
from hongyan.contacts.selectors import identities
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ConsentAction, ContactValues, Evidence
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.web.contacts.editing import ContactForm
from tests.audience.factory import SYSTEM, group, held, tag
from tests.browser import OpenPage, Site, axe_check, staff

pytestmark = pytest.mark.django_db
LIST = "/contacts/"


def signed_in(role: Role, language: str = "en") -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(staff(role, language=language))
    return client


def person(**values: Any) -> Contact:
    return contact_create(
        actor=SYSTEM, values=ContactValues({"full_name": "王小明", "email": "xm@example.com", **values}), source="api"
    )


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def page_of(contact: Contact) -> str:
    return reverse("contacts:contact", args=[contact.public_id])


def test_an_empty_list_says_what_to_do_first() -> None:
    shown = text_of(signed_in(Role.MARKETER).get(LIST))
    assert "No contacts yet" in shown
    assert reverse("imports:new") in shown
    assert "还没有联系人" in text_of(signed_in(Role.MARKETER, "zh-hans").get(LIST))


def test_who_sees_names_and_who_sees_stars() -> None:
    somebody = person()
    for path in (LIST, page_of(somebody)):
        clear, masked = text_of(signed_in(Role.SALES).get(path)), text_of(signed_in(Role.MARKETER).get(path))
        assert "王小明" in clear
        assert "xm@example.com" in clear
        assert "王小明" not in masked
        assert "xm@example.com" not in masked
        assert "x***@example.com" in masked


def test_a_search_leaves_no_name_in_the_address() -> None:
    person(city="上海")
    contact_create(actor=SYSTEM, values=ContactValues({"full_name": "Ada Lovelace"}), source="api")
    client = signed_in(Role.SALES)
    answer = client.post(reverse("contacts:search"), {"text": "王小明", "query": "city=上海&after=x~1"})
    assert answer.status_code == 302
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert set(asked) == {"q", "city"}
    assert "王" not in answer["Location"]
    shown = text_of(client.get(answer["Location"]))
    assert "王小明" in shown
    assert "Lovelace" not in shown
    assert "Lovelace" in text_of(
        signed_in(Role.SALES).get(answer["Location"].replace("city=", "x="))
    )  # sealed for one user


def test_filters_and_chips() -> None:
    shanghai, berlin = person(city="上海", country="CN"), person(email="b@example.com", city="Berlin", country="DE")
    vip, fair = tag("vip", group(), name_en="Very important"), list_create(actor=SYSTEM, name="Fair")
    tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[shanghai.pk])
    list_add(actor=SYSTEM, contact_list=fair, contact_ids=[berlin.pk])
    client = signed_in(Role.SALES)
    for query, (wanted, other) in {
        "city=Berlin": (berlin, shanghai),
        "country=CN": (shanghai, berlin),
        "tag=vip": (shanghai, berlin),
        f"list={fair.public_id}": (berlin, shanghai),
    }.items():
        shown = text_of(client.get(f"{LIST}?{query}"))
        assert str(wanted.public_id) in shown, query
        assert str(other.public_id) not in shown, query
    assert "Nobody matches" in text_of(client.get(LIST + "?tag=gone"))
    assert "Nobody matches" in text_of(client.get(LIST + "?consent=given"))
    assert text_of(client.get(LIST + "?consent=none")).count("row-title") == 2


@pytest.mark.parametrize("query", ["after=nonsense", "after=~", "order=x", "consent=x", "q=%00", "q=AAAA", "list=x"])
def test_nonsense_in_the_address_is_no_failure(query: str) -> None:
    person()
    assert signed_in(Role.SALES).get(f"{LIST}?{query}").status_code == 200


def test_paging_reaches_everybody_once() -> None:
    Contact.objects.bulk_create(Contact(city="上海") for _ in range(120))
    client, found, url = signed_in(Role.MARKETER), list[str](), LIST + "?order=activity"
    for _ in range(3):
        answer = client.get(url)
        found += [str(line.row.public_id) for line in answer.context["lines"]]
        url = f"{LIST}?order=activity&after={answer.context['after']}"
    assert answer.context["after"] == ""
    assert len(found) == len(set(found)) == 120


def test_the_list_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        person(email=f"p{number}@example.com")
    client = signed_in(Role.MARKETER)
    client.get(LIST)
    with django_assert_max_num_queries(21):  # eleven here; the others are savepoints and sign-in
        client.get(LIST + "?country=CN")


def test_several_people_are_tagged_untagged_and_listed() -> None:
    one, two = person(), person(email="b@example.com")
    vip, fair = tag("vip", group()), list_create(actor=SYSTEM, name="Fair")
    client, ids = signed_in(Role.MARKETER), [str(one.public_id), str(two.public_id), "nonsense"]
    client.post(reverse("contacts:bulk"), {"ids": ids, "act": "tag", "tag": "vip"})
    assert held(vip) == {one.pk, two.pk}
    client.post(reverse("contacts:bulk"), {"ids": ids[:1], "act": "untag", "tag": "vip"})
    assert held(vip) == {two.pk}
    client.post(reverse("contacts:bulk"), {"ids": ids, "act": "list", "list": fair.public_id})
    assert fair.members.count() == 2
    answer = signed_in(Role.SALES).post(reverse("contacts:bulk"), {"ids": ids, "act": "tag", "tag": "vip"})
    assert answer.status_code == 403


def test_a_view_is_kept_and_deleted() -> None:
    person()
    client = signed_in(Role.MARKETER)
    client.post(reverse("contacts:view_new"), {"name": "Shanghai", "query": "city=上海&after=x&evil=1"})
    view = SavedView.objects.get()
    assert parse_qs(view.query) == {"city": ["上海"]}
    assert "Shanghai" in text_of(client.get(LIST))
    signed_in(Role.MARKETER).post(reverse("contacts:view_remove", args=[view.public_id]))
    assert SavedView.objects.exists()  # somebody else's
    client.post(reverse("contacts:view_remove", args=[view.public_id]))
    assert not SavedView.objects.exists()


def test_a_person_is_added_with_problems_at_their_fields() -> None:
    client, url = signed_in(Role.SUPPORT), reverse("contacts:create")
    assert client.get(url).status_code == 200
    answer = client.post(url, {"email": "nonsense", "country": "Nowhere"})
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "This is not a complete e-mail address." in shown
    assert "This country is not known" in shown
    assert client.post(url, {}).status_code == 422
    answer = client.post(url, {"full_name": "李雷", "email": "ll@example.com", "sex": "1", "country": "中国"})
    made = Contact.objects.get()
    assert answer["Location"] == page_of(made)
    assert (made.sex, made.country, made.source) == (1, "CN", "staff")
    answer = client.post(url, {"email": "LL@example.com"})
    assert answer.status_code == 422
    assert page_of(made) in answer.content.decode()


def test_editing_changes_only_what_was_changed() -> None:
    field_create(actor=SYSTEM, key="size", label_zh="尺码", label_en="Size", type="text")
    somebody = person(city="上海", country="DE", **{"custom.size": "M"})
    client, url = signed_in(Role.SALES), reverse("contacts:edit", args=[somebody.public_id])
    form = client.get(url).context["form"]
    data = {bound.html_name: bound.value() or "" for bound in form}
    assert (data["family_name"], data["country"]) == ("王", "Germany")
    client.post(url, {**data, "given_name": "大明", "city": "北京", "custom.size": "L"})
    somebody.refresh_from_db()
    identity = identities([somebody.pk])[somebody.pk]
    assert (identity.full_name, identity.email) == ("王大明", "xm@example.com")
    assert (somebody.city, somebody.attributes) == ("北京", {"size": "L"})
    assert somebody.provenance["email"][0] == "api"
    assert somebody.provenance["city"][0] == "staff"
    assert (somebody.country, somebody.provenance["country"][0]) == ("DE", "api")


@pytest.mark.parametrize("code", ["en", "zh-hans"])
def test_every_country_suggested_is_understood(code: str) -> None:
    with translation.override(code):
        offered = dict(ContactForm(identities=True).suggestions())["country"]
    assert len(offered) > 200
    assert [name for name, code in offered if country(name) != code] == []


def test_who_sees_stars_does_not_write_over_them() -> None:
    somebody = person()
    client, url = signed_in(Role.MARKETER), reverse("contacts:edit", args=[somebody.public_id])
    assert 'name="email"' not in text_of(client.get(url))
    client.post(url, {"city": "成都", "email": "evil@example.com", "sex": "0"})
    somebody.refresh_from_db()
    assert somebody.city == "成都"
    assert identities([somebody.pk])[somebody.pk].email == "xm@example.com"
    assert signed_in(Role.ANALYST).get(url).status_code == 403


def test_the_page_tells_what_happened() -> None:
    somebody = person()
    append(
        [
            NewEvent(somebody.pk, "order_completed", clock.now(), "shop", {"total_minor": 123450, "currency": "GBP"}),
            NewEvent(somebody.pk, "email_opened", clock.now(), "edge", {"machine": "apple_privacy"}),
            *(NewEvent(somebody.pk, "product_viewed", clock.now(), "shop") for _ in range(30)),
        ]
    )
    client = signed_in(Role.SALES)
    url = reverse("contacts:timeline", args=[somebody.public_id])
    first = client.post(url)
    more = client.post(url, {"before": first.context["page"].cursor})
    shown = text_of(first) + text_of(more)
    assert "Placed an order: 1,234.50 GBP" in shown
    assert "A machine fetched the pictures" in shown
    assert shown.count("Viewed a product") == 30
    assert not more.context["page"].cursor
    assert reverse("contacts:timeline", args=[somebody.public_id]) in text_of(client.get(page_of(somebody)))


def test_tags_and_lists_of_one_person() -> None:
    somebody, vip, fair = person(), tag("vip", group()), list_create(actor=SYSTEM, name="Fair")
    client = signed_in(Role.MARKETER)
    client.post(reverse("contacts:contact_tags", args=[somebody.public_id]), {"tag": "vip"})
    client.post(reverse("contacts:contact_lists", args=[somebody.public_id]), {"list": fair.public_id})
    assert (held(vip), fair.members.count()) == ({somebody.pk}, 1)
    client.post(reverse("contacts:contact_tags", args=[somebody.public_id]), {"tag": "vip", "act": "remove"})
    client.post(reverse("contacts:contact_lists", args=[somebody.public_id]), {"list": fair.public_id, "act": "remove"})
    assert (held(vip), fair.members.count()) == (set(), 0)


def test_consent_is_recorded_with_how_it_came_about() -> None:
    somebody, topic = person(), Topic.objects.all()[0]
    url = reverse("contacts:contact_consent", args=[somebody.public_id])
    data = {"action": "given", "channel": "email", "topic": topic.key}
    client = signed_in(Role.SUPPORT)
    client.post(url, data)  # without saying how
    assert not ConsentState.objects.exists()
    client.post(url, {**data, "wording": "Signed at the fair", "occurred_at": "2026-01-02T10:00"})
    assert ConsentState.objects.get().state == "given"
    assert "Signed at the fair" in text_of(client.get(page_of(somebody) + "?tab=consent"))
    client.post(url, {**data, "topic": "", "action": "withdrawn", "wording": "By phone"})
    assert set(ConsentState.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert "Only the person can take this back." in text_of(client.get(page_of(somebody) + "?tab=consent"))
    assert signed_in(Role.MARKETER).post(url, {**data, "wording": "x"}).status_code == 403


def test_an_address_is_suppressed_and_the_stop_lifted() -> None:
    somebody = person()
    url, client = reverse("contacts:contact_suppression", args=[somebody.public_id]), signed_in(Role.SUPPORT)
    client.post(url, {"act": "add"})
    row = Suppression.objects.get()
    assert row.reason == "manual"
    assert "suppressed by hand" in text_of(client.get(page_of(somebody)))
    client.post(url, {"act": "lift", "row": row.pk})
    assert not Suppression.objects.exists()
    assert signed_in(Role.MARKETER).post(url, {"act": "add"}).status_code == 403


def test_erasing_needs_the_word_and_an_unchanged_person() -> None:
    somebody = person()
    consent_record(
        actor=SYSTEM,
        contact_id=somebody.pk,
        channel="email",
        topic_key=None,
        action=ConsentAction.GIVEN,
        evidence=Evidence(method="staff"),
    )
    url, client = reverse("contacts:erase", args=[somebody.public_id]), signed_in(Role.PRIVACY_OFFICER)
    seen = client.get(page_of(somebody)).context["seen"]
    client.post(url, {"seen": seen, "reason": "request", "typed": "no"})
    client.post(url, {"seen": "2026-01-01T00:00:00+00:00", "reason": "request", "typed": "erase"})
    assert Contact.objects.exists()
    assert signed_in(Role.SUPPORT).post(url, {"seen": seen, "reason": "request", "typed": "erase"}).status_code == 403
    shown = text_of(client.post(url, {"seen": seen, "reason": "request", "typed": "erase"}))
    assert Tombstone.objects.get().digest in shown
    assert not Contact.objects.exists()
    assert client.get(page_of(somebody)).status_code == 404


def test_everything_about_a_person_is_handed_out_to_those_who_may() -> None:
    somebody = person(city="上海")
    append([NewEvent(somebody.pk, "product_viewed", clock.now(), "shop")])
    tag_contacts(actor=SYSTEM, tag=tag("vip", group()), contact_ids=[somebody.pk])
    url = reverse("contacts:contact_export", args=[somebody.public_id])
    answer = signed_in(Role.PRIVACY_OFFICER).post(url)
    held_data = json.loads(answer.content)
    assert answer["Content-Disposition"].startswith("attachment")
    assert held_data["contact"]["identity"]["email"] == "xm@example.com"
    assert [event["name"] for event in held_data["events"]] == ["product_viewed"]
    assert "vip" in json.dumps(held_data["tags_and_lists"])
    assert signed_in(Role.SALES).post(url).status_code == 403


def test_palette_finds_people_masked_for_those_who_may_not_see() -> None:
    somebody = person(city="上海")
    for role, name in ((Role.SALES, "王小明"), (Role.MARKETER, "王**")):
        answer = signed_in(role).post(reverse("home:search"), {"q": "小明"})
        hits = [hit for hit in answer.json()["hits"] if hit["url"] == page_of(somebody)]
        assert [hit["title"] for hit in hits] == [name]


def test_strangers_see_nothing() -> None:
    somebody = person()
    for url in (LIST, page_of(somebody), reverse("contacts:create")):
        assert Client().get(url).status_code == 302


@pytest.mark.browser
def test_list_and_page_in_a_browser(site: Site, open_page: OpenPage) -> None:
    somebody = person(city="上海", country="CN")
    tag_contacts(actor=SYSTEM, tag=tag("vip", group()), contact_ids=[somebody.pk])
    append([NewEvent(somebody.pk, "product_viewed", clock.now(), "shop") for _ in range(30)])
    page = open_page(LIST, role=Role.PRIVACY_OFFICER, language="en")
    page.get_by_role("searchbox", name="Search people by name, e-mail or phone").fill("wang")
    page.keyboard.press("Enter")
    page.get_by_text("found for “wang”").wait_for()
    axe_check(page)
    page.get_by_role("link", name="王小明").click()
    page.get_by_role("heading", name="Timeline").wait_for()
    axe_check(page)
    page.wait_for_selector(".timeline-item")
    page.mouse.wheel(0, 9000)  # the rest comes by itself
    page.get_by_text("This is the beginning.").wait_for()
    assert page.get_by_text("Viewed a product").count() == 30
    page.get_by_role("link", name="Copy and erase").click()
    page.wait_for_selector("hy-confirm:defined", state="attached")
    page.get_by_role("button", name="Erase this person…").click()
    page.get_by_label("Type “erase” to confirm").fill("erase")
    page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    page.get_by_text("Keep this receipt").wait_for()
    assert not Contact.objects.exists()

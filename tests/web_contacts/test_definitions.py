"""Fields, topics, sign-up forms and the suppression list as staff define them."""

import re
from typing import Any

import pytest
from django.test import Client

from hongyan.accounts.permissions import Role
from hongyan.audit.models import AuditEntry
from hongyan.contacts.models import FieldDefinition, SignupForm, Suppression, Topic
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from tests.browser import OpenPage, axe_check, staff
from tests.contacts.signups import ACTOR, TEXTS, sign_up, signup_form

PAGES = {
    "fields/": "a",
    "fields/new-field/": "a",
    "topics/": "a",
    "topics/new-topic/": "a",
    "topics/newsletter/": "a",
    "forms/": "a",
    "forms/new/": "a",
    "suppressions/": "ad",
    "suppressions/new/": "ad",
}
CAST = {"a": Role.ADMINISTRATOR, "d": Role.PRIVACY_OFFICER, "m": Role.MARKETER, "s": Role.SALES}


def signed_in(role: Role = Role.ADMINISTRATOR, language: str = "en") -> Client:
    client = Client()
    client.force_login(staff(role, language=language))
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("letter", list(CAST))
def test_who_may_open_which_page(letter: str, language: str) -> None:
    client = signed_in(CAST[letter], language)
    answers = {page: client.get(f"/contacts/{page}").status_code for page in PAGES}
    assert answers == {page: 200 if letter in allowed else 403 for page, allowed in PAGES.items()}


@pytest.mark.django_db
def test_those_who_may_not_cannot_post_either() -> None:
    form, client = signup_form(), signed_in(Role.MARKETER)
    for path in (
        "fields/new-field/",
        "topics/newsletter/move/",
        f"forms/{form.public_id}/archiving/",
        "suppressions/new/",
    ):
        assert client.post(f"/contacts/{path}", {"key": "level"}).status_code == 403
    assert not FieldDefinition.objects.exists()
    form.refresh_from_db()
    assert form.active


def field(**changes: Any) -> dict[str, Any]:
    return {
        "key": "level",
        "label_zh": "等级",
        "label_en": "Level",
        "type": "choice",
        "options": "gold | 金卡 | Gold\nbasic",
        **changes,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "label"), [("en", "Level"), ("zh-hans", "等级")])
def test_a_field_from_creation_to_archive(language: str, label: str) -> None:
    client = signed_in(language=language)
    assert client.post("/contacts/fields/new-field/", field()).status_code == 302
    made = FieldDefinition.objects.get()
    assert made.options[0] == {"value": "gold", "label_zh": "金卡", "label_en": "Gold"}
    assert label in client.get("/contacts/fields/").content.decode()
    assert "gold | 金卡 | Gold" in client.get("/contacts/fields/level/").content.decode()

    contact_create(
        actor=ACTOR, values=ContactValues({"email": "a@example.com", "custom.level": "gold"}), source="staff"
    )
    answer = client.post("/contacts/fields/level/", field(type="text"))
    assert answer.status_code == 200
    assert answer.context["form"].errors["type"]
    assert client.post("/contacts/fields/level/", field(label_en="Tier")).status_code == 302
    client.post("/contacts/fields/level/archiving/")
    made.refresh_from_db()
    assert (made.label_en, made.archived_at is not None) == ("Tier", True)
    client.post("/contacts/fields/level/archiving/")
    made.refresh_from_db()
    assert made.archived_at is None


@pytest.mark.django_db
def test_refused_fields_say_what_is_wrong() -> None:
    client = signed_in()
    for name, data in (("key", field(key="email")), ("key", field(key="Über")), ("options", field(options=""))):
        assert client.post("/contacts/fields/new-field/", data).context["form"].errors.keys() == {name}


@pytest.mark.django_db
def test_topics_are_made_moved_and_deleted_while_unused() -> None:
    client = signed_in()
    data = {"key": "club", "name_zh": "会员俱乐部", "name_en": "Club", "legal_class": "commercial", "active": "on"}
    assert client.post("/contacts/topics/new-topic/", data).status_code == 302
    last = list(Topic.objects.order_by("position", "id").values_list("key", flat=True))
    assert last[-1] == "club"
    client.post("/contacts/topics/club/move/", {"direction": "up"})
    assert list(Topic.objects.order_by("position", "id").values_list("key", flat=True))[-2] == "club"
    assert client.post("/contacts/topics/new-topic/", data).context["form"].errors.keys() == {"key"}
    client.post("/contacts/topics/club/", {**data, "active": ""})
    assert not Topic.objects.get(key="club").active
    client.post("/contacts/topics/club/deletion/")
    assert not Topic.objects.filter(key="club").exists()
    sign_up(signup_form())
    answer = client.post("/contacts/topics/newsletter/deletion/", follow=True)
    assert Topic.objects.filter(key="newsletter").exists()
    assert "in use" in answer.content.decode()


def texts() -> dict[str, str]:
    return {
        f"{part}_{'zh' if code.startswith('zh') else 'en'}": text
        for code, parts in TEXTS.items()
        for part, text in parts.items()
    }


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_sign_up_form_from_creation_to_archive(language: str) -> None:
    client = signed_in(language=language)
    assert "我同意" in client.get("/contacts/forms/new/").content.decode()
    data = {
        "name": "Footer",
        "topics": ["newsletter"],
        "redirect_hosts": "www.shop.example",
        "hourly_limit": "9",
        **texts(),
    }
    answer = client.post("/contacts/forms/new/", data)
    made = SignupForm.objects.get()
    assert answer.headers["Location"] == f"/contacts/forms/{made.public_id}/"
    page = client.get(f"/contacts/forms/{made.public_id}/").content.decode()
    assert f"/f/{made.public_id}/embed.js" in page
    assert "&lt;script async" in page
    sign_up(made)
    assert re.search(r'class="num"[^>]*>1<', client.get("/contacts/forms/").content.decode())
    bad = client.post(f"/contacts/forms/{made.public_id}/", {**data, "redirect_hosts": "https://x/", "topics": []})
    assert {"topics"} <= bad.context["form"].errors.keys()
    bad = client.post(f"/contacts/forms/{made.public_id}/", {**data, "redirect_hosts": "https://x/"})
    assert bad.context["form"].errors.keys() == {"redirect_hosts"}
    client.post(f"/contacts/forms/{made.public_id}/archiving/")
    made.refresh_from_db()
    assert not made.active
    assert client.get(f"/contacts/forms/{made.public_id}/").status_code == 200


@pytest.mark.django_db
def test_suppressions_are_added_found_and_lifted() -> None:
    client = signed_in(Role.PRIVACY_OFFICER)
    data = {"kind": "email", "value": "Li.Na@Example.com", "note": "asked by phone"}
    assert client.post("/contacts/suppressions/new/", data).status_code == 302
    row = Suppression.objects.get()
    assert (row.reason, row.domain) == ("manual", "")
    found = client.post("/contacts/suppressions/", {"address": "li.na@example.com"}).content.decode()
    assert "asked by phone" in found
    assert "asked by phone" not in client.post("/contacts/suppressions/", {"address": "x@example.com"}).content.decode()
    assert client.post("/contacts/suppressions/", {"address": "x@"}).status_code == 422
    assert "asked by phone" not in client.get("/contacts/suppressions/?reason=complained").content.decode()
    client.post("/contacts/suppressions/new/", {"kind": "domain", "value": "blocked.example"})
    assert "blocked.example" in client.get("/contacts/suppressions/").content.decode()
    client.post(f"/contacts/suppressions/{row.pk}/lift/")
    assert Suppression.objects.count() == 1
    assert AuditEntry.objects.filter(action="suppression.lifted").exists()
    assert client.post(f"/contacts/suppressions/{row.pk}/lift/").status_code == 302


@pytest.mark.django_db
def test_the_list_goes_on_page_by_page() -> None:
    rows = [Suppression(kind="email", blind=number.to_bytes(16, "big"), reason="manual") for number in range(120)]
    Suppression.objects.bulk_create(rows)
    client, seen, path = signed_in(), set(), "/contacts/suppressions/"
    for _ in range(3):
        answer = client.get(path)
        seen |= {row.id for row, _kind, _reason in answer.context["rows"]}
        path = f"/contacts/suppressions/?after={answer.context['next']}"
    assert (len(seen), answer.context["next"]) == (120, "")
    assert client.get("/contacts/suppressions/?after=nonsense").status_code == 200


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_pages_are_accessible(open_page: OpenPage) -> None:
    form = signup_form()
    sign_up(form)
    axe_check(open_page(f"/f/{form.public_id}/", role=None, width=390))
    administrator = staff(Role.ADMINISTRATOR, language="zh-hans")
    page = open_page("/contacts/forms/", user=administrator, width=390)
    axe_check(page)
    page.goto(page.url + f"{form.public_id}/")
    page.frame_locator("iframe.form-preview").get_by_role("button", name=TEXTS["zh-hans"]["button"]).wait_for()
    axe_check(page)

"""The page of a person as people use it all day: keys, notes, search, menus, neighbours; both languages, axe."""

import pytest
from playwright.sync_api import Page, expect

from hongyan.accounts.permissions import Role
from hongyan.audience.tagging.tags import tag_contacts
from hongyan.contacts.models import Contact, ContactNote
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.factory import SYSTEM, group, tag
from tests.browser import OpenPage, Site, axe_check, staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
WORDS = {
    "en": {"keep": "Keep the note", "note": "Called back", "add": "Add", "search": "Search the timeline", "vip": "VIP"},
    "zh-hans": {"keep": "保存备注", "note": "已回电", "add": "添加", "search": "搜索时间线", "vip": "重要客户"},
}


def crowd() -> list[Contact]:
    people = [
        contact_create(
            actor=SYSTEM,
            values=ContactValues({"full_name": f"Person {n}", "email": f"p{n}@example.com", "city": "上海"}),
            source="api",
        )
        for n in range(3)
    ]
    at = clock.now()
    append(
        [NewEvent(people[1].pk, "page_viewed", at, "web", {"title": f"Page {n}", "path": f"/p/{n}"}) for n in range(80)]
    )
    append([NewEvent(people[1].pk, "order_completed", at, "shop", {"total_minor": 100, "currency": "CNY"})])
    return people


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_day_on_the_page(site: Site, open_page: OpenPage, language: str) -> None:
    people, words = crowd(), WORDS[language]
    vip = tag("vip", group(), name_en="VIP", name_zh="重要客户")
    tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[people[0].pk])
    user = staff(Role.ADMINISTRATOR, language=language)
    page = open_page("/contacts/", user=user, language=language)
    page.wait_for_selector("hy-trail:defined", state="attached")
    page.get_by_role("link", name="Person 1", exact=True).click()
    page.wait_for_selector(".timeline-item")
    page.wait_for_selector("hy-person:defined", state="attached")
    axe_check(page)
    _keep_a_note(page, words)
    page.keyboard.press("/")
    expect(page.get_by_label(words["search"])).to_be_focused()
    page.keyboard.type("/p/7")
    expect(page.locator(".timeline-item")).to_have_count(11)  # 7 and 70 to 79
    page.get_by_label(words["search"]).fill("")
    expect(page.locator(".timeline-item").nth(20)).to_be_attached()
    page.locator(".person-chips label").nth(2).click()
    expect(page.locator(".timeline-item")).to_have_count(1)
    page.locator("h1").click()
    page.keyboard.press("t")
    page.get_by_role("combobox").filter(has_text=words["vip"]).select_option("vip")
    page.get_by_role("button", name=words["add"], exact=True).click()
    expect(page.locator(".tag-list .tag", has_text=words["vip"])).to_be_visible()
    page.wait_for_selector("hy-trail:defined", state="attached")
    expect(page.locator("[data-place]")).to_have_text("2 / 3")
    page.locator("h1").click()
    page.keyboard.press("]")
    expect(page.locator("h1")).to_contain_text("Person 0")
    page.wait_for_selector("hy-palette dialog", state="attached")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").filter(has_text="Person 1")).to_be_visible()  # whom one opened last
    page.keyboard.press("Escape")
    for tab in ("orders", "objects", "consent", "identity", "data"):
        page.goto(f"{site.url}/contacts/{people[1].public_id}/?tab={tab}")
        page.wait_for_load_state("networkidle")
        axe_check(page)


def _keep_a_note(page: Page, words: dict[str, str]) -> None:
    page.keyboard.press("n")
    page.keyboard.type(words["note"])
    page.get_by_role("button", name=words["keep"]).click()
    expect(page.locator(".note", has_text=words["note"])).to_be_visible()
    page.wait_for_selector("hy-person:defined", state="attached")
    assert ContactNote.objects.count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_narrow_and_dark(site: Site, open_page: OpenPage, theme: str) -> None:
    people = crowd()
    page = open_page(f"/contacts/{people[1].public_id}/", role=Role.SALES, theme=theme, width=390)
    page.wait_for_selector(".timeline-item")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    axe_check(page)
    for path in ("/contacts/companies/", "/contacts/objects/", "/contacts/companies/new/"):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        axe_check(page)

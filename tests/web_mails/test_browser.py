"""Writing a mail in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from hongyan.accounts.permissions import Role
from hongyan.content.models import Template
from hongyan.content.selectors import template_version
from tests.browser import OpenPage, Site, axe_check
from tests.web_mails.factory import contact, html_template, ready

pytestmark = pytest.mark.browser


def test_what_is_written_is_saved_shown_and_judged(site: Site, open_page: OpenPage) -> None:
    contact(email="xiaoyu@mail.example", full_name="林小雨", city="上海")
    template = html_template("<p>old</p>")
    page = open_page(f"/mails/{template.public_id}", role=Role.ADMINISTRATOR, language="en")
    source = page.locator("hy-code-editor[data-name=source] .cm-content")
    source.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    _write(page, "<p>Dear {{ contact.full_name }}</p>")
    frame = page.frame_locator("iframe[name=mail-preview]")
    expect(frame.locator("p").first).to_have_text("Dear 林小雨")
    expect(page.locator(".mail-saved")).to_have_text("All changes saved")
    assert template_version(Template.objects.get()).source == "<p>Dear {{ contact.full_name }}</p>"

    page.locator("[data-part=fallbacks]").click()
    page.locator("[data-fallback-rows] input").fill("friend")
    expect(page.locator(".tab-count[data-required]")).to_be_hidden()

    page.locator("[data-part=source]").click()
    source.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    _write(page, "<p>\n{{ contact.nope }}</p>")
    jump = page.get_by_role("button", name="Line 2")
    expect(jump).to_be_visible()
    jump.click()

    page.get_by_role("button", name="Dark").click()
    page.locator("[data-show=text]").click()
    expect(page.locator("[data-show=text]")).to_have_attribute("aria-pressed", "true")


def test_a_mail_is_shown_as_a_chosen_person(site: Site, open_page: OpenPage) -> None:
    contact(email="xiaoyu@mail.example", full_name="林小雨", city="上海")
    contact(email="nobody@mail.example")
    template = html_template("<p>{{ contact.city }}</p>")
    page = open_page(f"/mails/{template.public_id}", role=Role.ADMINISTRATOR, language="en")
    page.locator("[data-people-menu] summary").click()
    page.locator("[data-people-search]").fill("xiaoyu@mail.example")
    page.get_by_role("button", name="林小雨").click()
    expect(page.frame_locator("iframe[name=mail-preview]").locator("p").first).to_have_text("上海")
    page.locator("[data-risky-next]").click()
    expect(page.locator("[data-refusal]")).to_contain_text("contact.city")
    expect(page.locator("[data-why]")).to_contain_text("1/")


def _write(page: Page, text: str) -> None:
    """As one input: typed letter by letter, the editor would close the brackets itself."""
    page.locator("hy-code-editor[data-name=source]").evaluate("(editor, text) => editor.insert(text)", text)


@pytest.mark.parametrize(("language", "theme"), [("zh-hans", "light"), ("en", "dark")])
def test_the_pages_are_accessible(site: Site, open_page: OpenPage, language: str, theme: str) -> None:
    template = ready("promotion")
    page = open_page("/mails/", language=language, theme=theme)
    axe_check(page)
    for path in (
        "/mails/new",
        f"/mails/{template.public_id}",
        f"/mails/{template.public_id}/versions",
        "/mails/snippets",
    ):
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        axe_check(page)


def test_at_the_width_of_a_phone_nothing_overflows(site: Site, open_page: OpenPage) -> None:
    template = ready("newsletter")
    page = open_page(f"/mails/{template.public_id}", width=390)
    for path in ("/mails/", "/mails/new", f"/mails/{template.public_id}"):
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

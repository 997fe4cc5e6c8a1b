"""The frame around every page, in a real browser."""

import re

import pytest
from playwright.sync_api import Route, expect
from playwright.sync_api import TimeoutError as TooLate

from hongyan.accounts.permissions import Role
from tests.browser import OpenPage, axe_check, staff

pytestmark = pytest.mark.browser

PAGES = ["/", "/jobs/", "/account/2fa/", "/account/sessions/", "/account/password/change/", "/nothing/"]


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "light", 1440), ("en", "dark", 390)])
def test_pages_are_accessible(open_page: OpenPage, language: str, theme: str, width: int) -> None:
    page = open_page("/", language=language, theme=theme, width=width)
    for path in PAGES:
        page.goto(re.sub(r"(//[^/]+)/.*", r"\1", page.url) + path)
        axe_check(page)


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_components_are_accessible_and_draw(open_page: OpenPage, theme: str, width: int) -> None:
    page = open_page("/styleguide/?check=1", role=Role.ADMINISTRATOR, theme=theme, width=width)
    page.locator("hy-chart").first.scroll_into_view_if_needed()
    expect(page.locator("hy-chart canvas").first).to_be_visible()
    axe_check(page)


def test_a_button_that_nobody_hears_yet_waits(open_page: OpenPage) -> None:
    page = open_page("/jobs/", role=Role.ADMINISTRATOR)
    held: list[Route] = []

    def hold(route: Route) -> None:  # a slow line
        held.append(route)

    page.route(re.compile(r"/hy-confirm-[^/]*\.js"), hold)
    page.goto(re.sub(r"(//[^/]+)/.*", r"\1", page.url) + "/styleguide/", wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-heard", "")
    button = page.locator("hy-confirm [data-open]").first
    with pytest.raises(TooLate):
        button.click(timeout=300)
    for route in held:
        route.continue_()
    button.click()
    expect(page.locator("hy-confirm dialog").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sign_in_is_accessible(open_page: OpenPage, theme: str) -> None:
    page = open_page("/account/login/", role=None, theme=theme, width=390)
    axe_check(page)


def test_signing_in_with_a_password(open_page: OpenPage) -> None:
    user = staff(Role.MARKETER, email="marketer@example.com")
    page = open_page("/jobs/", role=None, language="en")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill("wrong horse")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".errorlist")).to_be_visible()
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile("/jobs/$"))


def test_palette_walks_by_keys(open_page: OpenPage) -> None:
    page = open_page("/jobs/", language="en")
    page.wait_for_selector("hy-palette dialog", state="attached")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("home")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Home")
    axe_check(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r":\d+/$"))


def test_letters_go_to_rooms_but_not_while_typing(open_page: OpenPage) -> None:
    page = open_page("/jobs/", language="en")
    page.wait_for_selector("hy-palette dialog", state="attached")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("gh")
    expect(page).to_have_url(re.compile("/jobs/$"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox")).to_be_hidden()
    home = re.compile(r":\d+/$")
    for _ in range(5):  # on a busy machine more than the chord's time may pass between two keys
        page.keyboard.press("g")
        page.keyboard.press("h")
        try:
            page.wait_for_url(home, timeout=2_000)
        except TooLate:
            continue
        break
    expect(page).to_have_url(home)


def test_theme_and_language_are_chosen_from_the_bar(open_page: OpenPage) -> None:
    page = open_page("/", language="en")
    page.get_by_label("Appearance").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label("Language").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.get_by_role("heading", level=1)).to_have_text("首页")


def test_rail_stays_collapsed(open_page: OpenPage) -> None:
    page = open_page("/", language="en")
    page.get_by_role("button", name="Collapse").click()
    page.reload()
    expect(page.locator(".shell")).to_have_attribute("data-rail", "closed")


def test_typed_confirmation_holds_the_button(open_page: OpenPage) -> None:
    page = open_page("/styleguide/", role=Role.ADMINISTRATOR, language="en")
    page.wait_for_selector("hy-confirm:defined", state="attached")
    page.locator("hy-confirm [data-open]").click()
    send = page.get_by_role("button", name="Send to 48,201 people")
    expect(send).to_be_disabled()
    page.locator("[data-typed]").fill("48,201")
    expect(send).to_be_enabled()


def test_table_selects_ranges_and_hides_columns(open_page: OpenPage) -> None:
    page = open_page("/styleguide/", role=Role.ADMINISTRATOR, language="en")
    page.wait_for_selector("hy-table:defined", state="attached")
    checks = page.locator(".row-check")
    checks.nth(0).click()
    checks.nth(1).click(modifiers=["Shift"])
    expect(page.locator(".bulk-bar")).to_contain_text("2 selected")
    page.get_by_text("Columns", exact=True).first.click()
    page.locator("[data-column=city]").click()
    expect(page.locator("th[data-col=city]")).to_be_hidden()
    page.reload()
    expect(page.locator("th[data-col=city]")).to_be_hidden()

"""The builder in a real browser: an audience is built, counted, undone, saved and looked at."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hongyan.audience import tags
from hongyan.audience.models import SavedAudience
from tests.audience.factory import SYSTEM, group, people, tag
from tests.browser import OpenPage, axe_check

pytestmark = pytest.mark.browser


@pytest.fixture
def folk(site: object) -> None:
    vip = tag("vip", group("value"), name_zh="贵宾", name_en="VIP")
    shanghai = people(12, city="上海", country="CN", language="zh-Hans")
    people(30, city="北京", country="CN", language="zh-Hans")
    people(8, city="Berlin", country="DE", language="de")
    tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[contact.pk for contact in shanghai[:5]])


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("HONGYAN_TEST_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(
    ("language", "add", "city"), [("zh-hans", "添加条件", "城市"), ("en", "Add a condition", "City")]
)
def test_building_an_audience(folk: None, open_page: OpenPage, language: str, add: str, city: str) -> None:
    page = open_page("/audiences/new/", language=language)
    builder = page.locator("hy-audience-builder")
    builder.get_by_label(add).select_option("field:city")
    builder.get_by_label(city, exact=True).fill("上海")
    number = builder.locator(".ab-number-big")
    expect(number).to_have_text("12")
    builder.get_by_label(add).select_option("tag")
    expect(number).to_have_text("5")
    expect(builder.locator(".ab-count")).to_have_text(["12", "5"])
    builder.locator(".ab-not").nth(1).click()
    expect(number).to_have_text("7")
    page.keyboard.press("Control+z")
    expect(number).to_have_text("5")
    axe_check(page)
    picture(page, f"builder-{language}")
    page.locator("input[name=name]").fill("VIP 上海")
    page.locator("button.btn-primary").click()
    expect(page.locator("h1")).to_contain_text("VIP 上海")
    assert SavedAudience.objects.get().versions.get().tree == {
        "all": [{"field": "city", "op": "=", "value": "上海"}, {"tag": "vip"}]
    }
    axe_check(page)
    picture(page, f"audience-{language}")


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "dark", 390), ("en", "light", 1440)])
def test_pages_are_accessible(folk: None, open_page: OpenPage, language: str, theme: str, width: int) -> None:
    for path, name in (("/audiences/", "index"), ("/audiences/tags/", "tags"), ("/audiences/new/", "new")):
        page = open_page(path, language=language, theme=theme, width=width)
        page.wait_for_load_state("networkidle")
        axe_check(page)
        picture(page, f"{name}-{language}-{theme}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_wrong_part_is_marked_at_its_place(folk: None, open_page: OpenPage) -> None:
    page = open_page("/audiences/new/", language="en")
    builder = page.locator("hy-audience-builder")
    builder.get_by_label("Add a condition").select_option("tag")
    expect(builder.locator(".ab-number-big")).to_have_text("5")
    builder.get_by_label("Add a condition").select_option("field:created_at")
    expect(builder.locator(".ab-row").nth(1)).to_contain_text("A value is missing.")
    expect(builder.locator(".ab-row").nth(0).locator(".ab-wrong")).to_have_count(0)


@pytest.mark.parametrize(("language", "label"), [("zh-hans", "以文字编写"), ("en", "As text")])
def test_the_text_beside_the_builder(folk: None, open_page: OpenPage, language: str, label: str) -> None:
    """What is built reads as text; what is typed becomes conditions; what is wrong is marked and changes nothing."""
    page = open_page("/audiences/new/", language=language)
    page.get_by_text(label, exact=True).click()
    box = page.locator("hy-audience-text textarea")
    box.fill('city = "上海" and not tag("nope")')
    expect(page.locator("hy-audience-text mark")).to_have_text('"nope"')
    assert page.locator(".ab-row").count() == 0
    axe_check(page)
    box.fill('city in （“上海”，"杭州"） or did("email_opened") >= 2 in 30d')
    expect(page.locator(".ab-row")).to_have_count(2)
    expect(page.locator("hy-audience-text [role=alert]")).to_have_count(0)
    page.locator(".ab-row .ab-remove").last.click()
    expect(box).to_have_value('city in ("上海", "杭州")')

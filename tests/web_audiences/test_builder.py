"""The builder in a real browser: an audience is built, counted, moved about, undone, written as text and saved."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from hongyan.audience.models import SavedAudience
from hongyan.audience.tagging import tags
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


def add(builder: Locator, button: str, condition: str) -> None:
    """Through the searchable list, by keyboard."""
    builder.get_by_role("button", name=button).last.click()
    search = builder.get_by_role("combobox", name=button)
    search.fill(condition)
    search.press("Enter")


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-hans", ("添加条件", "城市", "标签")), ("en", ("Add a condition", "City", "Tag"))],
)
def test_building_an_audience(folk: None, open_page: OpenPage, language: str, words: tuple[str, str, str]) -> None:
    button, city, tag_word = words
    page = open_page("/audiences/new/", language=language)
    builder = page.locator("hy-audience-builder")
    number = builder.locator(".ab-number-big")
    add(builder, button, city)
    page.keyboard.type("上")
    builder.get_by_role("option", name="上海").click()
    expect(number).to_have_text("12")
    add(builder, button, tag_word)
    expect(number).to_have_text("5")
    expect(builder.locator(".ab-count")).to_have_text(["12", "5"])
    expect(builder.locator(".ab-change")).to_have_text(["−38", "−7"])
    grips = builder.locator(".ab-grip")
    grips.nth(1).press("Alt+KeyN")  # those without the tag
    expect(number).to_have_text("7")
    grips.nth(1).press("Alt+ArrowUp")
    expect(builder.locator(".ab-count")).to_have_text(["45", "7"])
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(number).to_have_text("5")
    page.keyboard.press("Control+Shift+z")
    expect(number).to_have_text("7")
    axe_check(page)
    picture(page, f"builder-{language}")
    page.locator("input[name=name]").fill("上海")
    page.locator("button.btn-primary").click()
    expect(page.locator("h1")).to_contain_text("上海")
    assert SavedAudience.objects.get().versions.get().tree == {
        "all": [{"field": "city", "op": "=", "value": "上海"}, {"not": {"tag": "vip"}}]
    }


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "dark", 390)])
def test_every_kind_of_condition_has_its_place_on_a_phone(
    folk: None, open_page: OpenPage, language: str, theme: str, width: int
) -> None:
    """What is broken stays in sight with its error; words typed become conditions; keys are in the sheet."""
    tree = (
        '{"all":[{"event":"order_completed","measure":"sum","property":"total","op":">=","value":1000,"within_days":90},'
        '{"sequence":[{"event":"product_viewed","where":{"property":"category","op":"=","value":"茶"}},'
        '{"not_event":"order_completed","within":{"hours":2}}],"days_ago":[90,30]},{"magic":1},{"tag":"gone"}]}'
    )
    page = open_page(f"/audiences/new/?tree={tree}", language=language, theme=theme, width=width)
    builder = page.locator("hy-audience-builder")
    expect(builder.locator(".ab-row")).to_have_count(4)
    broken = builder.locator(".ab-row", has=page.locator("textarea"))
    expect(broken.locator(".ab-wrong")).to_be_visible()
    expect(builder.locator(".ab-step")).to_have_count(2)
    axe_check(page)
    picture(page, f"kinds-{language}-{theme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    broken.locator(".ab-grip").press("Delete")
    gone = builder.locator(".ab-row", has=page.get_by_label("标签", exact=True))
    expect(gone.locator(".ab-wrong")).to_be_visible()
    gone.get_by_label("标签", exact=True).select_option("vip")
    expect(builder.locator(".ab-number-big")).to_have_text("0")
    page.get_by_text("以文字编写", exact=True).click()
    box = page.locator("hy-audience-text textarea")
    expect(box).to_have_value(re.compile(r'^sum\("order_completed", total\) >= 1000 in 90d and '))
    box.fill('city = "上海" and not tag("nope")')
    expect(page.locator("hy-audience-text mark")).to_have_text('"nope"')
    expect(builder.locator(".ab-row")).to_have_count(3)
    box.fill('city in （“上海”，"杭州"） or tag("vip")')
    expect(builder.locator(".ab-row")).to_have_count(2)
    expect(builder.locator(".ab-number-big")).to_have_text("12")
    expect(builder.locator(".ab-count")).to_have_text(["12", "12"])


def test_parts_are_carried_by_copy_and_paste(folk: None, open_page: OpenPage) -> None:
    page = open_page(
        '/audiences/new/?tree={"any":[{"tag":"vip"},{"field":"city","op":"=","value":"Berlin"}]}', language="en"
    )
    builder = page.locator("hy-audience-builder")
    number = builder.locator(".ab-number-big")
    expect(number).to_have_text("13")
    grips = builder.locator(".ab-grip")
    grips.nth(1).press("Control+x")
    expect(number).to_have_text("5")
    page.locator("input[name=description]").press("Control+v")
    expect(page.locator("input[name=description]")).to_have_value('city = "Berlin"')
    grips.nth(0).press("Alt+KeyG")
    expect(builder.locator("fieldset fieldset")).to_have_count(1)
    builder.locator("fieldset fieldset .ab-row .ab-grip").press("Control+v")
    expect(builder.locator("fieldset fieldset .ab-row")).to_have_count(2)
    expect(number).to_have_text("0")  # nobody is both
    page.locator("[data-open-shortcuts]").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Put into a group")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_text_is_completed_by_keyboard_alone(folk: None, open_page: OpenPage, language: str) -> None:
    page = open_page("/audiences/new/", language=language)
    page.locator("hy-audience-text summary").press("Enter")
    area, options = page.locator("hy-audience-text textarea"), page.locator("#ab-text-options [role=option]")
    area.focus()
    page.keyboard.type("cit")
    expect(options.first).to_contain_text("city" if language == "zh-hans" else "City")
    expect(area).to_have_attribute("aria-activedescendant", "ab-text-options-0")
    page.keyboard.press("Tab")  # the field
    page.keyboard.press("Enter")  # is
    expect(area).to_have_value("city = ")
    page.keyboard.type('"上')
    expect(options).to_have_count(1)  # real values
    page.keyboard.press("Enter")
    expect(area).to_have_value('city = "上海"')
    page.keyboard.type(" and not ta")
    expect(options.first).to_contain_text("tag")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    page.keyboard.press("Control+Space")
    page.keyboard.press("Enter")
    expect(area).to_have_value('city = "上海" and not tag("')
    page.keyboard.press("Enter")
    page.keyboard.type(")")
    expect(area).to_have_value('city = "上海" and not tag("vip")')
    expect(page.locator(".ab-number-big")).to_have_text("7")
    axe_check(page)
    page.keyboard.press("Tab")  # nothing is offered any more: it leads on
    expect(area).not_to_be_focused()

"""The pages of an audience in a real browser: readable by everyone, in both languages, themes and widths."""

import pytest
from playwright.sync_api import expect

from hongyan.audience import saved
from hongyan.audience.models import SavedAudience
from tests.audience.factory import SYSTEM, people
from tests.browser import OpenPage, axe_check

pytestmark = pytest.mark.browser


@pytest.fixture
def shanghai(site: object) -> SavedAudience:
    people(12, city="上海", country="CN", language="zh-Hans")
    people(30, city="北京", country="CN", language="zh-Hans")
    saved.audience_create(actor=SYSTEM, name="China", tree={"field": "country", "op": "=", "value": "CN"})
    saved.audience_create(actor=SYSTEM, name="Beijing", tree={"field": "city", "op": "=", "value": "北京"})
    return saved.audience_create(actor=SYSTEM, name="Shanghai", tree={"field": "city", "op": "=", "value": "上海"})


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "dark", 390), ("en", "light", 1440)])
def test_every_tab_is_accessible_and_fits(
    shanghai: SavedAudience, open_page: OpenPage, language: str, theme: str, width: int
) -> None:
    start = f"/audiences/{shanghai.public_id}/"
    page = open_page(start, language=language, theme=theme, width=width)
    for part in ("", "moves/", "profile/", "value/", "overlap/", "definition/", "why/"):
        page.goto(page.url.split("/audiences/")[0] + start + part)
        page.wait_for_load_state("networkidle")
        axe_check(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), part


def test_from_the_drawing_to_an_audience(shanghai: SavedAudience, open_page: OpenPage) -> None:
    page = open_page(f"/audiences/{shanghai.public_id}/overlap/", language="en")
    expect(page.locator("svg.venn circle")).to_have_count(2)
    page.get_by_label("Make an audience of: only “China”").click()
    expect(page.locator(".ab-number-big")).to_have_text("30")

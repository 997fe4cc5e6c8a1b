"""The frame around every page, in a real browser."""

import pytest

from tests.browser import OpenPage, axe_check


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_home_is_accessible(open_page: OpenPage, language: str, theme: str, width: int) -> None:
    page = open_page("/", language=language, theme=theme, width=width)
    page.wait_for_selector("hy-palette dialog", state="attached")
    axe_check(page)

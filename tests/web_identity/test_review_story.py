"""Somebody works through the queue with the keyboard, takes a merge back, and looks up why a value stands."""

import os
from pathlib import Path
from typing import Any

import pytest

from hongyan.accounts.permissions import Role
from hongyan.contacts.models import Contact
from hongyan.identity.models import Candidate
from hongyan.identity.models_merging import Merge
from tests.browser import OpenPage, axe_check
from tests.identity.people import person
from tests.web_identity.factory import pair, twins

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
_PICTURES = os.environ.get("HONGYAN_PICTURES", "")


def _picture(page: Any, name: str) -> None:
    """For looking at the pages while working on them."""
    if _PICTURES:
        page.screenshot(path=str(Path(_PICTURES) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(
    ("language", "theme", "width", "words"),
    [
        ("zh-hans", "light", 1440, ("已合并为一人", "不是同一人", "已标为两个人")),
        ("en", "dark", 390, ("Merged: one person now", "Two people", "will not be asked about again")),
    ],
)
def test_a_queue_is_worked_through_by_key(
    open_page: OpenPage, language: str, theme: str, width: int, words: tuple[str, str, str]
) -> None:
    one, two, first = twins(1, value=3.0, probability=0.984)
    other = person(full_name="王小明", email="w1@example.com")
    namesake = person(full_name="王小明", email="w2@example.com")
    last = person(full_name="Ada Lovelace", email="ada@example.com")
    apart = pair(other, namesake, value=2.0, probability=0.71)
    skipped = pair(other, last, value=1.0, probability=0.55, verdict="review", reason="external_id")
    page = open_page("/duplicates/", role=Role.ADMINISTRATOR, language=language, theme=theme, width=width)
    root = page.url.split("/duplicates/")[0]
    page.wait_for_selector("hy-queue:defined", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe_check(page)
    _picture(page, f"queue-{language}-{width}")
    page.keyboard.press("s")
    page.wait_for_url(f"**/?pair={apart.public_id}")
    page.wait_for_selector("hy-queue:defined", state="attached")
    page.keyboard.press("k")
    page.wait_for_url(f"**/?pair={first.public_id}")
    page.wait_for_selector("hy-queue:defined", state="attached")
    page.locator("input[name='choice.phone']:not(:checked)").check()
    page.keyboard.press("m")
    page.wait_for_selector(f"text={words[0]}")
    made = Merge.objects.get()
    assert (made.survivor_id, made.loser_id, list(made.choices)) == (one.pk, two.pk, ["phone"])
    axe_check(page)
    _picture(page, f"merged-{language}-{width}")
    page.wait_for_selector("hy-queue:defined", state="attached")
    page.keyboard.press("u")
    page.wait_for_selector(".toast, [role=status], [role=alert]")
    page.wait_for_selector("text=王小明")
    assert Contact.objects.filter(pk=two.pk).exists()
    assert Candidate.objects.get(pk=first.pk).verdict == Candidate.Verdict.APART
    page.goto(f"{root}/duplicates/?pair={apart.public_id}")
    page.wait_for_selector("hy-queue:defined", state="attached")
    page.keyboard.press("a")
    page.wait_for_selector(f"text={words[2]}")
    assert Candidate.objects.get(pk=apart.pk).verdict == Candidate.Verdict.APART
    assert page.locator(".dup-guard").is_visible(), "the pair that is left says what speaks against it"
    assert Candidate.objects.get(pk=skipped.pk).verdict == Candidate.Verdict.REVIEW
    page.goto(f"{root}/duplicates/merges/")
    axe_check(page)
    _picture(page, f"merges-{language}-{width}")
    for name in ("runs", "rules", "sure"):
        page.goto(f"{root}/duplicates/{name}/")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        axe_check(page)
        _picture(page, f"{name}-{language}-{width}")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_why_a_value_stands_and_another_is_chosen(open_page: OpenPage, language: str) -> None:
    one, two, _waiting = twins()
    page = open_page(f"/duplicates/compare/{one.public_id}/{two.public_id}/", role=Role.SUPPORT, language=language)
    root = page.url.split("/duplicates/")[0]
    axe_check(page)
    _picture(page, f"compare-{language}")
    page.locator(".dup-acts .btn-primary").click()
    page.wait_for_url(f"**/contacts/{one.public_id}/")
    page.goto(f"{root}/duplicates/contact/{one.public_id}/why/email/")
    axe_check(page)
    lost = page.locator(".dup-others b").first.inner_text()
    page.locator(".dup-others button").first.click()
    page.wait_for_selector(f".dup-standing:has-text('{lost}')")
    _picture(page, f"why-{language}")
    page.goto(f"{root}/duplicates/merges/")
    page.locator("td .btn-small").first.click()
    page.wait_for_selector("td:has-text('@')")
    assert Contact.objects.filter(pk=two.pk).exists()

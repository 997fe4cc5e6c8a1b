"""The settings pages in a real browser: no accessibility violations, in both languages, themes and widths."""

import os
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone

from hongyan.accounts import services
from hongyan.accounts.actors import actor_of
from hongyan.accounts.api_keys import api_key_create
from hongyan.accounts.links import one_time_link_create
from hongyan.accounts.models import ApprovalRule, User
from hongyan.accounts.permissions import Permission, Role
from hongyan.audit.services import seal
from hongyan.delivery.models import Sender
from hongyan.jobs.models import Job, Worker
from tests.browser import OpenPage, Site, axe_check, staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("HONGYAN_TEST_SHOTS", "")  # a folder to keep pictures in, for people


def furnish() -> tuple[User, User]:
    """An installation that has been in use for a while."""
    ada: User = staff(Role.ADMINISTRATOR, language="zh-hans", email="ada@staff.example")
    ada.name = "陈爱达"
    ada.save()
    actor = actor_of(ada, "203.0.113.9")
    li, _ = services.user_invite(
        actor=actor, email="li.na@staff.example", name="李娜", roles=[Role.MARKETER, Role.SALES]
    )
    services.user_invite(actor=actor, email="guo@staff.example", name="Guo Wei", roles=[Role.APPROVER])
    services.user_deactivate(
        actor=actor, user=services.user_invite(actor=actor, email="old@staff.example", name="", roles=[Role.ANALYST])[0]
    )
    api_key_create(actor=actor, name="商城", scopes=[Permission.CONTACT_VIEW, Permission.CONTACT_EDIT])
    ApprovalRule.objects.create(kind="audience_size", min_size=500, approvers=1)
    ApprovalRule.objects.create(kind="audience_tag", tag="VIP", approvers=2, enabled=False)
    Sender.objects.create(
        from_name="雁行商贸",
        from_email="hello@shop.example",
        domain="shop.example",
        company_name="雁行商贸",
        is_default=True,
    )
    at = timezone.now()
    Worker.objects.create(name="host:41", version="0.1.0", started_at=at, beat_at=at)
    Job.objects.create(kind="audit.verify", state="failed", error_code="worker_lost", finished_at=at, owner=ada)
    Job.objects.create(kind="audit.verify", state="paused", done=31_200, total=1_000_000, owner=ada)
    seal()
    return ada, li


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "light", 1440), ("en", "dark", 390)])
def test_pages_are_accessible(
    open_page: OpenPage,
    language: str,
    theme: str,
    width: int,
) -> None:
    cache.clear()
    ada, li = furnish()
    ada.language = language
    ada.save()
    rule = ApprovalRule.objects.latest("id")
    pages = [
        "",
        "profile/",
        "organisation/",
        "users/",
        "users/new/",
        f"users/{li.public_id}/",
        "roles/",
        "api-keys/",
        "api-keys/new/",
        "approval-rules/",
        f"approval-rules/{rule.public_id}/",
        "senders/",
        "senders/new/",
        "mail/",
        "audit/",
        "system/",
    ]
    page = open_page("/settings/", user=ada, language=language, theme=theme, width=width)
    origin = page.url.split("/settings/")[0]
    for path in pages:
        page.goto(f"{origin}/settings/{path}")
        name = path.split("/0")[0].strip("/").replace("/", "-") or "index"
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{language}-{theme}-{width}.png", full_page=True)
        axe_check(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is too wide"


def test_from_a_one_time_link_to_a_key(open_page: OpenPage, site: Site) -> None:
    """A story: the first administrator comes in, invites a colleague, verifies the log."""
    cache.clear()
    ada, _ = furnish()
    page = open_page(one_time_link_create(user=ada), role=None, language="en")
    axe_check(page)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(site.url + "/")
    page.goto(site.url + "/settings/users/new/")
    page.get_by_label("邮箱").fill("zhou@staff.example")
    page.get_by_label("市场人员").or_(page.get_by_label("营销人员")).first.check()
    page.get_by_role("button", name="生成邀请链接").click()
    page.get_by_text("/account/one-time/").first.wait_for()
    assert User.objects.filter(email="zhou@staff.example").exists()

"""Campaigns and their reports in a real browser, in every state that looks different: no accessibility violations."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from hongyan.accounts.models import User
from hongyan.accounts.permissions import Role
from hongyan.accounts.types import Actor
from hongyan.analytics.fold import fold
from hongyan.campaigns import approval, sending
from hongyan.campaigns.follow import count_now
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.states import Act, State
from hongyan.delivery.types import MessageState
from hongyan.events.services import append
from tests.browser import OpenPage, axe_check
from tests.campaigns import factory
from tests.campaigns.factory import Shop
from tests.campaigns.test_sending import decide, ready, settle, start

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("HONGYAN_TEST_SHOTS", "")  # a folder to keep pictures in, for people


def user_of(actor: Actor, language: str) -> User:
    assert actor.id is not None
    user: User = User.objects.get(pk=actor.id)
    user.language = language
    user.save()
    return user


def furnish(shop: Shop, marketer: Actor) -> dict[str, Campaign]:
    """One campaign for each state that looks different."""
    factory.no_rules()
    made = {"draft": ready(shop, actor=marketer, name="草稿")}
    made["sending"] = sending.freeze(start(ready(shop, actor=marketer, name="正在发"), marketer).pk)
    settle(made["sending"], limit=2)
    made["paused"] = sending.freeze(start(ready(shop, actor=marketer, name="暂停了"), marketer).pk)
    sending.campaign_pause(actor=marketer, campaign_id=made["paused"].pk)
    made["cancelled"] = sending.freeze(start(ready(shop, actor=marketer, name="取消了"), marketer).pk)
    settle(made["cancelled"], limit=1)
    sending.campaign_cancel(actor=marketer, campaign_id=made["cancelled"].pk)
    made["failed"] = start(ready(shop, actor=marketer, name="没发成"), marketer)
    Campaign.objects.filter(pk=made["failed"].pk).update(state=State.FAILED, failure="low_disk")
    done = sending.freeze(start(ready(shop, actor=marketer, name="发完了"), marketer).pk)
    settle(done, limit=3)
    settle(done, MessageState.BOUNCED, limit=1, reason="unknown_recipient")
    settle(done, MessageState.REFUSED, reason="no_consent")
    made["sent"] = done
    factory.always_two_eyes(approvers=2)
    made["waiting"] = ready(shop, actor=marketer, name="等两个人批准")
    approval.campaign_request_approval(actor=marketer, campaign_id=made["waiting"].pk, comment="双十一的信,请看一下")
    for campaign in made.values():
        if campaign.state != State.DRAFT:
            count_now(campaign)
        campaign.refresh_from_db()
    return made


def look(page: Any, origin: str, path: str, name: str) -> None:
    page.goto(origin + path)
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    axe_check(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is too wide"


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "light", 1440), ("en", "dark", 390)])
def test_every_state_is_accessible(open_page: OpenPage, language: str, theme: str, width: int) -> None:
    marketer = factory.staff(Role.MARKETER)
    made = furnish(factory.shop(good=12), marketer)
    page = open_page("/campaigns/", user=user_of(marketer, language), language=language, theme=theme, width=width)
    origin = page.url.split("/campaigns/")[0]
    tail = f"{language}-{theme}-{width}"
    look(page, origin, "/campaigns/", f"list-{tail}")
    for state, campaign in made.items():
        look(page, origin, reverse("campaigns:page", args=[campaign.public_id]), f"{state}-{tail}")
    for name in ("about", "audience", "mail", "sending"):
        look(page, origin, reverse(f"campaigns:{name}", args=[made["draft"].public_id]), f"edit-{name}-{tail}")
    look(page, origin, reverse("campaigns:review", args=[made["draft"].public_id]), f"review-{tail}")
    for name in ("recipients", "content", "log"):
        look(page, origin, reverse(f"campaigns:{name}", args=[made["sent"].public_id]), f"{name}-{tail}")


@pytest.mark.parametrize(("language", "theme", "width"), [("zh-hans", "light", 1440), ("en", "dark", 390)])
def test_reports_are_accessible(open_page: OpenPage, language: str, theme: str, width: int) -> None:
    from tests.analytics.factory import engagement
    from tests.web_reports.test_reports import _moved

    marketer = factory.staff(Role.MARKETER)
    campaign = furnish(factory.shop(good=24), marketer)["sent"]
    sent = list(_sent_messages(campaign))
    append(_moved(engagement(4, messages=len(sent), events=80, origins=[campaign.pk]), sent))
    fold()
    page = open_page("/reports/", user=user_of(marketer, language), language=language, theme=theme, width=width)
    origin = page.url.split("/reports/")[0]
    tail = f"{language}-{theme}-{width}"
    look(page, origin, "/reports/", f"reports-{tail}")
    look(page, origin, reverse("reports:campaign", args=[campaign.public_id]), f"report-{tail}")
    people = reverse("reports:people", args=[campaign.public_id])
    look(page, origin, f"{people}?mark=opened", f"report-people-{tail}")


def test_two_approvers_one_after_the_other(open_page: OpenPage) -> None:
    """The first consent does not free it, the same person cannot give the second, another can."""
    marketer, one, two = (factory.staff(role, name) for role, name in _CAST)
    campaign = furnish(factory.shop(good=6), marketer)["waiting"]
    queue = open_page("/campaigns/approvals", user=user_of(one, "en"), language="en")
    axe_check(queue)
    decide(campaign, one, Act.APPROVE)
    campaign.refresh_from_db()
    assert campaign.state == State.AWAITING_APPROVAL
    again = open_page("/campaigns/approvals", user=user_of(one, "en"), language="en")
    axe_check(again)
    page = open_page(reverse("campaigns:page", args=[campaign.public_id]), user=user_of(two, "zh-hans"))
    axe_check(page)
    decide(campaign, two, Act.APPROVE)
    campaign.refresh_from_db()
    assert campaign.state == State.APPROVED


_CAST = ((Role.MARKETER, "marketer"), (Role.APPROVER, "first"), (Role.APPROVER, "second"))


def _sent_messages(campaign: Campaign) -> Any:
    from hongyan.delivery.models import Message

    return Message.objects.filter(origin_id=campaign.pk, state=MessageState.SENT).order_by("id")

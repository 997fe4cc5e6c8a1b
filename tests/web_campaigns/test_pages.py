"""Pages of campaigns and reports for every role, in both languages; and the way from draft to sent."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hongyan.accounts.models import User
from hongyan.accounts.permissions import Role
from hongyan.accounts.types import Actor
from hongyan.campaigns import approval, sending
from hongyan.campaigns.follow import count_now
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.states import State
from hongyan.delivery.models import Message
from tests.campaigns import factory
from tests.campaigns.factory import Shop
from tests.campaigns.test_sending import ready, requested, settle, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return factory.shop()


def page(actor: Actor, language: str = "zh-hans") -> Client:
    client = Client(headers={"accept-language": language})
    assert actor.id is not None
    user = User.objects.get(pk=actor.id)
    user.language = language
    user.save()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def sent_campaign(shop: Shop, actor: Actor) -> Campaign:
    campaign = sending.freeze(start(ready(shop, actor=actor), actor).pk)
    settle(campaign, limit=3)
    settle(campaign, factory_state("REFUSED"), reason="no_consent")
    count_now(campaign)
    campaign.refresh_from_db()
    return campaign


def factory_state(name: str) -> Any:
    from hongyan.delivery.types import MessageState

    return MessageState[name]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_opens(shop: Shop, language: str) -> None:
    marketer = factory.staff(Role.MARKETER)
    client = page(marketer, language)
    draft = ready(shop, actor=marketer, name="草稿一")
    done = sent_campaign(shop, marketer)
    addresses = [reverse("campaigns:index"), reverse("campaigns:create"), reverse("reports:index")]
    addresses += [
        reverse(f"campaigns:{name}", args=[draft.public_id])
        for name in ("about", "audience", "mail", "sending", "review", "preview", "preview_body", "content", "log")
    ]
    addresses += [reverse("campaigns:outside", args=[draft.public_id, why]) for why in ("no_consent", "receiving")]
    addresses += [
        reverse(f"campaigns:{name}", args=[done.public_id])
        for name in ("page", "progress", "recipients", "content", "log", "preview")
    ]
    addresses += [reverse(f"reports:{name}", args=[done.public_id]) for name in ("campaign", "people")]
    addresses += [reverse("reports:people", args=[done.public_id]) + "?outcome=opened"]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode()
        assert "example.com" not in text.replace("news.example.com", "").replace("shop.example.com", "") or (
            "***@example.com" in text
        ), f"{address} shows an address in clear to a marketer"


def test_conditions_and_ticks_make_one_audience(shop: Shop) -> None:
    client = page(factory.staff(Role.MARKETER), "en")
    key = factory.tagged("vip", shop.people["nameless"])
    campaign = ready(shop, audience=None)
    address = reverse("campaigns:audience", args=[campaign.public_id])
    condition = {"field": "city", "op": "=", "value": "上海"}
    client.post(address, {"conditions": json.dumps(condition)}, headers={"HX-Request": "true"})
    campaign.refresh_from_db()
    assert campaign.audience == condition
    assert "上海" in client.get(address).content.decode()
    client.post(address, {"conditions": json.dumps(condition), "pick": f"tag:{key}"}, headers={"HX-Request": "true"})
    campaign.refresh_from_db()
    assert campaign.audience == {"any": [{"tag": key}, condition]}
    client.post(address, {"conditions": "[broken", "pick": f"tag:{key}"}, headers={"HX-Request": "true"})
    campaign.refresh_from_db()
    assert campaign.audience == {"tag": key}


def test_an_empty_installation_explains_itself() -> None:
    client = page(factory.staff(Role.MARKETER), "en")
    assert "No campaigns yet" in client.get(reverse("campaigns:index")).content.decode()
    assert "Nothing has been sent yet" in client.get(reverse("reports:index")).content.decode()


def test_from_draft_to_sent_through_the_pages(shop: Shop) -> None:
    client = page(factory.staff(Role.MARKETER), "en")
    about = {"name": "九月", "goal": "清仓", "stage": "conversion", "mail_type": "promotion"}
    answer = client.post(reverse("campaigns:create"), about)
    campaign = Campaign.objects.get(name="九月")
    assert answer.headers["Location"] == reverse("campaigns:audience", args=[campaign.public_id])

    counted = client.post(answer.headers["Location"], {"everyone": "1"}, headers={"HX-Request": "true"})
    assert "would get it" in counted.content.decode()
    client.post(reverse("campaigns:mail", args=[campaign.public_id]), {"template": str(shop.template.public_id)})
    client.post(
        reverse("campaigns:sending", args=[campaign.public_id]),
        {"sender": shop.sender.pk, "topic": shop.topic.pk, "timing": "now"},
    )
    review = reverse("campaigns:review", args=[campaign.public_id])
    text = client.get(review).content.decode()
    assert "Stops the send" in text
    client.post(
        reverse("campaigns:choices", args=[campaign.public_id]),
        {"field": ["contact.given_name"], "choice:contact.given_name": "exclude", "text:contact.given_name": ""},
    )
    text = client.get(review).content.decode()
    assert "Stops the send" not in text
    assert "Send to 4 people" in text

    begin = reverse("campaigns:start", args=[campaign.public_id])
    assert client.post(begin, {"confirmed": "40"}).headers["Location"] == review
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT
    assert client.post(begin, {"confirmed": "4"}).headers["Location"] == reverse(
        "campaigns:page", args=[campaign.public_id]
    )
    live = reverse("campaigns:progress", args=[campaign.public_id])
    assert "HX-Refresh" not in client.get(live, {"state": "freezing"}).headers
    sending.freeze(campaign.pk)
    assert Message.objects.filter(origin_id=campaign.pk).count() == 10
    assert client.get(live, {"state": "freezing"}).headers["HX-Refresh"] == "true", "the page is of an earlier state"
    for act, state in (("pause", State.PAUSED), ("resume", State.SENDING), ("cancel", State.CANCELLED)):
        client.post(reverse(f"campaigns:{act}", args=[campaign.public_id]))
        campaign.refresh_from_db()
        assert campaign.state == state


def test_approvers_decide_on_what_they_saw(shop: Shop) -> None:
    factory.always_two_eyes()
    cast = {"marketer": factory.staff(Role.MARKETER), "approver": factory.staff(Role.APPROVER)}
    campaign = requested(shop, cast)
    client = page(cast["approver"], "en")
    answer = client.get(reverse("campaigns:approvals"), follow=True)
    text = answer.content.decode()
    assert "请看一下" in text
    assert campaign.content_hash in text
    form = {
        "decision": "approve",
        "content_hash": campaign.content_hash,
        "audience_hash": campaign.audience_hash,
        "comment": "",
    }
    client.post(reverse("campaigns:decision", args=[campaign.public_id]), form | {"content_hash": "00" * 32})
    campaign.refresh_from_db()
    assert campaign.state == State.AWAITING_APPROVAL
    client.post(reverse("campaigns:decision", args=[campaign.public_id]), form)
    campaign.refresh_from_db()
    assert campaign.state == State.APPROVED
    assert "Nothing waits for you" in client.get(reverse("campaigns:approvals")).content.decode()


def test_a_marketer_sees_no_approval_queue(shop: Shop) -> None:
    del shop
    client = page(factory.staff(Role.MARKETER), "en")
    assert client.get(reverse("campaigns:approvals")).status_code == 403


@pytest.mark.parametrize(
    ("role", "name", "status"),
    [
        (Role.ANALYST, "reports:campaign", 200),
        (Role.ANALYST, "reports:people", 403),
        (Role.ANALYST, "campaigns:recipients", 403),
        (Role.ANALYST, "campaigns:page", 200),
        (Role.SUPPORT, "reports:campaign", 403),
        (Role.SUPPORT, "campaigns:page", 403),
        (Role.SALES, "reports:people", 200),
    ],
)
def test_who_may_see_what(shop: Shop, role: Role, name: str, status: int) -> None:
    campaign = sent_campaign(shop, factory.staff(Role.ADMINISTRATOR, "boss"))
    client = page(factory.staff(role), "en")
    assert client.get(reverse(name, args=[campaign.public_id])).status_code == status


def test_sales_see_addresses_in_clear_and_marketers_masked(shop: Shop) -> None:
    campaign = sent_campaign(shop, factory.staff(Role.ADMINISTRATOR, "boss"))
    address = reverse("reports:people", args=[campaign.public_id])
    clear = page(factory.staff(Role.SALES), "en").get(address).content.decode()
    masked = page(factory.staff(Role.MARKETER), "en").get(address).content.decode()
    assert "p***@example.com" in masked
    assert "p***@example.com" not in clear
    assert "@example.com" in clear


def test_unknown_campaigns_are_not_found(shop: Shop) -> None:
    del shop
    client = page(factory.staff(Role.MARKETER), "en")
    unknown = "00000000-0000-7000-8000-000000000000"
    assert client.get(reverse("campaigns:page", args=[unknown])).status_code == 404
    assert client.get(reverse("reports:campaign", args=[unknown])).status_code == 404


def test_the_mail_is_shown_in_a_sandbox(shop: Shop) -> None:
    campaign = ready(shop)
    client = page(factory.staff(Role.MARKETER), "en")
    contact = shop.people["good"][0]
    answer = client.get(
        reverse("campaigns:preview_body", args=[campaign.public_id]), {"contact": str(contact.public_id)}
    )
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert "小**" in answer.content.decode()  # masked: marketers do not read names


def test_a_test_mail_goes_to_whoever_asks(shop: Shop) -> None:
    campaign = ready(shop)
    client = page(factory.staff(Role.MARKETER), "en")
    client.post(reverse("campaigns:test", args=[campaign.public_id]))
    assert Message.objects.filter(origin_kind="test").count() == 1


def test_pages_ask_a_fixed_number_of_queries(shop: Shop, django_assert_max_num_queries: Any) -> None:
    marketer = factory.staff(Role.MARKETER)
    for number in range(12):
        shop.campaign(name=f"活动 {number}")
    campaign = sent_campaign(shop, marketer)
    client = page(marketer)
    for address in (
        reverse("campaigns:index"),
        reverse("reports:index"),
        reverse("reports:campaign", args=[campaign.public_id]),
    ):
        client.get(address)
        with django_assert_max_num_queries(24):
            assert client.get(address).status_code == 200


def test_approval_history_is_kept(shop: Shop) -> None:
    factory.always_two_eyes()
    cast = {"marketer": factory.staff(Role.MARKETER), "approver": factory.staff(Role.APPROVER)}
    campaign = requested(shop, cast)
    approval.campaign_withdraw_request(actor=cast["marketer"], campaign_id=campaign.pk)
    text = page(cast["marketer"], "en").get(reverse("campaigns:log", args=[campaign.public_id])).content.decode()
    assert "Approval requested" in text
    assert "withdrawn" in text

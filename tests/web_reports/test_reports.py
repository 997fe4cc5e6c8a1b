"""Figures of a report against counting the generated events by hand, the lists behind them, and files."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from hongyan.accounts.models import User
from hongyan.accounts.permissions import Role
from hongyan.accounts.types import Actor
from hongyan.analytics.fold import fold
from hongyan.analytics.selectors import campaign_report, marked_contacts
from hongyan.analytics.types import Mark
from hongyan.campaigns import sending
from hongyan.campaigns.follow import count_now
from hongyan.campaigns.models import Campaign
from hongyan.delivery.models import Message
from hongyan.delivery.types import MessageState
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.web.reports.common import organisation_zone
from tests.analytics.factory import START, brute_messages, engagement
from tests.campaigns import factory
from tests.campaigns.test_sending import ready, settle, start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told() -> tuple[Campaign, list[NewEvent]]:
    """A finished campaign whose messages met every fate, and what their recipients did."""
    shop = factory.shop(good=24)
    campaign = sending.freeze(start(ready(shop, name="=九月专享")).pk)
    settle(campaign, limit=20)
    settle(campaign, MessageState.BOUNCED, limit=2, reason="unknown_recipient")
    settle(campaign, MessageState.REFUSED, reason="no_consent")
    count_now(campaign)
    campaign.refresh_from_db()
    sent = list(Message.objects.filter(origin_id=campaign.pk, state=MessageState.SENT).order_by("id"))
    events = _moved(engagement(4, messages=len(sent), events=160, origins=[campaign.pk]), sent)
    append(events)
    fold()
    return campaign, events


def _moved(events: Sequence[NewEvent], sent: Sequence[Message]) -> list[NewEvent]:
    """Generated events name messages 1 to n; these are the real ones."""
    from dataclasses import replace

    moved = []
    for event in events:
        number = event.properties.get("message_id")
        if number is None or "origin_id" not in event.properties:
            continue
        message = sent[number - 1]
        properties = {**event.properties, "message_id": message.pk}
        moved.append(replace(event, contact_id=message.contact_id, properties=properties))
    return moved


def test_the_report_agrees_with_counting_by_hand(told: tuple[Campaign, list[NewEvent]]) -> None:
    campaign, events = told
    report = campaign_report(actor=factory.SYSTEM, campaign=campaign, zone=organisation_zone())
    messages = {(mark, link): ids for (_, mark, link), ids in brute_messages(events).items()}

    def count(mark: Mark, link: int = -1) -> int:
        return len(messages.get((mark, link), set()))

    assert (report.recipients, report.sent, report.delivered, report.bounced) == (campaign.recipients, 20, 20, 2)
    assert report.waiting == 0
    assert report.refused == (campaign.recipients or 0) - 22
    assert report.reasons["bounced", "unknown_recipient"] == 2
    assert (report.opened.count, report.opened.of) == (count(Mark.OPENED_PERSON), 20)
    assert report.clicked.count == count(Mark.CLICKED_PERSON)
    assert report.unsubscribed.count == count(Mark.UNSUBSCRIBED)
    assert (report.bounce.count, report.bounce.of) == (2, 22)
    people = messages[Mark.OPENED_PERSON, -1]
    unknown = messages.get((Mark.OPENED_UNKNOWN, -1), set()) - people
    machine = messages.get((Mark.OPENED_MACHINE, -1), set()) - people - unknown
    assert report.opened_unknown_only.count == len(unknown)
    assert report.opened_machine_only.count == len(machine)
    parts = (report.opened, report.opened_unknown_only, report.opened_machine_only, report.not_opened)
    assert sum(part.count for part in parts) == report.delivered
    for link in report.links:
        assert link.people.count == count(Mark.CLICKED_PERSON, link.index)
        assert link.machine_people == count(Mark.CLICKED_MACHINE, link.index)
    assert sum(row.opened for row in report.hours) == report.opened.count
    assert all(row.at.minute == 0 for row in report.hours)
    assert report.hours[1].at - report.hours[0].at == timedelta(hours=1)
    assert report.hours[0].at <= START.astimezone(organisation_zone()) + timedelta(hours=31)


def test_the_people_behind_a_figure(told: tuple[Campaign, list[NewEvent]]) -> None:
    campaign, events = told
    expected = brute_messages(events)[campaign.pk, Mark.CLICKED_PERSON, -1]
    seen: list[int] = []
    after = 0
    while rows := marked_contacts(
        actor=factory.SYSTEM, campaign=campaign, mark=Mark.CLICKED_PERSON, after=after, limit=3
    ):
        seen += [row[0] for row in rows]
        after = rows[-1][0]
    assert seen == sorted(expected)


def client_of(actor: Actor, language: str = "en") -> Client:
    client = Client()
    assert actor.id is not None
    user = User.objects.get(pk=actor.id)
    user.language = language
    user.save()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.parametrize(("language", "text"), [("zh-hans", "本人打开"), ("en", "Opened by people")])
def test_pages_in_both_languages(told: tuple[Campaign, list[NewEvent]], language: str, text: str) -> None:
    campaign, _ = told
    client = client_of(factory.staff(Role.MARKETER), language)
    for address in (
        reverse("reports:index"),
        reverse("reports:campaign", args=[campaign.public_id]),
        reverse("reports:people", args=[campaign.public_id]) + "?outcome=clicked",
    ):
        answer = client.get(address)
        assert answer.status_code == 200
    assert text in client.get(reverse("reports:campaign", args=[campaign.public_id])).content.decode()


def test_files_hold_the_same_figures_and_no_formula(told: tuple[Campaign, list[NewEvent]]) -> None:
    campaign, _ = told
    client = client_of(factory.staff(Role.ADMINISTRATOR))
    answer: Any = client.get(reverse("reports:export", args=[campaign.public_id, "csv"]))
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert ["Campaign", "'=九月专享", "", "", "", ""] in rows
    figures = {row[0]: row[1] for row in rows if row}
    assert figures["Delivered"] == "20"
    sheet: Any = client.get(reverse("reports:export", args=[campaign.public_id, "xlsx"]))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(sheet.streaming_content)))
    cells = [cell for row in book.active.iter_rows(values_only=True) for cell in row]  # type: ignore[union-attr]
    assert "'=九月专享" in cells


def test_people_files_are_masked_for_who_may_not_export(told: tuple[Campaign, list[NewEvent]]) -> None:
    campaign, _ = told
    address = reverse("reports:export_people", args=[campaign.public_id, "csv"]) + "?outcome=bounced"
    for role, clear in ((Role.ADMINISTRATOR, True), (Role.SALES, False), (Role.MARKETER, False)):
        answer: Any = client_of(factory.staff(role)).get(address)
        rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
        assert len(rows) == 3
        assert all(("***@" in row[2]) is not clear for row in rows[1:])
    assert client_of(factory.staff(Role.ANALYST)).get(address).status_code == 403


def test_an_erased_person_stays_counted(told: tuple[Campaign, list[NewEvent]]) -> None:
    from hongyan.analytics.privacy import erase, export

    campaign, _ = told
    before = campaign_report(actor=factory.SYSTEM, campaign=campaign, zone=organisation_zone())
    rows = marked_contacts(actor=factory.SYSTEM, campaign=campaign, mark=Mark.CLICKED_PERSON)
    contact_id = rows[0][1]
    assert contact_id is not None
    assert list(export(actor=factory.SYSTEM, contact_id=contact_id))
    assert erase(contact_id=contact_id) > 0
    assert not list(export(actor=factory.SYSTEM, contact_id=contact_id))
    after = campaign_report(actor=factory.SYSTEM, campaign=campaign, zone=organisation_zone())
    assert after.clicked == before.clicked


def test_the_report_asks_few_queries(told: tuple[Campaign, list[NewEvent]], django_assert_max_num_queries: Any) -> None:
    campaign, _ = told
    with django_assert_max_num_queries(10):
        campaign_report(actor=factory.SYSTEM, campaign=campaign, zone=organisation_zone())

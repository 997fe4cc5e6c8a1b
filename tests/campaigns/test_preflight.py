"""What preflight says, and its counts against counting one by one."""

from datetime import timedelta

import pytest
from django.utils import translation

from hongyan.campaigns import people
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.preflight import preflight
from hongyan.campaigns.services import campaign_update, values_of
from hongyan.campaigns.types import EmptyChoice, FieldChoice, Level, Outside, Timing
from hongyan.contacts.consent import refusals
from hongyan.contacts.models import Contact
from hongyan.core import clock
from tests.campaigns import factory
from tests.campaigns.factory import SYSTEM

pytestmark = pytest.mark.django_db


def codes(campaign: Campaign, level: Level | None = None) -> set[str]:
    return {finding.code for finding in preflight(campaign).findings if level in {None, finding.level}}


def change(campaign: Campaign, **changes: object) -> Campaign:
    from dataclasses import replace

    values = replace(values_of(campaign), **changes)  # type: ignore[arg-type]
    return campaign_update(actor=SYSTEM, campaign_id=campaign.pk, values=values)


def test_an_empty_draft_is_told_everything_that_is_missing() -> None:
    shop = factory.shop(good=1)
    campaign = shop.campaign(audience=None, topic_id=None, sender_id=None, template_id=None)
    assert {"no_audience", "no_mail", "no_sender", "no_topic"} <= codes(campaign, Level.BLOCK)
    checked = preflight(campaign)
    assert (checked.counts, checked.content_hash) == (None, "")


def test_a_complete_campaign_is_clear_once_empty_names_are_decided() -> None:
    campaign = factory.shop().campaign()
    assert codes(campaign, Level.BLOCK) == {"empty_undecided"}
    decided = change(campaign, choices={"contact.given_name": FieldChoice(EmptyChoice.FALLBACK, "朋友")})
    checked = preflight(decided)
    assert checked.clear, checked.blocks
    assert checked.content_hash
    assert "ad_label" not in {finding.code for finding in checked.findings}


def test_counts_agree_with_asking_one_by_one() -> None:
    shop = factory.shop()
    vip = factory.tagged("vip", [*shop.people["good"][:2], *shop.people["no_consent"]])
    campaign = shop.campaign(exclusions={"tag": vip}, choices={"contact.given_name": FieldChoice(EmptyChoice.EXCLUDE)})
    found = people.plan(campaign)
    counted = people.counts(found)

    expected = dict.fromkeys(Outside, 0)
    receiving = set()
    excluded = {person.pk for person in [*shop.people["good"][:2], *shop.people["no_consent"]]}
    for contact in Contact.objects.all():
        why = refusals([contact.pk], topic_id=shop.topic.pk, transactional=False)[contact.pk]
        if contact.pk in excluded:
            expected[Outside.EXCLUDED] += 1
        elif "given_name" not in contact.filled:
            expected[Outside.EMPTY_FIELD] += 1
        elif why is None:
            receiving.add(contact.pk)
        else:
            expected[people.outside_of(why)] += 1
    assert counted.outside == expected
    assert counted.will_receive == len(receiving)
    assert counted.matched == Contact.objects.count()
    assert set(people.receiving_ids(found)) == receiving
    for reason, count in expected.items():
        assert len(people.outside_ids(found, reason)) == count
    left = people.left_out(found)
    assert left == {reason: expected[reason] for reason in (Outside.EXCLUDED, Outside.EMPTY_FIELD)}


def test_every_reason_has_its_people() -> None:
    shop = factory.shop()
    found = people.plan(shop.campaign())
    named = {
        Outside.NO_ADDRESS: "no_address",
        Outside.NO_CONSENT: "no_consent",
        Outside.UNSUBSCRIBED: "unsubscribed",
        Outside.PENDING: "pending",
        Outside.SUPPRESSED: "suppressed",
    }
    for reason, kind in named.items():
        assert people.outside_ids(found, reason) == [person.pk for person in shop.people[kind]]


def test_empty_values_are_counted_over_the_whole_audience() -> None:
    shop = factory.shop()
    campaign = shop.campaign()
    rows = {row.field: row for row in preflight(campaign).empty_fields}
    everybody = Contact.objects.all()
    nameless = sum("given_name" not in contact.filled for contact in everybody)
    assert (rows["contact.given_name"].empty, rows["contact.given_name"].total) == (nameless, len(everybody))
    assert rows["contact.given_name"].choice is None
    cityless = sum(not contact.city for contact in everybody)
    assert (rows["contact.city"].empty, rows["contact.city"].text) == (cityless, "远方")
    # Also after they were left out by choice: the figure must not vanish with the decision.
    decided = change(campaign, choices={"contact.given_name": FieldChoice(EmptyChoice.EXCLUDE)})
    again = {row.field: row for row in preflight(decided).empty_fields}
    assert again["contact.given_name"].empty == nameless
    assert again["contact.given_name"].choice is EmptyChoice.EXCLUDE


def test_a_broken_mail_points_at_its_line() -> None:
    shop = factory.shop(source=factory.HTML.replace("contact.given_name", "contact.given_nam"))
    blocks = preflight(shop.campaign()).blocks
    assert any(finding.place.startswith("source:2") for finding in blocks)


def test_a_deleted_tag_blocks_instead_of_meaning_nobody() -> None:
    shop = factory.shop()
    key = factory.tagged("gone", shop.people["good"])
    campaign = shop.campaign(audience={"tag": key})
    from hongyan.audience.models import Tag

    Tag.objects.filter(key=key).delete()
    assert "bad_audience" in codes(campaign, Level.BLOCK)


def test_nobody_left_blocks() -> None:
    shop = factory.shop()
    key = factory.tagged("silent", shop.people["no_consent"])
    assert "nobody" in codes(shop.campaign(audience={"tag": key}), Level.BLOCK)


def test_advertising_to_china_without_label_is_warned_of() -> None:
    shop = factory.shop()
    campaign = shop.campaign(subject="九月专享")
    finding = next(f for f in preflight(campaign).findings if f.code == "ad_label")
    assert finding.level is Level.WARN
    assert finding.count == Contact.objects.filter(country="CN").count()


def test_times_in_the_past_and_at_night() -> None:
    shop = factory.shop(good=1)
    now = clock.now()
    past = shop.campaign(timing=Timing.AT, send_at=now - timedelta(minutes=1))
    assert "time_past" in codes(past, Level.BLOCK)
    night = (now + timedelta(days=3)).replace(hour=23, minute=0)
    assert "night" in codes(shop.campaign(timing=Timing.AT, send_at=night), Level.WARN)


def test_many_more_than_usual_is_asked_about() -> None:
    shop = factory.shop(good=30)
    for number in range(3):
        row = shop.campaign(name=f"早先 {number}")
        Campaign.objects.filter(pk=row.pk).update(recipients=2)
    assert "unusual_size" in codes(shop.campaign(), Level.WARN)


@pytest.mark.parametrize(("language", "text"), [("zh-hans", "还没有受众"), ("en", "No audience yet")])
def test_findings_speak_the_language_of_the_page(language: str, text: str) -> None:
    campaign = factory.shop(good=1).campaign(audience=None)
    with translation.override(language):
        assert text in {finding.title for finding in preflight(campaign).findings}

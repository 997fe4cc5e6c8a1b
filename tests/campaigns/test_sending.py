"""From a draft to a finished campaign: approval, freezing once, pausing, finishing only when everybody is settled."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from hongyan.accounts.approval_states import ApprovalState
from hongyan.accounts.errors import ApprovalRefused, PermissionRefused
from hongyan.accounts.permissions import Role
from hongyan.campaigns import approval, sending
from hongyan.campaigns.errors import (
    ActRefused,
    ApprovalMissing,
    CountMismatch,
    EditConflict,
    NotComplete,
    PreflightBlocks,
)
from hongyan.campaigns.follow import count_now, follow, origin_of, snapshot
from hongyan.campaigns.models import Campaign, Transition
from hongyan.campaigns.preflight import preflight
from hongyan.campaigns.selectors import first_steps_state, needs_attention, recent_results
from hongyan.campaigns.services import campaign_duplicate, campaign_reopen, campaign_update, values_of
from hongyan.campaigns.states import Act, State
from hongyan.campaigns.types import EmptyChoice, FieldChoice
from hongyan.content.services import template_save
from hongyan.content.types import TemplateContent
from hongyan.core import clock
from hongyan.delivery.models import Message
from hongyan.delivery.selectors import recipients
from hongyan.delivery.types import MessageState
from hongyan.jobs.models import Job
from tests.campaigns import factory
from tests.campaigns.factory import SYSTEM, Shop

pytestmark = pytest.mark.django_db
DECIDED = {"contact.given_name": FieldChoice(EmptyChoice.EXCLUDE)}


@pytest.fixture
def shop() -> Shop:
    return factory.shop()


def ready(shop: Shop, **changes: Any) -> Campaign:
    return shop.campaign(**{"choices": DECIDED, **changes})


def start(campaign: Campaign, actor: Any = SYSTEM) -> Campaign:
    counts = preflight(campaign).counts
    assert counts is not None
    return sending.campaign_start(actor=actor, campaign_id=campaign.pk, confirmed=counts.will_receive)


def settle(campaign: Campaign, state: MessageState = MessageState.SENT, *, limit: int = 1000, reason: str = "") -> int:
    """What the sender lane would record."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_message SET state = %s, reason = %s, finished_at = now(), wake_at = NULL WHERE id IN "
            "(SELECT id FROM delivery_message WHERE origin_kind = 'campaign' AND origin_id = %s AND state = 0 "
            "ORDER BY id LIMIT %s)",
            [int(state), reason, campaign.pk, limit],
        )
        return int(cursor.rowcount)


def steps(campaign: Campaign) -> list[str]:
    return list(Transition.objects.filter(campaign=campaign).order_by("id").values_list("act", flat=True))


def test_everybody_of_the_audience_is_mailed_or_counted(shop: Shop) -> None:
    everybody = sum(len(people) for people in shop.people.values())
    campaign = start(ready(shop))
    assert campaign.state == State.FREEZING
    assert Job.objects.filter(kind=sending.FREEZE_JOB, params={"campaign_id": campaign.pk}).count() == 1
    campaign = sending.freeze(campaign.pk)
    assert campaign.state == State.SENDING
    assert (campaign.recipients or 0) + sum(campaign.frozen_outside.values()) == everybody == campaign.matched
    assert campaign.frozen_outside == {"excluded": 0, "empty_field": 2}
    mailed = set(Message.objects.filter(origin_id=campaign.pk).values_list("contact_id", flat=True))
    left_out = {person.pk for person in shop.people["nameless"]}
    assert mailed == {person.pk for people in shop.people.values() for person in people} - left_out
    assert steps(campaign) == ["clear", "start", "frozen"]


def test_freezing_again_adds_nobody(shop: Shop) -> None:
    campaign = sending.freeze(start(ready(shop)).pk)
    factory.person()
    assert sending.freeze(campaign.pk).recipients == campaign.recipients
    assert Message.objects.filter(origin_id=campaign.pk).count() == campaign.recipients


def test_the_typed_number_must_fit(shop: Shop) -> None:
    campaign = ready(shop)
    with pytest.raises(CountMismatch) as refused:
        sending.campaign_start(actor=SYSTEM, campaign_id=campaign.pk, confirmed=3)
    assert refused.value.expected == 4
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT


def test_findings_that_block_stop_the_send(shop: Shop) -> None:
    campaign = shop.campaign()
    with pytest.raises(PreflightBlocks) as refused:
        sending.campaign_start(actor=SYSTEM, campaign_id=campaign.pk, confirmed=6)
    assert refused.value.codes == ("empty_undecided",)


def test_low_disk_while_freezing_fails_and_mails_nobody(shop: Shop, settings: Any) -> None:
    campaign = start(ready(shop))
    settings.HONGYAN_MIN_FREE_MB = 10**12
    campaign = sending.freeze(campaign.pk)
    assert (campaign.state, campaign.failure) == (State.FAILED, "low_disk")
    assert not Message.objects.filter(origin_id=campaign.pk).exists()
    settings.HONGYAN_MIN_FREE_MB = 0
    again = campaign_reopen(actor=SYSTEM, campaign_id=campaign.pk)
    assert sending.freeze(start(again).pk).state == State.SENDING


def test_it_finishes_only_when_everybody_has_a_final_state(shop: Shop) -> None:
    campaign = sending.freeze(start(ready(shop)).pk)
    total = campaign.recipients or 0
    settle(campaign, limit=total - 2)
    assert settle(campaign, MessageState.REFUSED, limit=1, reason="no_consent") == 1
    follow()
    campaign.refresh_from_db()
    assert campaign.state == State.SENDING
    assert snapshot(campaign).waiting == 1
    settle(campaign, MessageState.UNCERTAIN)
    count_now(campaign)
    campaign.refresh_from_db()
    assert campaign.state == State.FINISHED
    assert campaign.finished_at is not None
    last = Transition.objects.filter(campaign=campaign).latest("id")
    assert last.data == {"sent": total - 2, "refused": 1, "uncertain": 1}


def test_a_missing_message_keeps_it_open(shop: Shop) -> None:
    campaign = sending.freeze(start(ready(shop)).pk)
    settle(campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM delivery_message WHERE id = (SELECT min(id) FROM delivery_message WHERE origin_id = %s)",
            [campaign.pk],
        )
    count_now(campaign)
    campaign.refresh_from_db()
    assert campaign.state == State.SENDING


def test_pause_resume_and_cancel_with_exact_counts(shop: Shop) -> None:
    campaign = sending.freeze(start(ready(shop)).pk)
    total = campaign.recipients or 0
    settle(campaign, limit=3)
    paused = sending.campaign_pause(actor=SYSTEM, campaign_id=campaign.pk)
    assert paused.state == State.PAUSED
    assert Transition.objects.filter(campaign=campaign).latest("id").data == {"sent": 3, "queued": total - 3}
    with pytest.raises(ActRefused):
        sending.campaign_pause(actor=SYSTEM, campaign_id=campaign.pk)
    assert sending.campaign_resume(actor=SYSTEM, campaign_id=campaign.pk).state == State.SENDING
    cancelled = sending.campaign_cancel(actor=SYSTEM, campaign_id=campaign.pk, note="wrong price")
    assert cancelled.state == State.CANCELLED
    last = Transition.objects.filter(campaign=campaign).latest("id")
    assert (last.data, last.note) == ({"sent": 3, "cancelled": total - 3}, "wrong price")
    origin = origin_of(campaign)
    assert origin is not None
    assert len(recipients(actor=SYSTEM, origin=origin, states=[MessageState.CANCELLED])) == total - 3


def test_cancelled_while_recipients_are_being_prepared_mails_nobody(shop: Shop) -> None:
    campaign = start(ready(shop))
    cancelled = sending.campaign_cancel(actor=SYSTEM, campaign_id=campaign.pk, note="too early")
    assert (cancelled.state, origin_of(cancelled)) == (State.CANCELLED, None)
    assert sending.freeze(campaign.pk).state == State.CANCELLED  # the job comes when it is too late
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM delivery_message WHERE origin_id = %s", [campaign.pk])
        assert cursor.fetchone() == (0,)


def test_scheduled_ones_start_when_due_and_only_once(shop: Shop) -> None:
    campaign = ready(shop)
    at = clock.now() + timedelta(hours=2)
    scheduled = sending.campaign_schedule(actor=SYSTEM, campaign_id=campaign.pk, send_at=at, confirmed=4)
    assert scheduled.state == State.SCHEDULED
    assert sending.start_due() == 0
    assert sending.start_due(at + timedelta(minutes=7)) == 1
    assert sending.start_due(at + timedelta(minutes=8)) == 0
    campaign.refresh_from_db()
    assert campaign.state == State.FREEZING


def test_a_schedule_lies_in_the_future(shop: Shop) -> None:
    campaign = ready(shop)
    for away in (timedelta(0), timedelta(days=400)):
        with pytest.raises(NotComplete):
            sending.campaign_schedule(actor=SYSTEM, campaign_id=campaign.pk, send_at=clock.now() + away, confirmed=4)


def test_a_scheduled_one_that_no_longer_passes_fails_with_its_reason(shop: Shop) -> None:
    campaign = ready(shop)
    at = clock.now() + timedelta(hours=2)
    sending.campaign_schedule(actor=SYSTEM, campaign_id=campaign.pk, send_at=at, confirmed=4)
    shop.sender.archived_at = clock.now()
    shop.sender.save()
    sending.start_due(at)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.failure) == (State.FAILED, "preflight_blocks")
    assert [item.kind for item in needs_attention(SYSTEM)] == ["failed"]


def test_what_was_cleared_is_what_goes_out(shop: Shop) -> None:
    campaign = ready(shop)
    at = clock.now() + timedelta(hours=2)
    sending.campaign_schedule(actor=SYSTEM, campaign_id=campaign.pk, send_at=at, confirmed=4)
    campaign.refresh_from_db()
    pinned = campaign.content_version_id
    edit_template(shop)
    sending.start_due(at)
    campaign = sending.freeze(campaign.pk)
    assert set(Message.objects.filter(origin_id=campaign.pk).values_list("content_version_id", flat=True)) == {pinned}


def edit_template(shop: Shop) -> None:
    shop.template.refresh_from_db()
    content = TemplateContent(subject="广告:换了", source=factory.HTML.replace("看看", "别看"))
    template_save(
        actor=SYSTEM, template_id=shop.template.public_id, base=shop.template.version, content=content, note="edited"
    )


# -- approval ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cast(shop: Shop) -> dict[str, Any]:
    factory.always_two_eyes()
    return {
        "marketer": factory.staff(Role.MARKETER),
        "approver": factory.staff(Role.APPROVER),
        "second": factory.staff(Role.APPROVER, "second"),
        "analyst": factory.staff(Role.ANALYST),
    }


def requested(shop: Shop, cast: dict[str, Any]) -> Campaign:
    campaign = ready(shop, actor=cast["marketer"])
    approval.campaign_request_approval(actor=cast["marketer"], campaign_id=campaign.pk, comment="请看一下")
    campaign.refresh_from_db()
    return campaign


def decide(campaign: Campaign, actor: Any, act: Act = Act.APPROVE, comment: str = "好") -> Campaign:
    return approval.campaign_decide(
        actor=actor,
        campaign_id=campaign.pk,
        act=act,
        seen_content_hash=campaign.content_hash,
        seen_audience_hash=campaign.audience_hash,
        comment=comment,
    )


def test_a_rule_keeps_it_from_starting_without_approval(shop: Shop, cast: dict[str, Any]) -> None:
    campaign = ready(shop, actor=cast["marketer"])
    with pytest.raises(ApprovalMissing):
        start(campaign, cast["marketer"])
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT


def test_approved_by_somebody_else_it_may_start(shop: Shop, cast: dict[str, Any]) -> None:
    campaign = requested(shop, cast)
    assert campaign.state == State.AWAITING_APPROVAL
    assert [item.kind for item in needs_attention(cast["approver"])] == ["approve"]
    with pytest.raises(PermissionRefused):
        decide(campaign, cast["marketer"])
    assert decide(campaign, cast["approver"]).state == State.APPROVED
    assert start(Campaign.objects.get(pk=campaign.pk), cast["marketer"]).state == State.FREEZING


def test_two_different_approvers_where_the_rule_says_two(shop: Shop, cast: dict[str, Any]) -> None:
    factory.always_two_eyes(2)
    campaign = requested(shop, cast)
    assert decide(campaign, cast["approver"]).state == State.AWAITING_APPROVAL
    with pytest.raises(ApprovalRefused):
        decide(campaign, cast["approver"])
    assert decide(campaign, cast["second"]).state == State.APPROVED


def test_an_administrator_who_wrote_it_cannot_approve_it(shop: Shop, cast: dict[str, Any]) -> None:
    boss = factory.staff(Role.ADMINISTRATOR)
    campaign = requested(shop, cast)
    approval.campaign_withdraw_request(actor=cast["marketer"], campaign_id=campaign.pk)
    values = replace(values_of(Campaign.objects.get(pk=campaign.pk)), subject="广告:再看看")
    campaign_update(actor=boss, campaign_id=campaign.pk, values=values)
    approval.campaign_request_approval(actor=cast["marketer"], campaign_id=campaign.pk)
    campaign.refresh_from_db()
    with pytest.raises(ApprovalRefused) as refused:
        decide(campaign, boss)
    assert refused.value.code == "author"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "广告:别的"},
        {"audience": {"field": "city", "op": "=", "value": "上海"}},
        {"exclusions": {"field": "city", "op": "=", "value": "北京"}},
        {"choices": {"contact.given_name": FieldChoice(EmptyChoice.FALLBACK, "朋友")}},
    ],
    ids=["subject", "audience", "exclusions", "choices"],
)
@pytest.mark.parametrize("approved", [True, False], ids=["approved", "asked"])
def test_any_change_voids_the_approval(
    shop: Shop, cast: dict[str, Any], changes: dict[str, Any], *, approved: bool
) -> None:
    campaign = requested(shop, cast)
    if approved:
        decide(campaign, cast["approver"])
    values = replace(values_of(campaign), **changes)
    changed = campaign_update(actor=cast["marketer"], campaign_id=campaign.pk, values=values)
    assert (changed.state, changed.content_hash, changed.content_version_id) == (State.DRAFT, "", None)
    assert approval.requests_of(changed)[0].state == ApprovalState.VOID
    with pytest.raises(ApprovalMissing):
        start(changed, cast["marketer"])


def test_filing_and_time_do_not_void_it(shop: Shop, cast: dict[str, Any]) -> None:
    campaign = requested(shop, cast)
    decide(campaign, cast["approver"])
    values = replace(values_of(campaign), goal="清仓")
    assert campaign_update(actor=cast["marketer"], campaign_id=campaign.pk, values=values).state == State.APPROVED


def test_a_saved_audience_that_changed_voids_it_at_the_start(shop: Shop, cast: dict[str, Any]) -> None:
    from hongyan.audience.saved import audience_create, audience_update

    tree = {"field": "city", "op": "=", "value": "上海"}
    saved = audience_create(actor=SYSTEM, name="上海的人", tree=tree)
    campaign = ready(shop, actor=cast["marketer"], audience={"audience": str(saved.public_id)})
    approval.campaign_request_approval(actor=cast["marketer"], campaign_id=campaign.pk)
    campaign.refresh_from_db()
    decide(campaign, cast["approver"])
    audience_update(actor=SYSTEM, audience=saved, name=saved.name, tree={"everyone": True})
    with pytest.raises(ApprovalMissing):
        start(Campaign.objects.get(pk=campaign.pk), cast["marketer"])


def test_a_changed_sender_voids_it_at_the_start(shop: Shop, cast: dict[str, Any]) -> None:
    campaign = requested(shop, cast)
    decide(campaign, cast["approver"])
    shop.sender.from_name = "别人"
    shop.sender.save()
    with pytest.raises(ApprovalMissing):
        start(Campaign.objects.get(pk=campaign.pk), cast["marketer"])


@pytest.mark.parametrize("act", [Act.REQUEST_CHANGES, Act.REJECT])
def test_sent_back_with_a_comment(shop: Shop, cast: dict[str, Any], act: Act) -> None:
    campaign = requested(shop, cast)
    with pytest.raises(ApprovalRefused):
        decide(campaign, cast["approver"], act, comment=" ")
    back = decide(campaign, cast["approver"], act, comment="价格不对")
    assert back.state == State.DRAFT
    found = needs_attention(cast["marketer"])
    assert [(item.kind, item.note) for item in found] == [("changes_requested", "价格不对")]


def test_what_the_approver_saw_must_be_what_was_asked(shop: Shop, cast: dict[str, Any]) -> None:
    campaign = requested(shop, cast)
    with pytest.raises(ApprovalRefused) as refused:
        approval.campaign_decide(
            actor=cast["approver"],
            campaign_id=campaign.pk,
            act=Act.APPROVE,
            seen_content_hash="00" * 32,
            seen_audience_hash=campaign.audience_hash,
        )
    assert refused.value.code == "changed"


# -- edits and permissions ---------------------------------------------------------------------------------------------


def test_two_editors_cannot_overwrite_each_other(shop: Shop) -> None:
    campaign = ready(shop)
    seen = campaign.revision
    values = replace(values_of(campaign), subject="广告:甲")
    campaign_update(actor=SYSTEM, campaign_id=campaign.pk, values=values, revision=seen)
    with pytest.raises(EditConflict):
        campaign_update(actor=SYSTEM, campaign_id=campaign.pk, values=replace(values, subject="广告:乙"), revision=seen)


def test_nothing_is_edited_while_it_is_sent(shop: Shop) -> None:
    campaign = sending.freeze(start(ready(shop)).pk)
    with pytest.raises(ActRefused):
        campaign_update(actor=SYSTEM, campaign_id=campaign.pk, values=replace(values_of(campaign), subject="广告:晚了"))


def test_a_duplicate_is_a_draft_without_history(shop: Shop) -> None:
    campaign = sending.freeze(start(ready(shop)).pk)
    copy = campaign_duplicate(actor=SYSTEM, campaign_id=campaign.pk)
    assert (copy.state, copy.audience, copy.recipients, copy.content_version_id) == (
        State.DRAFT,
        campaign.audience,
        None,
        None,
    )


def test_an_audience_in_use_cannot_be_deleted_under_a_campaign(shop: Shop) -> None:
    from hongyan.audience.errors import InUse
    from hongyan.audience.saved import audience_create, audience_delete

    saved = audience_create(actor=SYSTEM, name="上海的人", tree={"field": "city", "op": "=", "value": "上海"})
    campaign = ready(shop, audience={"audience": str(saved.public_id)})
    with pytest.raises(InUse):
        audience_delete(actor=SYSTEM, audience=saved)
    sending.campaign_cancel(actor=SYSTEM, campaign_id=campaign.pk)
    audience_delete(actor=SYSTEM, audience=saved)


ACTS: dict[str, Callable[[Any, int], object]] = {
    "edit": lambda actor, pk: campaign_reopen(actor=actor, campaign_id=pk),
    "duplicate": lambda actor, pk: campaign_duplicate(actor=actor, campaign_id=pk),
    "request": lambda actor, pk: approval.campaign_request_approval(actor=actor, campaign_id=pk),
    "start": lambda actor, pk: sending.campaign_start(actor=actor, campaign_id=pk, confirmed=4),
    "schedule": lambda actor, pk: sending.campaign_schedule(
        actor=actor, campaign_id=pk, send_at=clock.now() + timedelta(days=1), confirmed=4
    ),
    "pause": lambda actor, pk: sending.campaign_pause(actor=actor, campaign_id=pk),
    "resume": lambda actor, pk: sending.campaign_resume(actor=actor, campaign_id=pk),
    "cancel": lambda actor, pk: sending.campaign_cancel(actor=actor, campaign_id=pk),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_analyst_changes_nothing(shop: Shop, cast: dict[str, Any], act: str) -> None:
    campaign = ready(shop)
    with pytest.raises(PermissionRefused):
        ACTS[act](cast["analyst"], campaign.pk)


def test_home_page_reads(shop: Shop, cast: dict[str, Any]) -> None:
    marketer = cast["marketer"]
    assert first_steps_state(marketer).has_campaign is False
    factory.no_rules()
    campaign = ready(shop, actor=marketer)
    steps_now = first_steps_state(marketer)
    assert (steps_now.has_audience, steps_now.has_content, steps_now.has_sent) == (True, True, False)
    assert steps_now.draft == campaign.public_id
    sending.freeze(start(campaign, marketer).pk)
    follow()
    assert [row.campaign.pk for row in recent_results(marketer)] == [campaign.pk]
    assert first_steps_state(marketer).has_sent is True


# -- at the same time --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_starters_freeze_once() -> None:
    shop = factory.shop()
    campaign = ready(shop)
    checked = preflight(campaign)
    assert checked.counts is not None
    expected = checked.counts.will_receive
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def begin() -> None:
        gate.wait(10)
        try:
            sending.campaign_start(actor=SYSTEM, campaign_id=campaign.pk, confirmed=expected)
            outcomes.append("started")
        except ActRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    run(begin)
    assert sorted(outcomes) == ["refused", "started"]
    assert Job.objects.filter(kind=sending.FREEZE_JOB).count() == 1

    frozen: list[str] = []

    def freeze() -> None:
        gate.wait(10)
        frozen.append(sending.freeze(campaign.pk).state)
        connection.close()

    run(freeze)
    campaign.refresh_from_db()
    assert frozen == ["sending", "sending"]
    assert Message.objects.filter(origin_id=campaign.pk).count() == campaign.recipients
    assert steps(campaign).count("frozen") == 1


def run(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

"""From a cleared campaign to mail on its way: schedule, start, freeze, pause, resume, cancel."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor, system_actor
from hongyan.audience.errors import BadTree
from hongyan.campaigns import approval, people
from hongyan.campaigns.draft import prepare_campaign
from hongyan.campaigns.errors import ApprovalMissing, CampaignError, CountMismatch, NotComplete, PreflightBlocks
from hongyan.campaigns.follow import count_now, exact_counts, origin_of
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.preflight import preflight
from hongyan.campaigns.states import Act, State, after
from hongyan.campaigns.transitions import locked, move
from hongyan.campaigns.types import Preflight, Timing
from hongyan.content.types import MailType
from hongyan.core import clock
from hongyan.delivery import selectors as delivery
from hongyan.delivery import services as outbox
from hongyan.delivery.errors import DeliveryProblem, LowDisk, OriginCancelled, UnknownSender
from hongyan.delivery.types import Origin, Priority
from hongyan.jobs.services import job_start

# People join and leave an audience while the sender reads the confirmation; more than this is another send.
TOLERANCE = 0.01
FREEZE_JOB = "campaign.freeze"
MAX_AHEAD = timedelta(days=366)


def campaign_start(*, actor: Actor, campaign_id: int, confirmed: int) -> Campaign:
    """Send now. confirmed: the number of people the sender typed.

    Raises PreflightBlocks, CountMismatch, ApprovalMissing, ActRefused.
    """
    actor.require(Permission.CAMPAIGN_SEND)
    checked = _check(campaign_id, Act.START, confirmed)
    with transaction.atomic():
        campaign = locked(campaign_id)
        _clear(actor, campaign, checked)
        _begin(actor, campaign)
    return campaign


def campaign_schedule(*, actor: Actor, campaign_id: int, send_at: datetime, confirmed: int) -> Campaign:
    """Send at an aware time. Checked now, and again when the time has come.

    Raises as ``campaign_start``, and NotComplete.
    """
    actor.require(Permission.CAMPAIGN_SEND)
    now = clock.now()
    if not now < send_at <= now + MAX_AHEAD:
        raise NotComplete({"send_at": "past" if send_at <= now else "far"})
    checked = _check(campaign_id, Act.SCHEDULE, confirmed)
    with transaction.atomic():
        campaign = locked(campaign_id)
        _clear(actor, campaign, checked)
        move(
            campaign,
            Act.SCHEDULE,
            actor=actor,
            data={"send_at": send_at.isoformat(), "people": confirmed},
            changes={"timing": Timing.AT.value, "send_at": send_at},
        )
    return campaign


def campaign_unschedule(*, actor: Actor, campaign_id: int) -> Campaign:
    actor.require(Permission.CAMPAIGN_SEND)
    with transaction.atomic():
        return move(locked(campaign_id), Act.UNSCHEDULE, actor=actor)


def _check(campaign_id: int, act: Act, confirmed: int) -> Preflight:
    """Everything that can say no, before any lock is taken: counting may take a second."""
    campaign = Campaign.objects.get(pk=campaign_id)
    state = State(campaign.state)
    after(after(state, Act.CLEAR) if state is State.DRAFT else state, act)
    checked = preflight(campaign)
    if not checked.clear or checked.counts is None:
        raise PreflightBlocks(checked.blocks)
    expected = checked.counts.will_receive
    if abs(expected - confirmed) > expected * TOLERANCE:
        raise CountMismatch(expected, confirmed)
    return checked


def _clear(actor: Actor, campaign: Campaign, checked: Preflight) -> None:
    """From here on the campaign has exactly this content and audience, approved or free of approval."""
    if campaign.state == State.DRAFT:
        if approval.needed(campaign, checked):
            raise ApprovalMissing
        pins = approval.pins(prepare_campaign(campaign))
        if pins["content_hash"] != checked.content_hash or pins["audience_hash"] != checked.audience_hash:
            raise ApprovalMissing
        move(campaign, Act.CLEAR, actor=actor, changes=pins)
        return
    if not approval.holds(campaign, checked):
        raise ApprovalMissing


def _begin(actor: Actor, campaign: Campaign) -> None:
    """The step only one of several starters can take: it needs the row and a state that lets it."""
    now = clock.now()
    move(
        campaign,
        Act.START,
        actor=actor,
        changes={"freezing_at": now, "origin_month": Origin.starting("campaign", campaign.pk, now).month},
    )
    job_start(
        actor=actor,
        kind=FREEZE_JOB,
        params={"campaign_id": campaign.pk},
        title=gettext_noop("Preparing recipients of “%(campaign)s”"),
        title_params={"campaign": campaign.name},
    )


def freeze(campaign_id: int) -> Campaign:
    """Write the recipients to the outbox, all or none, and open the sending. Does nothing when that was done already.

    Everybody of the audience gets a message, whose gate refuses by name those who may not be mailed at that moment;
    those left out before (exclusions, empty fields) are counted in ``frozen_outside``.
    """
    system = system_actor("campaigns")
    try:
        with transaction.atomic():
            campaign = locked(campaign_id)
            if campaign.state != State.FREEZING:
                return campaign
            return _freeze_locked(system, campaign)
    except (LowDisk, UnknownSender, OriginCancelled, BadTree, CampaignError) as problem:
        return _fail(system, campaign_id, _failure_code(problem))


def _freeze_locked(system: Actor, campaign: Campaign) -> Campaign:
    origin = origin_of(campaign)
    version, sender = campaign.content_version, campaign.sender
    if origin is None or version is None or sender is None:
        raise NotComplete({"content": "missing"})
    plan = people.plan(campaign)
    left_out = people.left_out(plan)
    recipients = outbox.dispatch(
        origin=origin,
        content_version_id=version.pk,
        sender_id=sender.pk,
        topic_id=campaign.topic_id,
        members=people.members(plan),
        due_at=clock.now(),
        priority=Priority.NORMAL,
        transactional=campaign.mail_type == MailType.TRANSACTIONAL,
    )
    if not recipients:
        raise NobodyLeft({"audience": "empty"})
    now = clock.now()
    outside = {reason.value: count for reason, count in left_out.items()}
    return move(
        campaign,
        Act.FROZEN,
        actor=system,
        data={"recipients": recipients, **outside},
        changes={
            "recipients": recipients,
            "matched": recipients + sum(outside.values()),
            "frozen_outside": outside,
            "started_at": now,
        },
    )


class NobodyLeft(NotComplete):
    """Between the confirmation and the start the audience became empty."""


def _failure_code(problem: DeliveryProblem | BadTree | CampaignError) -> str:
    codes: dict[type[Exception], str] = {
        LowDisk: "low_disk",
        UnknownSender: "unknown_sender",
        OriginCancelled: "origin_cancelled",
        BadTree: "bad_audience",
        NobodyLeft: "nobody_left",
        PreflightBlocks: "preflight_blocks",
        ApprovalMissing: "approval_missing",
    }
    return codes.get(type(problem), "not_complete")


def _fail(actor: Actor, campaign_id: int, code: str) -> Campaign:
    with transaction.atomic():
        campaign = locked(campaign_id)
        return move(campaign, Act.FAIL, actor=actor, note=code, changes={"failure": code, "origin_month": None})


def start_due(now: datetime | None = None) -> int:
    """Start every scheduled campaign whose time has come; returns how many. Periodic, safe to run twice."""
    started = 0
    due = Campaign.objects.filter(state=State.SCHEDULED, send_at__lte=now or clock.now()).order_by("send_at", "pk")
    for campaign_id in due.values_list("pk", flat=True):
        started += _start_scheduled(campaign_id)
    return started


def _start_scheduled(campaign_id: int) -> bool:
    system = system_actor("campaigns")
    campaign = Campaign.objects.get(pk=campaign_id)
    checked = preflight(campaign)
    with transaction.atomic():
        campaign = locked(campaign_id)
        if campaign.state != State.SCHEDULED:
            return False
        if checked.clear and approval.holds(campaign, checked):
            _begin(system, campaign)
            return True
        code = "preflight_blocks" if not checked.clear else "approval_missing"
        codes = [finding.code for finding in checked.blocks]
        move(campaign, Act.FAIL, actor=system, note=code, data={"codes": codes}, changes={"failure": code})
    return False


def campaign_pause(*, actor: Actor, campaign_id: int, note: str = "") -> Campaign:
    """Nothing more leaves; the record says exactly how many had left. Raises ActRefused."""
    actor.require(Permission.CAMPAIGN_SEND)
    with transaction.atomic():
        campaign = locked(campaign_id)
        after(State(campaign.state), Act.PAUSE)
        origin = _origin(campaign)
        outbox.pause(actor=actor, origin=origin)
        move(campaign, Act.PAUSE, actor=actor, note=note, data=exact_counts(delivery.progress(origin)))
    count_now(campaign)
    return campaign


def campaign_resume(*, actor: Actor, campaign_id: int) -> Campaign:
    actor.require(Permission.CAMPAIGN_SEND)
    with transaction.atomic():
        campaign = locked(campaign_id)
        after(State(campaign.state), Act.RESUME)
        outbox.resume(actor=actor, origin=_origin(campaign))
        move(campaign, Act.RESUME, actor=actor)
    return campaign


def campaign_cancel(*, actor: Actor, campaign_id: int, note: str = "") -> Campaign:
    """For good, from any state that still can. Messages already sent stay sent; the record holds the exact counts."""
    actor.require(Permission.CAMPAIGN_SEND)
    with transaction.atomic():
        campaign = locked(campaign_id)
        state = State(campaign.state)
        after(state, Act.CANCEL)
        data: dict[str, int] = {}
        changes: dict[str, Any] = {"finished_at": clock.now()}
        if state is State.FREEZING:
            changes["origin_month"] = None  # no message was made
        if state in {State.SENDING, State.PAUSED}:
            origin = _origin(campaign)
            outbox.cancel(actor=actor, origin=origin)
            data = exact_counts(delivery.progress(origin))
        approval.void(actor=actor, campaign=campaign)
        move(campaign, Act.CANCEL, actor=actor, note=note, data=data, changes=changes)
    count_now(campaign)
    return campaign


def _origin(campaign: Campaign) -> Origin:
    origin = origin_of(campaign)
    if origin is None:
        raise CampaignError
    return origin

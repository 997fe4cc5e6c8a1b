"""Reads of this room that are about campaigns; those about people are in ``people``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.types import Use, UsedKind
from hongyan.audience.usage import mentions
from hongyan.campaigns.errors import CampaignMissing
from hongyan.campaigns.follow import Snapshot, snapshot_of
from hongyan.campaigns.models import Campaign, Progress, Transition
from hongyan.campaigns.states import FINAL, Act, State
from hongyan.core import clock
from hongyan.delivery.types import MessageState

P = Permission
MAY_SEE = (P.CAMPAIGN_EDIT, P.CAMPAIGN_SEND, P.CAMPAIGN_APPROVE, P.REPORT_VIEW)


def require_see(actor: Actor) -> None:
    """Whoever prepares, sends, approves or reports on campaigns may see them."""
    if not any(actor.may(permission) for permission in MAY_SEE):
        raise PermissionRefused(P.CAMPAIGN_EDIT)


@dataclass(frozen=True, slots=True)
class CampaignFilters:
    text: str = ""
    states: Sequence[State] = ()
    stage: str = ""
    mail_type: str = ""
    demo: bool | None = None


@dataclass(frozen=True, slots=True)
class CampaignCursor:
    created_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """Newest first. following: where the next page begins, None on the last."""

    rows: list[Campaign]
    progress: dict[int, Snapshot]  # by campaign id, for those that have begun to send
    following: CampaignCursor | None


def campaign_by_public_id(*, actor: Actor, public_id: UUID) -> Campaign:
    """Raises CampaignMissing."""
    require_see(actor)
    campaign = _related(Campaign.objects.filter(public_id=public_id)).first()
    if campaign is None:
        raise CampaignMissing
    return campaign


def campaign_page(
    *, actor: Actor, filters: CampaignFilters, after: CampaignCursor | None = None, limit: int = 50
) -> CampaignPage:
    require_see(actor)
    found = _filtered(filters)
    if after is not None:
        found = found.filter(Q(created_at__lt=after.created_at) | Q(created_at=after.created_at, pk__lt=after.id))
    rows = list(_related(found).order_by("-created_at", "-id")[: limit + 1])
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    following = CampaignCursor(last.created_at, last.pk) if last is not None else None
    return CampaignPage(shown, snapshots(shown), following)


def state_counts(*, actor: Actor, filters: CampaignFilters) -> dict[State, int]:
    """How many campaigns are in each state, whatever states the filters ask for."""
    require_see(actor)
    found = _filtered(CampaignFilters(filters.text, (), filters.stage, filters.mail_type, filters.demo))
    return {State(row["state"]): row["n"] for row in found.values("state").annotate(n=Count("pk"))}


def campaigns_named(*, actor: Actor, text: str, limit: int) -> list[Campaign]:
    """For the search palette; nothing without permission."""
    if not text.strip() or not any(actor.may(permission) for permission in MAY_SEE):
        return []
    return list(Campaign.objects.filter(name__icontains=text.strip()).order_by("-created_at")[:limit])


def history(*, actor: Actor, campaign: Campaign) -> list[Transition]:
    """Every step, newest first."""
    require_see(actor)
    return list(Transition.objects.filter(campaign=campaign).order_by("-at", "-id")[:500])


def snapshots(campaigns: Sequence[Campaign]) -> dict[int, Snapshot]:
    rows = Progress.objects.filter(campaign__in=[campaign.pk for campaign in campaigns])
    return {row.campaign_id: snapshot_of(row) for row in rows}


def usual_size(campaign: Campaign) -> tuple[int, int]:
    """Median of recipients of earlier campaigns of the same type, and how many campaigns that is."""
    found = (
        Campaign.objects.filter(mail_type=campaign.mail_type, recipients__gt=0)
        .exclude(pk=campaign.pk)
        .order_by("-started_at")
        .values_list("recipients", flat=True)[:50]
    )
    sizes = sorted(size for size in found if size is not None)
    return (sizes[len(sizes) // 2], len(sizes)) if sizes else (0, 0)


def uses_of(kind: UsedKind, key: str) -> list[Use]:
    """Campaigns yet to end that name a tag, list or saved audience: it cannot be deleted under them."""
    return [
        Use(_("Campaign"), campaign.name, f"/campaigns/{campaign.public_id}")
        for campaign in Campaign.objects.exclude(state__in=[state.value for state in FINAL])
        if mentions(campaign.audience, kind, key) or mentions(campaign.exclusions, kind, key)
    ]


# -- the home page -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attention:
    """Something about a campaign that waits for this person. kind: approve | changes_requested | failed | paused |
    uncertain | scheduled | sending. count: people or messages concerned; at: since when, or for when."""

    kind: str
    public_id: UUID
    name: str
    at: datetime
    count: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A campaign that went out lately. The engagement figures are the analytics room's."""

    campaign: Campaign
    progress: Snapshot


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """How far a first campaign is; pages tick these off."""

    has_campaign: bool
    has_audience: bool
    has_content: bool
    has_sent: bool
    draft: UUID | None = None  # the newest unfinished one, to go on with
    extra: dict[str, bool] = field(default_factory=dict)


SOON = timedelta(hours=24)
LATELY = timedelta(days=14)


def needs_attention(actor: Actor) -> list[Attention]:
    """Most urgent first; only what this person can do something about."""
    found: list[Attention] = []
    sends, approves = actor.may(P.CAMPAIGN_SEND), actor.may(P.CAMPAIGN_APPROVE)
    moving = _moving() if sends or approves else {}
    if sends:
        found += _troubles(moving)
    if approves:
        found += _to_approve(actor, moving)
    if actor.may(P.CAMPAIGN_EDIT):
        found += _changes_requested(actor)
    if sends:
        found += _under_way(moving)
    return found


def _moving() -> dict[State, list[Campaign]]:
    """What is on its way or stuck, by state, lately changed first: one question for all kinds of lines."""
    now = clock.now()
    wanted = (
        Q(state=State.FAILED, updated_at__gt=now - LATELY)
        | Q(state__in=[State.PAUSED, State.FREEZING, State.SENDING, State.AWAITING_APPROVAL])
        | Q(state=State.SCHEDULED, send_at__lt=now + SOON)
    )
    found: dict[State, list[Campaign]] = {}
    for campaign in Campaign.objects.filter(wanted).select_related("progress").order_by("-updated_at")[:500]:
        found.setdefault(State(campaign.state), []).append(campaign)
    return found


def _troubles(moving: Mapping[State, list[Campaign]]) -> list[Attention]:
    found = [
        Attention("failed", c.public_id, c.name, c.updated_at, note=c.failure) for c in moving.get(State.FAILED, [])[:5]
    ]
    for campaign in moving.get(State.PAUSED, [])[:5]:
        row = getattr(campaign, "progress", None)
        waiting = snapshot_of(row).waiting if row is not None else None
        found.append(Attention("paused", campaign.public_id, campaign.name, campaign.updated_at, waiting))
    key = str(int(MessageState.UNCERTAIN))
    doubtful = Progress.objects.filter(
        states__has_key=key, settled=False, campaign__state__in=[State.FINISHED, State.CANCELLED]
    ).select_related("campaign")
    found += [
        Attention("uncertain", row.campaign.public_id, row.campaign.name, row.counted_at, row.states[key])
        for row in doubtful[:5]
    ]
    return found


def _to_approve(actor: Actor, moving: Mapping[State, list[Campaign]]) -> list[Attention]:
    waiting = sorted(moving.get(State.AWAITING_APPROVAL, []), key=lambda c: c.updated_at)
    return [
        Attention("approve", c.public_id, c.name, c.updated_at)
        for c in waiting[:10]
        if actor.kind != "user" or c.created_by_id != actor.id
    ]


def _changes_requested(actor: Actor) -> list[Attention]:
    """Drafts of this person whose last step was a request for changes or a rejection."""
    drafts = Campaign.objects.filter(
        state=State.DRAFT, created_by_id=actor.id, updated_at__gt=clock.now() - LATELY
    ).prefetch_related("transitions")
    found = []
    for campaign in drafts[:50]:
        last = max(campaign.transitions.all(), key=lambda step: (step.at, step.pk), default=None)
        if last is not None and last.act in {Act.REQUEST_CHANGES, Act.REJECT}:
            found.append(Attention("changes_requested", campaign.public_id, campaign.name, last.at, note=last.note))
    return found


def _under_way(moving: Mapping[State, list[Campaign]]) -> list[Attention]:
    sending = moving.get(State.SENDING, []) + moving.get(State.FREEZING, [])
    soon = sorted(
        ((c.send_at, c) for c in moving.get(State.SCHEDULED, []) if c.send_at is not None), key=lambda pair: pair[0]
    )
    return [
        Attention("sending", c.public_id, c.name, c.updated_at, c.recipients)
        for c in sorted(sending, key=lambda c: c.updated_at, reverse=True)[:5]
    ] + [Attention("scheduled", c.public_id, c.name, at) for at, c in soon[:5]]


def recent_results(actor: Actor, limit: int = 5) -> list[Result]:
    """Newest first; nothing without permission."""
    if not actor.may(P.REPORT_VIEW):
        return []
    rows = list(_related(Campaign.objects.filter(started_at__isnull=False)).order_by("-started_at")[:limit])
    known = snapshots(rows)
    return [Result(row, known[row.pk]) for row in rows if row.pk in known]


def first_steps_state(actor: Actor) -> FirstSteps:
    """Of this person's own campaigns, so that the demo's do not count as theirs."""
    own = Campaign.objects.filter(is_demo=False)
    if actor.kind == "user":
        own = own.filter(created_by_id=actor.id)
    unfinished = [State.DRAFT, State.AWAITING_APPROVAL, State.APPROVED]
    draft = own.filter(state__in=unfinished).order_by("-updated_at").values_list("public_id", flat=True).first()
    counts = own.aggregate(
        all=Count("pk"),
        audience=Count("pk", filter=Q(audience__isnull=False)),
        content=Count("pk", filter=Q(template__isnull=False)),
        sent=Count("pk", filter=Q(started_at__isnull=False)),
    )
    return FirstSteps(
        has_campaign=counts["all"] > 0,
        has_audience=counts["audience"] > 0,
        has_content=counts["content"] > 0,
        has_sent=counts["sent"] > 0,
        draft=draft,
    )


def _filtered(filters: CampaignFilters) -> QuerySet[Campaign]:
    found = Campaign.objects.all()
    if filters.text.strip():
        found = found.filter(name__icontains=filters.text.strip())
    if filters.states:
        found = found.filter(state__in=[state.value for state in filters.states])
    if filters.stage:
        found = found.filter(stage=filters.stage)
    if filters.mail_type:
        found = found.filter(mail_type=filters.mail_type)
    if filters.demo is not None:
        found = found.filter(is_demo=filters.demo)
    return found


def _related(found: QuerySet[Campaign]) -> QuerySet[Campaign]:
    return found.select_related("sender", "topic", "template", "content_version", "created_by")

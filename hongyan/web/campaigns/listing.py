"""All campaigns: what each is doing and what it brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hongyan.accounts.permissions import Permission
from hongyan.analytics.selectors import figures_of
from hongyan.analytics.types import CampaignFigures
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.campaigns.follow import Snapshot
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.selectors import CampaignCursor, CampaignFilters, campaign_page, state_counts
from hongyan.campaigns.states import State
from hongyan.web.campaigns.common import actor_of, sentence
from hongyan.web.campaigns.words import MAIL_TYPES, PILLS, STAGES, STATES

PER_PAGE = 50
# Filter chips: several states that mean one thing to people.
GROUPS: dict[str, tuple[State, ...]] = {
    "draft": (State.DRAFT,),
    "waiting": (State.AWAITING_APPROVAL, State.APPROVED),
    "scheduled": (State.SCHEDULED,),
    "sending": (State.FREEZING, State.SENDING, State.PAUSED),
    "sent": (State.FINISHED,),
    "stopped": (State.CANCELLED, State.FAILED),
}


@dataclass(frozen=True, slots=True)
class Row:
    campaign: Campaign
    state_label: str
    pill: str
    stage: str
    mail_type: str
    audience: str
    progress: Snapshot | None
    figures: CampaignFigures | None

    @property
    def at(self) -> datetime:
        return self.campaign.started_at or self.campaign.send_at or self.campaign.updated_at


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    group = request.GET.get("state", "")
    filters = CampaignFilters(
        text=request.GET.get("q", "")[:160],
        states=GROUPS.get(group, ()),
        stage=request.GET.get("stage", ""),
        mail_type=request.GET.get("type", ""),
    )
    found = campaign_page(actor=actor, filters=filters, after=read_cursor(request.GET.get("after", "")), limit=PER_PAGE)
    counts = state_counts(actor=actor, filters=filters)
    figures = figures_of(actor=actor, campaigns=found.rows) if actor.may(Permission.REPORT_VIEW) else {}
    catalogue = catalogue_now()
    chips = [
        {"key": key, "label": _group_label(key), "count": sum(counts.get(state, 0) for state in states)}
        for key, states in GROUPS.items()
    ]
    context = {
        "rows": [_row(campaign, found.progress.get(campaign.pk), figures, catalogue) for campaign in found.rows],
        "chips": chips,
        "group": group if group in GROUPS else "",
        "total": sum(counts.values()),
        "any": bool(counts) or bool(filters.text or filters.stage or filters.mail_type),
        "after": write_cursor(found.following),
        "stages": [(stage.value, label) for stage, label in STAGES.items()],
        "types": [(kind.value, label) for kind, label in MAIL_TYPES.items()],
        "waiting_for_approval": counts.get(State.AWAITING_APPROVAL, 0),
    }
    return render(request, "campaigns/index.html", context)


def _row(
    campaign: Campaign, progress: Snapshot | None, figures: Mapping[int, CampaignFigures], catalogue: Catalogue
) -> Row:
    state = State(campaign.state)
    return Row(
        campaign=campaign,
        state_label=str(STATES[state]),
        pill=PILLS.get(state, state.value),
        stage=str(STAGES[campaign.stage]),  # type: ignore[index]  # a StrEnum's member equals its value
        mail_type=str(MAIL_TYPES[campaign.mail_type]),  # type: ignore[index]
        audience=sentence(campaign.audience, catalogue),
        progress=progress,
        figures=figures.get(campaign.pk) if progress is not None else None,
    )


def _group_label(key: str) -> str:
    return {
        "draft": _("Drafts"),
        "waiting": _("Waiting or ready"),
        "scheduled": _("Scheduled"),
        "sending": _("Under way"),
        "sent": _("Sent"),
        "stopped": _("Stopped"),
    }[key]


def read_cursor(text: str) -> CampaignCursor | None:
    """A cursor from the address; None for what is not one."""
    stamp, _dot, number = text.rpartition("~")
    try:
        at = datetime.fromisoformat(stamp)
        return CampaignCursor(at, int(number)) if at.tzinfo is not None else None
    except ValueError:
        return None


def write_cursor(cursor: CampaignCursor | None) -> str:
    return f"{cursor.created_at.isoformat()}~{cursor.id}" if cursor is not None else ""

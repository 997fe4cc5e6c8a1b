"""All campaigns side by side, and how it goes over time by kind and stage."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hongyan.accounts.permissions import Permission
from hongyan.analytics.rates import Rate, rate
from hongyan.analytics.selectors import figures_of, months
from hongyan.analytics.types import CampaignFigures, MonthRow
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.selectors import CampaignCursor, CampaignFilters, campaign_page
from hongyan.campaigns.states import State
from hongyan.core import clock
from hongyan.web.campaigns.listing import read_cursor, write_cursor
from hongyan.web.campaigns.words import MAIL_TYPES, STAGES
from hongyan.web.reports.common import actor_of, organisation_zone

PER_PAGE = 30
SHOWN = timedelta(days=366)
SENT_STATES = (State.SENDING, State.PAUSED, State.FINISHED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Line:
    campaign: Campaign
    figures: CampaignFigures
    stage: str
    mail_type: str


@dataclass(frozen=True, slots=True)
class Sum:
    """One kind or stage over the whole time shown."""

    label: str
    campaigns: int
    opened: Rate
    clicked: Rate
    unsubscribed: Rate


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.REPORT_VIEW)
    by = "stage" if request.GET.get("by") == "stage" else "type"
    filters = CampaignFilters(
        text=request.GET.get("q", "")[:160],
        states=SENT_STATES,
        stage=request.GET.get("stage", ""),
        mail_type=request.GET.get("type", ""),
    )
    after: CampaignCursor | None = read_cursor(request.GET.get("after", ""))
    page = campaign_page(actor=actor, filters=filters, after=after, limit=PER_PAGE)
    rows = [campaign for campaign in page.rows if campaign.recipients]
    figures = figures_of(actor=actor, campaigns=rows)
    found = months(actor=actor, since=clock.now() - SHOWN, zone=organisation_zone())
    context: dict[str, Any] = {
        "lines": [
            Line(
                campaign,
                figures[campaign.pk],
                str(STAGES[campaign.stage]),  # type: ignore[index]  # a StrEnum's member equals its value
                str(MAIL_TYPES[campaign.mail_type]),  # type: ignore[index]
            )
            for campaign in rows
        ],
        "after": write_cursor(page.following),
        "by": by,
        "trend": _trend(found, by),
        "sums": _sums(found, by),
        "answer": _answer(found),
        "stages": [(stage.value, label) for stage, label in STAGES.items()],
        "types": [(kind.value, label) for kind, label in MAIL_TYPES.items()],
        "any": bool(rows) or bool(found) or bool(filters.text or filters.stage or filters.mail_type),
    }
    return render(request, "reports/index.html", context)


def _key(row: MonthRow, by: str) -> str:
    return row.stage if by == "stage" else row.mail_type


def _label(key: str, by: str) -> str:
    return str(STAGES[key] if by == "stage" else MAIL_TYPES[key])  # type: ignore[index]


def _trend(found: Sequence[MonthRow], by: str) -> dict[str, Any]:
    """Click rate of people by month; a month without campaigns of a kind is a gap, not a zero."""
    if not found:
        return {}
    names = sorted({row.month for row in found})
    keys = sorted({_key(row, by) for row in found})
    series = []
    for key in keys:
        values: list[float | None] = []
        for month in names:
            part = [row for row in found if row.month == month and _key(row, by) == key]
            delivered = sum(row.delivered for row in part)
            values.append(sum(row.clicked.count for row in part) / delivered if delivered else None)
        series.append({"name": _label(key, by), "values": values})
    return {"heading": _("Month"), "categories": names, "series": series, "unit": "percent"}


def _sums(found: Sequence[MonthRow], by: str) -> list[Sum]:
    grouped: dict[str, list[MonthRow]] = defaultdict(list)
    for row in found:
        grouped[_key(row, by)].append(row)
    sums = []
    for key, rows in grouped.items():
        delivered = sum(row.delivered for row in rows)
        sums.append(
            Sum(
                _label(key, by),
                sum(row.campaigns for row in rows),
                rate(sum(row.opened.count for row in rows), delivered),
                rate(sum(row.clicked.count for row in rows), delivered),
                rate(sum(row.unsubscribed.count for row in rows), delivered),
            )
        )
    return sorted(sums, key=lambda row: -(row.clicked.value or 0))


def _answer(found: Sequence[MonthRow]) -> dict[str, Any]:
    """Key figures of the last year."""
    delivered = sum(row.delivered for row in found)
    return {
        "campaigns": sum(row.campaigns for row in found),
        "delivered": delivered,
        "opened": sum(row.opened.count for row in found),
        "clicked": sum(row.clicked.count for row in found),
        "unsubscribed": sum(row.unsubscribed.count for row in found),
    }

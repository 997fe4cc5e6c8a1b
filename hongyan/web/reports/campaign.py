"""How one campaign did, and the people behind every figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.analytics.rates import AgainstHistory
from hongyan.analytics.selectors import campaign_report, marked_contacts
from hongyan.analytics.types import HourRow, Outcome, Report
from hongyan.campaigns.follow import origin_of
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.persons import Person, persons
from hongyan.campaigns.states import LIVE, State
from hongyan.delivery import selectors as delivery
from hongyan.web import figures
from hongyan.web.campaigns.common import sentence
from hongyan.web.campaigns.words import MAIL_TYPES, MESSAGE_STATES, PILLS, STAGES, STATES, reason, state_and_reason
from hongyan.web.reports.common import LABELS, MARK_OF, STATES_OF, actor_of, campaign_of, organisation_zone, outcome_of

PER_PAGE = 50


@require_safe
def report(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    found = campaign_report(actor=actor_of(request), campaign=campaign, zone=organisation_zone())
    state = State(campaign.state)
    people = reverse("reports:people", args=[campaign.public_id])
    context = {
        "campaign": campaign,
        "report": found,
        "live": state in LIVE,
        "pill_state": PILLS.get(state, state.value),
        "pill_label": STATES[state],
        "stage": STAGES[campaign.stage],  # type: ignore[index]  # a StrEnum's member equals its value
        "mail_type": MAIL_TYPES[campaign.mail_type],  # type: ignore[index]
        "audience_sentence": sentence(campaign.audience),
        "people_url": f"{people}?outcome=",
        "opens": _opens(found, people),
        "losses": _losses(found, people),
        "hours": _hours_chart(found.hours),
        "opens_verdict": verdict(found.opens_history),
        "clicks_verdict": verdict(found.clicks_history),
        "zone": organisation_zone().key,
        "answer": _answer(found),
    }
    template = "reports/parts/report.html" if request.headers.get("HX-Request") else "reports/campaign.html"
    return render(request, template, context)


@dataclass(frozen=True, slots=True)
class PersonRow:
    person: Person | None
    state: str
    label: str
    detail: str
    at: datetime | None


@require_safe
def people(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    actor = actor_of(request)
    actor.require(Permission.REPORT_PEOPLE)
    outcome = outcome_of(request.GET.get("outcome", ""))
    link = request.GET.get("link", "")
    why = request.GET.get("reason", "")
    after = request.GET.get("after", "")
    rows, following = people_page(
        actor,
        campaign,
        outcome,
        link=int(link) if link.isdigit() and len(link) < 4 else -1,
        why=why,
        after=int(after) if after.isdigit() else 0,
        limit=PER_PAGE,
    )
    context = {
        "campaign": campaign,
        "outcome": outcome,
        "label": LABELS[outcome],
        "why": reason(why) if why else "",
        "link": link,
        "rows": rows,
        "after": str(following) if following else "",
        "chips": [{"key": key.value, "label": label} for key, label in LABELS.items()],
        "report_url": reverse("reports:campaign", args=[campaign.public_id]),
    }
    return render(request, "reports/people.html", context)


def people_page(
    actor: Actor, campaign: Campaign, outcome: Outcome, *, link: int = -1, why: str = "", after: int = 0, limit: int
) -> tuple[list[PersonRow], int]:
    """Rows and where the next page begins (0: no more)."""
    if outcome in MARK_OF:
        return _marked(actor, campaign, outcome, link=link, after=after, limit=limit)
    origin = origin_of(campaign)
    if origin is None:
        return [], 0
    found = delivery.recipients(
        actor=actor,
        origin=origin,
        states=STATES_OF[outcome] or None,
        reason=why or None,
        after=after or None,
        limit=limit + 1,
    )
    shown = found[:limit]
    ids = [row.contact_id for row in shown if row.contact_id is not None]
    known = persons(actor=actor, contact_ids=ids, subject_id=str(campaign.public_id))
    rows = [
        PersonRow(
            known.get(row.contact_id) if row.contact_id is not None else None,
            row.state.name.lower(),
            str(MESSAGE_STATES[row.state.name.lower()]),
            " · ".join(
                filter(None, (reason(row.reason) if row.reason else "", str(row.smtp_code or ""), row.smtp_text))
            ),
            row.finished_at,
        )
        for row in shown
    ]
    more = len(found) > limit and shown[-1].contact_id is not None
    return rows, (shown[-1].contact_id or 0) if more else 0


def _marked(
    actor: Actor, campaign: Campaign, outcome: Outcome, *, link: int, after: int, limit: int
) -> tuple[list[PersonRow], int]:
    found = marked_contacts(
        actor=actor, campaign=campaign, mark=MARK_OF[outcome], link=link, after=after, limit=limit + 1
    )
    shown = found[:limit]
    ids = [contact_id for _, contact_id, _ in shown if contact_id is not None]
    known = persons(actor=actor, contact_ids=ids, subject_id=str(campaign.public_id))
    rows = [
        PersonRow(known.get(contact_id) if contact_id is not None else None, "done", str(LABELS[outcome]), "", first_at)
        for _, contact_id, first_at in shown
    ]
    return rows, shown[-1][0] if len(found) > limit else 0


def verdict(history: AgainstHistory) -> str:
    """This rate beside the campaign's own history, in words."""
    usual = {"usual": figures.percent(history.median), "n": history.earlier}
    match history.verdict:
        case "above":
            return _("Above the usual %(usual)s of %(n)d earlier ones") % usual
        case "below":
            return _("Below the usual %(usual)s of %(n)d earlier ones") % usual
        case "usual":
            return _("As usual: %(usual)s over %(n)d earlier ones") % usual
        case _:
            return _("Too few earlier campaigns of this kind to compare")


def _answer(found: Report) -> str:
    """The answer to "how did it do?" in one sentence."""
    values = {
        "delivered": figures.number(found.delivered),
        "recipients": figures.number(found.recipients),
        "opened": figures.percent(found.opened.value),
        "clicked": figures.percent(found.clicked.value),
    }
    if not found.delivered:
        return _("Nothing has been delivered yet.")
    return (
        _("%(delivered)s of %(recipients)s were delivered; %(opened)s opened it themselves, %(clicked)s clicked.")
        % values
    )


def _opens(found: Report, people: str) -> list[dict[str, Any]]:
    """The delivered mails by who opened them; the four parts add up."""
    parts = (
        (_("Opened by people"), found.opened, Outcome.OPENED, ""),
        (_("Opened, unknown by whom"), found.opened_unknown_only, Outcome.OPENED_UNKNOWN, "quiet"),
        (_("Opened by machines only"), found.opened_machine_only, Outcome.OPENED_MACHINE, "quiet"),
        (_("Not opened, or cannot be seen"), found.not_opened, None, "quiet"),
    )
    return [
        {
            "label": label,
            "value": share.count,
            "note": figures.percent(share.value),
            "href": f"{people}?outcome={outcome.value}" if outcome is not None and share.count else "",
            "tone": tone,
        }
        for label, share, outcome, tone in parts
    ]


def _losses(found: Report, people: str) -> list[dict[str, Any]]:
    rows = [
        {
            "label": state_and_reason(state, code),
            "value": count,
            "href": f"{people}?outcome={_outcome_of(state)}&reason={code}",
            "tone": "bad" if state in {"bounced", "failed"} else "quiet",
        }
        for (state, code), count in found.reasons.items()
        if state != "sent"
    ]
    return sorted(rows, key=lambda row: -int(str(row["value"])))


def _outcome_of(state: str) -> str:
    return next(key.value for key, states in STATES_OF.items() if state in {entry.name.lower() for entry in states})


def _hours_chart(hours: Sequence[HourRow]) -> dict[str, Any]:
    if not hours:
        return {}
    chinese = (get_language() or "zh").startswith("zh")
    pattern = "%m-%d %H:00" if chinese else "%d %b %H:00"
    return {
        "heading": _("Hour"),
        "categories": [row.at.strftime(pattern) for row in hours],
        "series": [
            {"name": _("Opened by people"), "values": [row.opened for row in hours]},
            {"name": _("Clicked by people"), "values": [row.clicked for row in hours]},
        ],
        "unit": "",
    }

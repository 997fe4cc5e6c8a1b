"""One campaign: what it is doing, who got it, what it says, who decided what."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hongyan.accounts.permissions import Permission
from hongyan.accounts.selectors import user_labels
from hongyan.audience.errors import BadTree
from hongyan.campaigns import people
from hongyan.campaigns.approval import requests_of
from hongyan.campaigns.errors import NotComplete
from hongyan.campaigns.follow import EMPTY, Snapshot, origin_of, snapshot
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.persons import persons
from hongyan.campaigns.selectors import history
from hongyan.campaigns.states import LIVE, Act, State, may
from hongyan.campaigns.types import Outside
from hongyan.content.errors import ContentProblem
from hongyan.delivery import selectors as delivery
from hongyan.delivery.types import MessageState
from hongyan.web.campaigns.common import actor_of, base_context, campaign_of, sentence, to
from hongyan.web.campaigns.words import (
    ACTS,
    MAIL_TYPES,
    MESSAGE_STATES,
    OUTSIDE,
    STAGES,
    failure,
    reason,
    state_and_reason,
)

PEOPLE_PER_PAGE = 50
# Lists of recipients by outcome: tab, states.
OUTCOMES: dict[str, tuple[MessageState, ...]] = {
    "all": (),
    "sent": (MessageState.SENT,),
    "waiting": (MessageState.QUEUED, MessageState.DEFERRED, MessageState.CLAIMED, MessageState.DOTTED),
    "bounced": (MessageState.BOUNCED,),
    "refused": (MessageState.REFUSED,),
    "failed": (MessageState.FAILED,),
    "uncertain": (MessageState.UNCERTAIN,),
    "cancelled": (MessageState.CANCELLED,),
}


@require_safe
def overview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Drafts open in the editor, everything else shows how it stands."""
    campaign = campaign_of(request, public_id)
    if campaign.state == State.DRAFT and actor_of(request).may(Permission.CAMPAIGN_EDIT):
        return to(_first_open_step(campaign), campaign)
    context = _page(campaign, "overview") | _progress(campaign)
    context |= {
        "audience_sentence": sentence(campaign.audience),
        "exclusions_sentence": sentence(campaign.exclusions),
        "stage": STAGES[campaign.stage],  # type: ignore[index]
        "mail_type": MAIL_TYPES[campaign.mail_type],  # type: ignore[index]
        "failure_text": failure(campaign.failure) if campaign.failure else "",
        "requests": requests_of(campaign)[:1],
        "report_url": _report_url(campaign),
    }
    return render(request, "campaigns/page.html", context)


@require_safe
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The live part, asked for every two seconds while something moves."""
    campaign = campaign_of(request, public_id)
    answer = render(request, "campaigns/parts/progress.html", base_context(campaign) | _progress(campaign))
    if request.GET.get("state", campaign.state) != campaign.state:
        answer.headers["HX-Refresh"] = "true"  # head and buttons are those of another state by now
    return answer


@require_safe
def recipients(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    actor = actor_of(request)
    actor.require(Permission.REPORT_PEOPLE)
    outcome = request.GET.get("outcome", "all")
    states = OUTCOMES.get(outcome, ())
    origin = origin_of(campaign)
    why = request.GET.get("reason") or None
    after = request.GET.get("after", "")
    rows: list[dict[str, Any]] = []
    following = ""
    if origin is not None:
        found = delivery.recipients(
            actor=actor,
            origin=origin,
            states=states or None,
            reason=why,
            after=int(after) if after.isdigit() else None,
            limit=PEOPLE_PER_PAGE + 1,
        )
        shown = found[:PEOPLE_PER_PAGE]
        ids = [row.contact_id for row in shown if row.contact_id is not None]
        known = persons(actor=actor, contact_ids=ids, subject_id=str(campaign.public_id))
        rows = [
            {
                "person": known.get(row.contact_id) if row.contact_id is not None else None,
                "state": row.state.name.lower(),
                "label": MESSAGE_STATES[row.state.name.lower()],
                "reason": reason(row.reason) if row.reason else "",
                "smtp": " ".join(filter(None, (str(row.smtp_code or ""), row.smtp_enhanced, row.smtp_text))),
                "attempts": row.attempts,
                "at": row.finished_at,
            }
            for row in shown
        ]
        if len(found) > PEOPLE_PER_PAGE and shown[-1].contact_id is not None:
            following = str(shown[-1].contact_id)
    snap = snapshot(campaign)
    context = _page(campaign, "recipients") | {
        "rows": rows,
        "after": following,
        "outcome": outcome if outcome in OUTCOMES else "all",
        "why": reason(why) if why else "",
        "chips": [
            {"key": key, "label": _outcome_label(key), "count": snap.count(*states) if states else snap.total}
            for key, states in OUTCOMES.items()
        ],
        "left_out": _left_out(campaign),
    }
    return render(request, "campaigns/recipients.html", context)


@require_safe
def content(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    from hongyan.campaigns.draft import compile_campaign

    version, problem = campaign.content_version, ""
    if version is None:
        try:
            version = compile_campaign(campaign)
        except NotComplete:
            problem = _("No mail is chosen yet.")
        except ContentProblem as bad:
            problem = bad.message
    context = _page(campaign, "content") | {
        "version": version,
        "problem": problem,
        "preview_url": reverse("campaigns:preview", args=[campaign.public_id]),
        "body_url": reverse("campaigns:preview_body", args=[campaign.public_id]),
    }
    return render(request, "campaigns/content.html", context)


@require_safe
def log(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    steps = history(actor=actor_of(request), campaign=campaign)
    names = user_labels({step.actor_id for step in steps if step.actor_kind == "user" and step.actor_id is not None})
    entries = [
        {
            "title": ACTS[Act(step.act)],
            "by": _("Hongyan") if step.actor_kind == "system" else names.get(step.actor_id or 0, step.actor_label),
            "at": step.at,
            "note": failure(step.note) if step.act == Act.FAIL else step.note,
            "data": _data_words(step.data),
            "tone": {"fail": "bad", "reject": "bad", "cancel": "bad", "complete": "ok", "approve": "ok"}.get(
                step.act, ""
            ),
        }
        for step in steps
    ]
    return render(request, "campaigns/log.html", _page(campaign, "log") | {"entries": entries})


@require_safe
def outside(request: HttpRequest, public_id: UUID, reason: str) -> HttpResponse:
    """The people behind one line of preflight's counts, before anything is sent."""
    campaign = campaign_of(request, public_id)
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    after = request.GET.get("after", "")
    start = int(after) if after.isdigit() else 0
    try:
        found = people.plan(campaign)
        if reason == "receiving":
            ids = people.receiving_ids(found, after=start, limit=PEOPLE_PER_PAGE + 1)
            title = _("Will get it")
        else:
            ids = people.outside_ids(found, Outside(reason), after=start, limit=PEOPLE_PER_PAGE + 1)
            title = str(OUTSIDE[Outside(reason)])
    except ValueError:
        raise Http404 from None
    except (BadTree, NotComplete):
        return to("review", campaign)
    shown = ids[:PEOPLE_PER_PAGE]
    known = persons(actor=actor, contact_ids=shown, subject_id=str(campaign.public_id))
    context = base_context(campaign) | {
        "title": title,
        "rows": [known[pk] for pk in shown if pk in known],
        "after": str(shown[-1]) if len(ids) > PEOPLE_PER_PAGE else "",
        "back_url": reverse("campaigns:review", args=[campaign.public_id]),
    }
    return render(request, "campaigns/outside.html", context)


def _page(campaign: Campaign, tab: str) -> dict[str, Any]:
    state = State(campaign.state)
    return base_context(campaign) | {
        "tab": tab,
        "can_pause": may(state, Act.PAUSE),
        "can_resume": may(state, Act.RESUME),
        "can_cancel": may(state, Act.CANCEL),
        "can_reopen": may(state, Act.EDIT) and state is not State.DRAFT,
        "started": campaign.origin_month is not None,
        "snapshot": snapshot(campaign),
    }


def _progress(campaign: Campaign) -> dict[str, Any]:
    state = State(campaign.state)
    snap = snapshot(campaign) if campaign.origin_month is not None else EMPTY
    return {
        "snapshot": snap,
        "live": state in LIVE,
        "total": campaign.recipients,
        "sent": snap.count(MessageState.SENT),
        "bounced": snap.count(MessageState.BOUNCED),
        "refused": snap.count(MessageState.REFUSED),
        "failed": snap.count(MessageState.FAILED),
        "uncertain": snap.count(MessageState.UNCERTAIN),
        "cancelled_messages": snap.count(MessageState.CANCELLED),
        "deferred": snap.count(MessageState.DEFERRED),
        "waiting_why": _waiting_why(state, snap),
        "reasons": _reasons(campaign, snap),
    }


def _waiting_why(state: State, snap: Snapshot) -> str:
    """What the sending waits for, when it does."""
    if state is State.FREEZING:
        return _("Writing everybody of the audience to the outbox. Nothing has left yet.")
    if state is State.PAUSED:
        return _("Paused: nothing more leaves until somebody resumes it.")
    if state is State.SENDING and snap.waiting and snap.waiting == snap.count(MessageState.DEFERRED):
        return _("The receiving side asked to come back later; the rest is tried again by itself.")
    if state is State.SENDING and snap.waiting and snap.per_second is None and snap.done:
        return _("Waiting for a free connection to the mail server.")
    return ""


def _reasons(campaign: Campaign, snap: Snapshot) -> list[dict[str, Any]]:
    """Everything that was not simply sent, by reason, largest first; each opens its people."""
    base = reverse("campaigns:recipients", args=[campaign.public_id])
    rows = [
        {
            "label": state_and_reason(state.name.lower(), code),
            "value": count,
            "href": f"{base}?outcome={_outcome_of(state)}&reason={code}",
            "tone": "bad" if state in {MessageState.BOUNCED, MessageState.FAILED} else "quiet",
        }
        for (state, code), count in snap.reasons.items()
        if state is not MessageState.SENT
    ]
    return sorted(rows, key=lambda row: -int(str(row["value"])))


def _left_out(campaign: Campaign) -> list[dict[str, Any]]:
    return [
        {"label": OUTSIDE[Outside(code)], "value": count} for code, count in campaign.frozen_outside.items() if count
    ]


def _outcome_of(state: MessageState) -> str:
    return next(key for key, states in OUTCOMES.items() if state in states)


def _outcome_label(key: str) -> str:
    return {
        "all": _("Everybody"),
        "sent": _("Sent"),
        "waiting": _("Waiting"),
        "bounced": _("Bounced"),
        "refused": _("Not sent"),
        "failed": _("Failed"),
        "uncertain": _("Uncertain"),
        "cancelled": _("Cancelled"),
    }[key]


def _data_words(data: dict[str, Any]) -> list[tuple[str, int]]:
    """Counts at the moment of a step, in words."""
    words = {**MESSAGE_STATES, "recipients": _("recipients"), "people": _("people"), "required": _("approvals needed")}
    words |= {reason.value: label for reason, label in OUTSIDE.items()}
    return [
        (str(words[key]), value) for key, value in data.items() if key in words and isinstance(value, int) and value
    ]


def _first_open_step(campaign: Campaign) -> str:
    if campaign.audience is None:
        return "audience"
    if campaign.template_id is None:
        return "mail"
    return "sending" if campaign.sender_id is None else "review"


def _report_url(campaign: Campaign) -> str:
    from django.urls import NoReverseMatch

    try:
        return reverse("reports:campaign", args=[campaign.public_id]) if campaign.started_at else ""
    except NoReverseMatch:
        return ""

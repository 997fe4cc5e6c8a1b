"""The audit log: reading, verifying, and the head of its chain to keep elsewhere."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.accounts.selectors import user_labels
from hongyan.accounts.types import Actor
from hongyan.audit.selectors import audit_actions, audit_page
from hongyan.audit.services import chain_head, record
from hongyan.audit.types import AuditFilter, AuditRow
from hongyan.jobs.models import Job
from hongyan.jobs.selectors import jobs_recent
from hongyan.jobs.services import job_start
from hongyan.web.settings.audit_words import action_label, subject_label
from hongyan.web.settings.common import acting, needs
from hongyan.web.settings.tasks import VERIFY
from hongyan.web.settings.words import ACTOR_KINDS, BREAKS

PAGE = 50


@require_safe
@needs(Permission.AUDIT_VIEW)
def index(request: HttpRequest) -> HttpResponse:
    filters = _filters(request)
    before = request.GET.get("after", "")
    rows = audit_page(filters=filters, before_id=int(before) if before.isdigit() else None, limit=PAGE + 1)
    shown, more = rows[:PAGE], len(rows) > PAGE
    context = {
        "rows": _named(shown),
        "next_cursor": str(shown[-1].id) if more else "",
        "actions": sorted(((action, action_label(action)) for action in audit_actions()), key=lambda pair: pair[1]),
        "actor_kinds": ACTOR_KINDS,
        "filters": filters,
        "filtered": filters != AuditFilter(),
        "values": request.GET,
    }
    return render(request, "settings/audit.html", context | _verification(acting(request)))


@require_safe
@needs(Permission.AUDIT_VIEW)
def verification(request: HttpRequest) -> HttpResponse:
    """The card alone, while the verification runs."""
    return render(request, "settings/audit_chain.html", _verification(acting(request)))


@require_POST
@needs(Permission.AUDIT_VIEW)
def verify(request: HttpRequest) -> HttpResponse:
    job_start(actor=acting(request), kind=VERIFY, params={})
    record(actor=acting(request), action="audit.verified", subject_kind="audit", subject_id="")
    messages.success(request, _("Verification started"))
    return redirect("settings:audit")


@require_safe
@needs(Permission.AUDIT_VIEW)
def head(request: HttpRequest) -> HttpResponse:
    """To be kept outside: it proves later that nothing was cut off the end."""
    del request
    present = chain_head()
    body = {"seq": present.seq, "hash": present.hash, "at": present.at.isoformat()} if present else {}
    answer = JsonResponse(body)
    answer.headers["Content-Disposition"] = 'attachment; filename="audit-chain-head.json"'
    return answer


def _filters(request: HttpRequest) -> AuditFilter:
    given = request.GET
    since, until = _day(given.get("since", "")), _day(given.get("until", ""))
    return AuditFilter(
        action=given.get("action", ""),
        actor_kind=given.get("by", "") if given.get("by", "") in ACTOR_KINDS else "",
        subject_kind=given.get("kind", "").strip(),
        subject_id=given.get("subject", "").strip(),
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
    )


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:  # the 31st of February
        return None


def _midnight(day: date) -> datetime:
    """Of the reader's own day."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone()).astimezone(UTC)


def _named(rows: list[AuditRow]) -> list[dict[str, Any]]:
    labels = user_labels({row.actor_id for row in rows if row.actor_kind == "user" and row.actor_id is not None})
    return [
        {
            "row": row,
            "action": action_label(row.action),
            "subject": subject_label(row.subject_kind),
            "who": (labels.get(row.actor_id or 0) if row.actor_kind == "user" else None) or row.actor_label,
            "kind": str(ACTOR_KINDS.get(row.actor_kind, row.actor_kind)),
            "facts": [f"{key}: {_short(value)}" for key, value in row.data.items()],
        }
        for row in rows
    ]


def _short(value: object) -> str:
    text = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else text[:16] + "…"


def _verification(actor: Actor) -> dict[str, Any]:
    jobs = jobs_recent(actor=actor, kinds=(VERIFY,), limit=1)
    job: Job | None = jobs[0] if jobs else None
    result = job.result if job is not None and job.state == "succeeded" else {}
    return {"job": job, "result": result, "broken": BREAKS.get(result.get("reason", ""), "")}

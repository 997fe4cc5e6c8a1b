"""The landing page, the list of scheduled sources, and the page of one."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Permission
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.models_sources import Source, SourceRun
from hongyan.ingest.sources import selectors, services
from hongyan.ingest.sources.types import SourceState
from hongyan.web import figures
from hongyan.web.imports.shared import time_left
from hongyan.web.sources import areas, labels
from hongyan.web.sources.shared import actor_of, is_htmx, number_of, source_or_404

_RUNS = 20
ENTER = (Permission.IMPORT_RUN, Permission.SOURCE_EDIT, Permission.CONTACT_MERGE, Permission.REPORT_VIEW)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    if not any(actor.may(permission) for permission in ENTER):
        raise PermissionRefused(Permission.SOURCE_EDIT)
    troubles = [
        {
            "name": trouble.name,
            "url_id": trouble.public_id,
            "late": trouble.kind == "late",
            "why": labels.failure(trouble.code) if trouble.code else "",
            "since": trouble.since,
        }
        for trouble in selectors.needs_attention(actor)
    ]
    return render(request, "sources/index.html", {"areas": areas.areas(actor), "troubles": troubles})


@require_GET
def source_list(request: HttpRequest) -> HttpResponse:
    rows = [
        {
            "row": row,
            "kind": labels.kind_label(row.kind),
            "icon": labels.kind_icon(row.kind),
            "target": labels.target_label(row.target),
            "state": labels.state(row.health.state),
        }
        for row in selectors.source_rows(actor=actor_of(request))
    ]
    return render(request, "sources/list.html", {"rows": rows})


@require_GET
def show(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    source = source_or_404(request, public_id)
    if source.state == SourceState.DRAFT:
        return redirect("sources:connect" if not source.columns else "sources:map", public_id)
    if is_htmx(request):
        return _progress(request, source)
    actor = actor_of(request)
    before = number_of(request.GET.get("after", ""), most=2**62)
    found = selectors.runs_of(actor=actor, source=source, before_id=before or None, limit=_RUNS + 1)
    health = selectors.state_of(source)
    last = next((run for run in found if run.state == "failed"), None)
    context = {
        "source": source,
        "state": labels.state(health),
        "late": source.late_since is not None and not source.failures,
        "problem": labels.failure(last.error_code, last.error_detail) if source.failures and last else "",
        "runs": [_run(run) for run in found[:_RUNS]],
        "after": str(found[_RUNS - 1].pk) if len(found) > _RUNS else "",
        "facts": _facts(source),
        "chart": _chart(request, source),
        "waiting": selectors.waiting_of(actor=actor, source=source),
        "key": source.sealed_key,
        **_running(source),
    }
    return render(request, "sources/show.html", context)


def _progress(request: HttpRequest, source: Source) -> HttpResponse:
    context = {"source": source, **_running(source)}
    answer = render(request, "sources/progress.html", context)
    if context["run"] is None:
        answer.headers["HX-Refresh"] = "true"  # the run has ended: history and chart anew
    return answer


def _running(source: Source) -> dict[str, Any]:
    run = selectors.open_run(source)
    return {"run": run, "job": run.job if run else None, "time_left": time_left(run.job) if run else ""}


def _run(run: SourceRun) -> dict[str, Any]:
    return {
        "run": run,
        "state": labels.run_state(run.state),
        "why": labels.failure(run.error_code, run.error_detail) if run.error_code else "",
    }


def _chart(request: HttpRequest, source: Source) -> dict[str, Any] | None:
    days = selectors.days_of(actor=actor_of(request), source=source)
    if not any(day.created or day.changed or day.quarantined for day in days):
        return None
    return {
        "categories": [figures.day(day.day) for day in days],
        "series": [
            {"name": _("New"), "values": [day.created for day in days]},
            {"name": pgettext("data", "Changed"), "values": [day.changed for day in days]},
            {"name": _("To quarantine"), "values": [day.quarantined for day in days]},
        ],
        "unit": "",
    }


def _facts(source: Source) -> list[tuple[str, str]]:
    place = source.place
    where = place.get("shown") or place.get("base_url") or place.get("url") or ""
    what = place.get("table") or place.get("path") or place.get("pattern") or ""
    facts = [
        (pgettext("data", "Kind"), labels.kind_label(source.kind)),
        (_("Where"), str(where)),
        (pgettext("data", "What"), ".".join(filter(None, (place.get("schema", ""), str(what))))),
        (_("Becomes"), labels.target_label(source.target)),
        (_("Only what is new, by"), _newness(source)),
        (_("When"), labels.schedule(source.plan)),
        (
            _("Columns"),
            _(", ").join(
                f"{column} → {labels.field_label(field, source.target, source.object_type)}"
                for column, field in source.mapping.items()
                if field
            ),
        ),
    ]
    if place.get("private"):
        facts.append((_("Private network"), _("allowed by an administrator")))
    terms = source.options.get("consent") or {}
    if source.target == "contacts":
        attested = terms.get("choice") == "attested"
        text = f"{terms.get('source', '')} · {terms.get('attested_by', '')}" if attested else _("no consent")
        facts.append((_("Consent"), text))
    return [(name, value) for name, value in facts if value]


def _newness(source: Source) -> str:
    if source.kind == "files":
        return _("new and changed files")
    return str(source.place.get("cursor") or "") or _("everything each time; what is the same stays as it is")


@require_POST
def run(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.source_run_now)


@require_POST
def cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.source_cancel_run, _("The run is being stopped."))


@require_POST
def pause(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.source_pause, _("Paused. Nothing is fetched until you go on."))


@require_POST
def resume(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.source_resume, _("The source runs again at its times."))


@require_POST
def read_again(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.source_read_again, _("The next run reads everything from the start."))


@require_POST
def rename(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    def act(**who: Any) -> object:
        return services.source_rename(name=request.POST.get("name", ""), **who)

    return _act(request, public_id, act)


@require_POST
def remove(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    source_or_404(request, public_id)
    try:
        services.source_archive(actor=actor_of(request), public_id=public_id)
    except IngestRefused as error:
        messages.error(request, labels.refusal(error))
        return redirect("sources:show", public_id)
    messages.success(request, _("The source has been removed. What it brought stays."))
    return redirect("sources:list")


def _act(request: HttpRequest, public_id: uuid.UUID, act: Callable[..., object], done: str = "") -> HttpResponse:
    source_or_404(request, public_id)
    try:
        act(actor=actor_of(request), public_id=public_id)
    except IngestRefused as error:
        messages.error(request, labels.refusal(error))
    else:
        if done:
            messages.success(request, done)
    return redirect("sources:show", public_id)

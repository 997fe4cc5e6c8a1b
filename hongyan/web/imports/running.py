"""The list of imports, and the page of one: progress while it runs, what became of its rows afterwards."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.ingest import selectors, services, words
from hongyan.ingest.commerce.services import is_commerce
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.models import Import
from hongyan.ingest.types import ImportState
from hongyan.web import figures
from hongyan.web.imports import labels, origins
from hongyan.web.imports.shared import actor_of, import_or_404, time_left

_PAGE = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    before = request.GET.get("after", "")
    found = selectors.import_page(
        actor=actor, before=int(before) if before.isascii() and before.isdigit() else None, limit=_PAGE + 1
    )
    rows = [
        {
            "batch": batch,
            "counts": batch.tally,
            "pill": _pill(batch),
            "owner": (batch.owner.name or batch.owner.email) if batch.owner else "",
        }
        for batch in found[:_PAGE]
    ]
    context = {
        "rows": rows,
        "after": str(found[_PAGE - 1].pk) if len(found) > _PAGE else "",
        "may_import": actor.may(Permission.IMPORT_RUN),
        "may_export": actor.may(Permission.CONTACT_EXPORT),
    }
    return render(request, "imports/index.html", context)


@require_GET
def show(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    batch = import_or_404(request, public_id)
    if is_commerce(batch):
        return redirect("commerce:import", public_id)
    if batch.state == ImportState.DRAFT:
        return redirect("imports:reading", public_id)
    actor = actor_of(request)
    context = _context(request, batch)
    undo_count = selectors.created_count(actor=actor, public_id=public_id) if batch.ended else 0
    undoing = batch.job is not None and batch.job.kind == "import_undo" and not batch.job.ended
    context |= {
        "question": _("What became of its rows?") if batch.ended else _("How far is it?"),
        "undo_count": undo_count,
        "may_undo": undo_count > 0 and not undoing and actor.may(Permission.CONTACT_EDIT),
    }
    return render(request, "imports/show.html", context)


@require_GET
def progress(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The part that changes. When the import ends, the whole page is loaded anew."""
    batch = import_or_404(request, public_id)
    context = _context(request, batch)
    answer = render(request, "imports/progress.html", context)
    if not context["polling"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _context(request: HttpRequest, batch: Import) -> dict[str, Any]:
    actor = actor_of(request)
    job = batch.job
    running = job is not None and not job.ended and job.state != "paused"
    rejections, more = (
        selectors.rejections(actor=actor, public_id=batch.public_id, limit=100) if batch.ended else ([], None)
    )
    counts = batch.tally
    return {
        "batch": batch,
        "job": job,
        "polling": running,
        "pill_state": _pill(batch),
        "progress_label": _("Importing"),
        "time_left": time_left(job),
        "sentences": [*labels.sentences(counts, done=True), *origins.sentences(counts.standings)]
        if counts.rows
        else [],
        "reasons": labels.reasons(counts),
        "rejections": rejections,
        "more_rejections": more,
        "facts": _facts(batch),
        "problem": words.refusal_of(batch.error_code, batch.error_params) if batch.error_code else "",
    }


def _pill(batch: Import) -> str:
    if batch.state == ImportState.STARTED and batch.job is not None:
        return "failed" if batch.job.state in {"failed", "lost"} else str(batch.job.state)
    return "cancelled" if batch.state == ImportState.UNDONE else str(batch.state)


def _facts(batch: Import) -> list[tuple[str, str]]:
    options = batch.choices
    terms = options.consent
    policy = next((label for key, label, _about in labels.policies() if key == options.policy), options.policy)
    facts = [
        (_("Contacts told apart by"), labels.field_label(options.match_on)),
        (_("Existing contacts"), policy),
        (
            _("Columns"),
            ", ".join(
                f"{name or '—'} → {labels.field_label(target)}"
                for name, target in zip(batch.header, batch.mapping, strict=True)
                if target
            ),
        ),
    ]
    if terms.choice == "attested":
        topics = dict(selectors.topic_choices())
        facts += [
            (_("Consent"), ", ".join(topics.get(key, key) for key in terms.topics)),
            (_("Collected"), terms.source),
            (_("Declared by"), f"{terms.attested_by} · {figures.moment(datetime.fromisoformat(terms.attested_at))}"),
        ]
    elif terms.choice == "kept":
        topics = dict(selectors.topic_choices())
        facts += [
            (_("Consent"), _("as the export says")),
            (_("Topics"), ", ".join(topics.get(key, key) for key in terms.topics)),
            (_("Declared by"), f"{terms.attested_by} · {figures.moment(datetime.fromisoformat(terms.attested_at))}"),
        ]
    elif terms.choice == "none":
        facts.append((_("Consent"), _("No consent")))
    return facts


@require_POST
def run(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.import_start)


@require_POST
def pause(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.import_pause)


@require_POST
def resume(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.import_resume)


@require_POST
def cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    was_draft = import_or_404(request, public_id).state == ImportState.DRAFT
    answer = _act(request, public_id, services.import_cancel)
    return redirect("imports:index") if was_draft else answer


@require_POST
def undo(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.import_undo)


def _act(request: HttpRequest, public_id: uuid.UUID, act: Callable[..., object]) -> HttpResponse:
    import_or_404(request, public_id)
    try:
        act(actor=actor_of(request), public_id=public_id)
    except IngestRefused as error:
        messages.error(request, labels.refusal(error))
    return redirect("imports:show", public_id)


@require_GET
def rejections_file(request: HttpRequest, public_id: uuid.UUID) -> StreamingHttpResponse:
    import_or_404(request, public_id)
    body = selectors.rejections_csv(
        actor=actor_of(request), public_id=public_id, language=translation.get_language() or "en"
    )
    answer = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="rejected-{public_id}.csv"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer

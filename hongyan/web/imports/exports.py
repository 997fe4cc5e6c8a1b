"""Exports: ask with a reason, watch, download."""

import uuid

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from hongyan.accounts.permissions import Permission
from hongyan.ingest import exports
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.models import Export
from hongyan.web.imports import labels
from hongyan.web.imports.shared import actor_of, is_htmx, time_left

_USUAL = frozenset({"full_name", "email", "phone", "country", "city", "language", "tags"})
_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    rows = exports.export_page(actor=actor_of(request))
    return render(request, "imports/exports.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_EXPORT)
    actor.require(Permission.CONTACT_IDENTITY)
    problem = ""
    chosen = set(_USUAL)
    if request.method == "POST":
        chosen = set(request.POST.getlist("columns"))
        try:
            export = exports.export_create(
                actor=actor,
                columns=[name for name in exports.export_columns() if name in chosen],
                reason=request.POST.get("reason", ""),
                format=request.POST.get("format", "csv"),
                language=translation.get_language() or "en",
            )
        except IngestRefused as error:
            problem = labels.refusal(error)
        else:
            return redirect("imports:export", export.public_id)
    context = {
        "columns": [(name, labels.field_label(name), name in chosen) for name in exports.export_columns()],
        "reason": request.POST.get("reason", ""),
        "format": request.POST.get("format", "csv"),
        "problem": problem,
    }
    return render(request, "imports/export_new.html", context, status=422 if problem else 200)


@require_GET
def show(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    export = _export_or_404(request, public_id)
    job = export.job
    context = {
        "export": export,
        "job": job,
        "polling": job is not None and not job.ended,
        "time_left": time_left(job),
        "columns": ", ".join(labels.field_label(name) for name in export.columns),
        "question": _("The file is kept for seven days and can be downloaded by you only."),
    }
    return render(request, "imports/export_body.html" if is_htmx(request) else "imports/export.html", context)


@require_GET
def file(request: HttpRequest, public_id: uuid.UUID) -> HttpResponseBase:
    export = _export_or_404(request, public_id)
    try:
        stored = exports.export_open(actor=actor_of(request), public_id=public_id)
    except IngestRefused as error:
        raise Http404 from error
    answer = FileResponse(
        stored,
        as_attachment=True,
        filename=f"contacts-{export.created_at:%Y%m%d}.{export.format}",
        content_type=_TYPES[export.format],
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _export_or_404(request: HttpRequest, public_id: uuid.UUID) -> Export:
    try:
        return exports.export_by_public_id(actor=actor_of(request), public_id=public_id)
    except Export.DoesNotExist as error:
        raise Http404 from error

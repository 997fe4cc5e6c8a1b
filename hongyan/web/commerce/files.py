"""A file of orders or products, step by step: upload, check, columns, trial run, import, and what became of it."""

import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

from babel import Locale
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.commerce import selectors as commerce
from hongyan.ingest import selectors, words
from hongyan.ingest import services as imports
from hongyan.ingest.commerce import columns as column_words
from hongyan.ingest.commerce import services
from hongyan.ingest.commerce.reconcile import comparison
from hongyan.ingest.commerce.types import FileOf, Layout, OrderCounts, OrderOptions
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.files.encoding import ENCODINGS
from hongyan.ingest.models import Import
from hongyan.ingest.types import ImportState
from hongyan.web.commerce import labels
from hongyan.web.commerce.shared import actor_of, import_or_404
from hongyan.web.imports.labels import DELIMITER_OF, because, delimiter_key, delimiters
from hongyan.web.imports.shared import is_htmx, preview_rows, time_left


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.IMPORT_RUN)
    kind = request.POST.get("kind") or request.GET.get("kind") or FileOf.ORDERS.value
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None or file.name is None:
            problem = _("Choose a file first.")
        else:
            try:
                batch = services.order_import_create(
                    actor=actor, file=file.chunks(1 << 20), filename=file.name, kind=kind
                )
            except IngestRefused as error:
                problem = labels.refusal(error)
            else:
                return redirect("commerce:reading", batch.public_id)
    context = {
        "step": 1,
        "heading": _("Import orders or products"),
        "question": _("What is in the file?"),
        "kind": kind,
        "problem": problem,
    }
    return render(request, "commerce/upload.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def reading(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    batch = _draft_or_show(request, public_id)
    if isinstance(batch, HttpResponse):
        return batch
    problem = ""
    if request.method == "POST":
        try:
            services.order_import_reread(
                actor=actor,
                public_id=public_id,
                encoding=request.POST.get("encoding") or None,
                delimiter=DELIMITER_OF.get(request.POST.get("delimiter", "")),
                has_header="has_header" in request.POST,
                sheet=request.POST.get("sheet"),
            )
        except IngestRefused as error:
            problem = words.refusal(error)
        else:
            return redirect("commerce:reading", public_id)
    try:
        preview = selectors.import_preview(actor=actor, public_id=public_id, rows=10)
    except IngestRefused as error:
        preview, problem = None, words.refusal(error)
    context: dict[str, Any] = {
        "step": 2,
        "heading": _("Check the file"),
        "question": _("Is the text readable, and does every value stand in its own column?"),
        "batch": batch,
        "rows": preview_rows(preview),
        "workbook": bool(batch.sheets),
        "encodings": ENCODINGS.items(),
        "delimiters": delimiters(),
        "delimiter_key": delimiter_key(batch.dialect.get("delimiter", ",")),
        "problem": problem,
    }
    return render(request, "commerce/reading.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    batch = _draft_or_show(request, public_id)
    if isinstance(batch, HttpResponse):
        return batch
    problem, targets, options = "", list(batch.mapping), OrderOptions.load(batch.options)
    if request.method == "POST":
        targets = [request.POST.get(f"target-{index}", "") for index in range(len(batch.header))]
        names = ("source", "currency", "zone", "date_order")
        given = {name: request.POST[name] for name in names if name in request.POST}
        try:
            services.order_import_configure(actor=actor, public_id=public_id, mapping=targets, options=given)
        except IngestRefused as error:
            problem = labels.refusal(error)
        else:
            return redirect("commerce:trial", public_id)
    try:
        preview = selectors.import_preview(actor=actor, public_id=public_id, rows=30)
    except IngestRefused as error:
        return render(request, "commerce/wizard.html", {"problem": words.refusal(error), "batch": batch}, status=422)
    suggestions = column_words.suggest(options.kind, batch.header, preview.rows)
    context = {
        "step": 3,
        "heading": _("Columns"),
        "question": _("Which column is which field?"),
        "batch": batch,
        "columns": [
            {
                "index": item.column,
                "label": item.header or _("Column %(n)s") % {"n": item.column + 1},
                "samples": " · ".join(item.samples[:3]),
                "target": targets[item.column],
                "because": because(item.because) if item.target and targets[item.column] == item.target else "",
            }
            for item in suggestions
        ],
        "targets": labels.target_groups(options.kind),
        "options": options,
        "orders": options.kind == FileOf.ORDERS,
        "retail": options.layout == Layout.ONLINE_RETAIL,
        "currencies": currency_choices(),
        "zones": sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/")),
        "date_orders": labels.date_orders(),
        "sources": commerce.sources(actor=actor) if actor.may(Permission.CONTACT_VIEW) else [],
        "problem": problem,
    }
    return render(request, "commerce/columns.html", context, status=422 if problem else 200)


def currency_choices() -> list[tuple[str, str]]:
    """By name in the reader's language, the usual ones first."""
    import pycountry

    locale = Locale.parse("zh_Hans" if (translation.get_language() or "").startswith("zh") else "en")
    first = ["CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "SGD"]
    rest = sorted({item.alpha_3 for item in pycountry.currencies} - set(first))
    return [(code, f"{code} {locale.currencies.get(code, '')}".strip()) for code in (*first, *rest)]


@require_http_methods(["GET", "HEAD", "POST"])
def trial(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    batch = _draft_or_show(request, public_id)
    if isinstance(batch, HttpResponse):
        return batch
    problem = ""
    if request.method == "POST":
        try:
            services.order_import_dry_run(actor=actor, public_id=public_id)
        except IngestRefused as error:
            problem = labels.refusal(error)
        else:
            return redirect("commerce:trial", public_id)
    job = batch.dry_job
    polling = job is not None and not job.ended
    counts = OrderCounts.load(batch.dry_counts) if batch.dry_counts is not None else None
    products = OrderOptions.load(batch.options).kind == FileOf.PRODUCTS
    context = {
        "step": 4,
        "heading": _("Trial run"),
        "question": _("What would this import do?"),
        "batch": batch,
        "job": job,
        "polling": polling,
        "time_left": time_left(job),
        "counts": counts,
        "job_problem": "" if counts or polling or job is None else words.refusal_of(job.error_code or "stopped", {}),
        "sentences": labels.sentences(counts, done=False, products=products) if counts else [],
        "reasons": labels.reasons(counts) if counts else [],
        "writes": counts.created + counts.updated if counts else 0,
        "problem": problem,
    }
    template = "commerce/trial_body.html" if is_htmx(request) else "commerce/trial.html"
    return render(request, template, context, status=422 if problem else 200)


@require_GET
def show(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    batch = import_or_404(request, public_id)
    if batch.state == ImportState.DRAFT:
        return redirect("commerce:reading", public_id)
    context = _context(request, batch)
    context["question"] = _("What became of its rows?") if batch.ended else _("How far is it?")
    return render(request, "commerce/show.html", context)


@require_GET
def progress(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The part that changes. When the import ends, the whole page is loaded anew."""
    context = _context(request, import_or_404(request, public_id))
    answer = render(request, "commerce/progress.html", context)
    if not context["polling"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _context(request: HttpRequest, batch: Import) -> dict[str, Any]:
    actor, job = actor_of(request), batch.job
    counts, options = OrderCounts.load(batch.counts), OrderOptions.load(batch.options)
    products = options.kind == FileOf.PRODUCTS
    found, more = selectors.rejections(actor=actor, public_id=batch.public_id, limit=100) if batch.ended else ([], None)
    state = str(batch.state)
    if batch.state == ImportState.STARTED and job is not None:
        state = "failed" if job.state in {"failed", "lost"} else str(job.state)
    return {
        "batch": batch,
        "job": job,
        "polling": job is not None and not job.ended and job.state != "paused",
        "pill_state": state,
        "time_left": time_left(job),
        "products": products,
        "options": options,
        "sentences": labels.sentences(counts, done=True, products=products) if counts.rows else [],
        "reasons": labels.reasons(counts),
        "rejections": found,
        "more_rejections": more,
        "compared": comparison(counts) if counts.kept else [],
        "problem": words.refusal_of(batch.error_code, batch.error_params) if batch.error_code else "",
        "rejected": counts.rejected,
    }


@require_POST
def run(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, services.order_import_start)


@require_POST
def pause(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, imports.import_pause)


@require_POST
def resume(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    return _act(request, public_id, imports.import_resume)


@require_POST
def cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    was_draft = import_or_404(request, public_id).state == ImportState.DRAFT
    answer = _act(request, public_id, imports.import_cancel)
    return redirect("commerce:index") if was_draft else answer


def _act(request: HttpRequest, public_id: uuid.UUID, act: Callable[..., object]) -> HttpResponse:
    import_or_404(request, public_id)
    try:
        act(actor=actor_of(request), public_id=public_id)
    except IngestRefused as error:
        messages.error(request, labels.refusal(error))
    return redirect("commerce:import", public_id)


def _draft_or_show(request: HttpRequest, public_id: uuid.UUID) -> Import | HttpResponse:
    batch = import_or_404(request, public_id)
    return batch if batch.state == ImportState.DRAFT else redirect("commerce:import", public_id)

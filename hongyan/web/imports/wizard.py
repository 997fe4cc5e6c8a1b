"""The wizard's steps: upload, check the file, columns, consent and rules, trial run. Thin: services do the work."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.ingest import selectors, services, words
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.files.encoding import ENCODINGS
from hongyan.ingest.types import ConsentChoice, Counts
from hongyan.web.imports import labels, origins
from hongyan.web.imports.shared import actor_of, draft_or_show, is_htmx, preview_rows, time_left


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.IMPORT_RUN)
    problem = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None or file.name is None:
            problem = _("Choose a file first.")
        else:
            try:
                if (unpacked := origins.unpack(request, file)) is not None:
                    return unpacked
                batch = services.import_create(actor=actor, file=file.chunks(1 << 20), filename=file.name)
            except IngestRefused as error:
                problem = words.refusal(error)
            else:
                return redirect("imports:reading", batch.public_id)
    context = {"step": 1, "heading": _("Import a file"), "question": _("Which file holds your customers?")}
    return render(request, "imports/upload.html", {**context, "problem": problem}, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def reading(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    batch = draft_or_show(request, public_id)
    if isinstance(batch, HttpResponse):
        return batch
    problem = ""
    if request.method == "POST":
        try:
            batch = services.import_reread(
                actor=actor,
                public_id=public_id,
                encoding=request.POST.get("encoding") or None,
                delimiter=labels.DELIMITER_OF.get(request.POST.get("delimiter", "")),
                has_header="has_header" in request.POST,
                sheet=request.POST.get("sheet"),
            )
        except IngestRefused as error:
            problem = words.refusal(error)
        else:
            return redirect("imports:reading", public_id)
    try:
        preview = selectors.import_preview(actor=actor, public_id=public_id, rows=12)
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
        "delimiters": labels.delimiters(),
        "delimiter_key": labels.delimiter_key(batch.dialect.get("delimiter", ",")),
        "origin": origins.banner(batch, actor),
        "earlier": selectors.earlier_import_of_file(actor=actor, public_id=public_id),
        "problem": problem,
    }
    return render(request, "imports/reading.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    batch = draft_or_show(request, public_id)
    if isinstance(batch, HttpResponse):
        return batch
    problem = ""
    targets, options = list(batch.mapping), batch.choices
    if request.method == "POST":
        targets = [request.POST.get(f"target-{index}", "") for index in range(len(batch.header))]
        given = {
            name: request.POST[name] for name in ("match_on", "default_region", "date_order") if name in request.POST
        }
        try:
            services.import_configure(actor=actor, public_id=public_id, mapping=targets, options=given)
        except IngestRefused as error:
            problem = labels.refusal(error)
        else:
            return redirect("imports:consent", public_id)
    try:
        suggestions = selectors.import_suggestions(actor=actor, public_id=public_id)
        checks = selectors.column_checks(actor=actor, public_id=public_id, mapping=targets)
    except IngestRefused as error:
        return render(request, "imports/broken.html", {"problem": words.refusal(error), "batch": batch}, status=422)
    listed = [
        {
            "index": item.column,
            "label": item.header or _("Column %(n)s") % {"n": item.column + 1},
            "samples": " · ".join(item.samples[:3]),
            "target": targets[item.column],
            "because": labels.because(item.because) if targets[item.column] == item.target else "",
            "fit": labels.fit(checks[item.column]),
        }
        for item in suggestions
    ]
    context = {
        "step": 3,
        "heading": _("Columns"),
        "question": _("Which column is which field?"),
        "batch": batch,
        "columns": listed,
        "origin": origins.banner(batch, actor),
        "targets": labels.target_groups(),
        "keys": labels.match_keys(),
        "regions": labels.regions(),
        "orders": labels.date_orders(),
        "options": options,
        "may_create_fields": actor.may(Permission.SETTINGS_EDIT),
        "field_types": labels.field_types(),
        "problem": problem,
    }
    return render(request, "imports/columns.html", context, status=422 if problem else 200)


@require_POST
def column_check(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The fit of one column, live while the user chooses."""
    actor = actor_of(request)
    column = request.POST.get("column", "")
    index = int(column) if column.isascii() and column.isdigit() and len(column) < 4 else -1
    target = request.POST.get(f"target-{index}", "")
    options = {name: request.POST[name] for name in ("default_region", "date_order") if name in request.POST}
    try:
        check = selectors.column_check(actor=actor, public_id=public_id, column=index, target=target, options=options)
    except IngestRefused:
        check = None
    return render(request, "imports/fit.html", {"fit": labels.fit(check)})


@require_POST
def field_new(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A custom field made from a column, mapped at once."""
    column = request.POST.get("column", "")
    try:
        services.import_field_create(
            actor=actor_of(request),
            public_id=public_id,
            column=int(column) if column.isascii() and column.isdigit() and len(column) < 4 else -1,
            key=request.POST.get("key", "").strip(),
            label=request.POST.get("label", "").strip(),
            field_type=request.POST.get("type", "text"),
            sensitive="sensitive" in request.POST,
        )
    except IngestRefused as error:
        messages.error(request, labels.refusal(error))
    return redirect("imports:columns", public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    batch = draft_or_show(request, public_id)
    if isinstance(batch, HttpResponse):
        return batch
    problem, post = "", request.POST
    if request.method == "POST":
        try:
            services.import_configure(
                actor=actor,
                public_id=public_id,
                options={
                    "policy": post.get("policy", "update"),
                    "tags": post.getlist("tags"),
                    "lists": post.getlist("lists"),
                },
            )
            choice = post.get("choice", "")
            services.import_consent(
                actor=actor,
                public_id=public_id,
                choice=ConsentChoice(choice) if choice in set(ConsentChoice) else ConsentChoice.UNDECIDED,
                topics=post.getlist("topics"),
                source=post.get("source", ""),
                declared="declared" in post,
                statement=origins.statement() if choice == ConsentChoice.KEPT else labels.statement(),
            )
        except IngestRefused as error:
            problem = labels.refusal(error)
        else:
            return redirect("imports:trial", public_id)
        batch = selectors.import_by_public_id(actor=actor, public_id=public_id)
    terms: Any = batch.choices.consent
    if problem:  # what was typed is not lost
        terms = {"choice": post.get("choice", ""), "topics": post.getlist("topics"), "source": post.get("source", "")}
    context = {
        "step": 4,
        "heading": _("Consent and rules"),
        "question": _("May they be mailed, and what happens to contacts that exist already?"),
        "batch": batch,
        "options": batch.choices,
        "terms": terms,
        "topics": selectors.topic_choices(),
        "tags": selectors.tag_choices(),
        "lists": selectors.list_choices(),
        "policies": labels.policies(),
        "statement": labels.statement(),
        "origin": origins.banner(batch, actor),
        "kept_statement": origins.statement(),
        "problem": problem,
    }
    return render(request, "imports/consent.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def trial(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    batch = draft_or_show(request, public_id)
    if isinstance(batch, HttpResponse):
        return batch
    problem = ""
    if request.method == "POST":
        try:
            services.import_dry_run(actor=actor, public_id=public_id)
        except IngestRefused as error:
            problem = labels.refusal(error)
        else:
            return redirect("imports:trial", public_id)
    job = batch.dry_job
    polling = job is not None and not job.ended
    counts = Counts.load(batch.dry_counts) if batch.dry_counts is not None else None
    context = {
        "step": 5,
        "heading": _("Trial run"),
        "question": _("What would this import do?"),
        "batch": batch,
        "job": job,
        "polling": polling,
        "htmx": is_htmx(request),
        "time_left": time_left(job),
        "counts": counts,
        "job_problem": "" if counts or polling or job is None else _job_problem(job.error_code),
        "sentences": [*labels.sentences(counts, done=False), *origins.sentences(counts.standings)] if counts else [],
        "reasons": labels.reasons(counts) if counts else [],
        "samples": [
            {
                "line": sample["line"],
                "what": labels.outcome(sample["outcome"]),
                "fields": ", ".join(map(labels.field_label, sample["fields"])),
            }
            for sample in batch.dry_samples
        ],
        "writes": counts.created + counts.updated + counts.merged if counts else 0,
        "problem": problem,
    }
    template = "imports/trial_body.html" if is_htmx(request) else "imports/trial.html"
    return render(request, template, context, status=422 if problem else 200)


def _job_problem(code: str) -> str:
    return words.refusal_of(code or "stopped", {"line": "", "limit": "", "kind": ""})

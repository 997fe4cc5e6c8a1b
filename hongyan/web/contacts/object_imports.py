"""A file of custom objects: choose, match columns, try out, run, and see what became of it."""

from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.contacts.models import ObjectType
from hongyan.contacts.objects_values import fields_of
from hongyan.ingest import objects_file
from hongyan.ingest import words as ingest_words
from hongyan.ingest.errors import IngestRefused
from hongyan.jobs.errors import JobNotFound
from hongyan.jobs.models import Job
from hongyan.jobs.selectors import job_by_public_id
from hongyan.web.contacts import object_words, words
from hongyan.web.contacts.common import actor_of, language
from hongyan.web.contacts.objects import type_or_404


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, key: str) -> HttpResponse:
    """Every step is an answer to a form that carries the sealed token of the file; nothing of it is in an address."""
    actor = actor_of(request)
    actor.require(Permission.IMPORT_RUN)
    kind = type_or_404(key)
    context: dict[str, Any] = {"kind": kind, "label": object_words.label_of(kind), "step": 1}
    if request.method != "POST":
        return render(request, "contacts/object_import.html", context)
    try:
        if "token" not in request.POST:
            upload = request.FILES.get("file")
            if upload is None:
                return render(
                    request, "contacts/object_import.html", context | {"problem": _("Choose a file.")}, status=422
                )
            taken = objects_file.take(actor=actor, type_key=key, file=upload.chunks())
            context |= _matching(kind, taken.token, taken.preview, taken.mapping)
            return render(request, "contacts/object_import.html", context)
        token, mapping = request.POST["token"], request.POST.getlist("target")[:500]
        held, preview = objects_file.again(actor=actor, token=token)
        if held["type"] != key:
            raise Http404
        context |= _matching(kind, token, preview, mapping)
        if request.POST.get("act") == "run":
            job = objects_file.start(actor=actor, held=held, mapping=mapping)
            return redirect("contacts:object_import", key, job.public_id)
        tally = objects_file.try_out(actor=actor, held=held, mapping=mapping)
    except IngestRefused as refused:
        return render(
            request, "contacts/object_import.html", context | {"problem": ingest_words.refusal(refused)}, status=422
        )
    names = {**dict(_targets(kind)), "contact": pgettext("fields", "Person")}
    problems = [
        (line, names.get(column, column), ingest_words.rejection(code), value)
        for line, column, code, value in tally.problems
    ]
    context |= {"step": 3, "tally": tally, "problems": problems, "tried_all": tally.rows < objects_file.TRIED}
    return render(request, "contacts/object_import.html", context)


@require_safe
def show(request: HttpRequest, key: str, job_id: UUID) -> HttpResponse:
    kind, job = _job(request, key, job_id)
    context = {"kind": kind, "label": object_words.label_of(kind), "job": job, "result": job.result or {}}
    name = (
        "contacts/parts/object_import_body.html"
        if request.headers.get("HX-Request")
        else "contacts/object_imported.html"
    )
    return render(request, name, context)


@require_safe
def rejected(request: HttpRequest, key: str, job_id: UUID) -> HttpResponseBase:
    kind, job = _job(request, key, job_id)
    try:
        stored = objects_file.rejected_rows(actor=actor_of(request), job=job)
    except IngestRefused:
        raise Http404 from None
    answer = FileResponse(
        stored, as_attachment=True, filename=f"{kind.key}-refused.csv", content_type="text/csv; charset=utf-8"
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _job(request: HttpRequest, key: str, job_id: UUID) -> tuple[ObjectType, Job]:
    kind = type_or_404(key)
    try:
        job = job_by_public_id(actor=actor_of(request), public_id=job_id)
    except JobNotFound:
        raise Http404 from None
    if job.kind != objects_file.KIND or job.params.get("type") != key:
        raise Http404
    return kind, job


def _matching(kind: ObjectType, token: str, preview: Any, mapping: list[str]) -> dict[str, Any]:
    samples = [
        [cells[place] for _line, cells in preview.rows if isinstance(cells, list) and place < len(cells)]
        for place in range(len(preview.header))
    ]
    columns = [
        (
            name or f"#{place + 1}",
            [text for text in samples[place] if text][:3],
            mapping[place] if place < len(mapping) else "",
        )
        for place, name in enumerate(preview.header)
    ]
    return {"step": 2, "token": token, "columns": columns, "targets": _targets(kind)}


def _targets(kind: ObjectType) -> list[tuple[str, str]]:
    people = {
        "contact.email": _("Person: %(field)s") % {"field": words.FIELDS["email"]},
        "contact.phone": _("Person: %(field)s") % {"field": words.FIELDS["phone"]},
        "contact.external_id": _("Person: %(field)s") % {"field": words.FIELDS["external_id"]},
    }
    named = [(item.key, item.label(language())) for item in fields_of(kind)]
    own = _("ID of the object")
    return [("external_id", own), *people.items(), *named]

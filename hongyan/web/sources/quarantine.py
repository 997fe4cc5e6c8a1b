"""Records that could not be taken: by reason, one by one, edited and tried again, alone or together."""

import csv
import io
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record as audit_record
from hongyan.ingest.neutral import neutralise
from hongyan.ingest.quarantine import (
    KEPT,
    QuarantineFilter,
    QuarantineNotFound,
    QuarantineRow,
    quarantine_counts,
    quarantine_discard,
    quarantine_edit,
    quarantine_open,
    quarantine_page,
    quarantine_put_back,
    quarantine_retry,
    quarantine_row,
)
from hongyan.ingest.sources import selectors, services
from hongyan.ingest.sources.reading.base import text
from hongyan.jobs.models import Job
from hongyan.jobs.states import ENDED
from hongyan.web.figures import moment, number
from hongyan.web.sources import labels
from hongyan.web.sources.shared import actor_of, is_htmx

_PAGE = 40
_MAX_FIELDS = 80


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The reasons with their counts; below, the records of the group that is open."""
    actor = actor_of(request)
    filters = _filters(request)
    groups = _groups(actor, filters)
    if is_htmx(request):
        return _groups_answer(request, groups)
    rows = quarantine_page(actor=actor, filters=filters, limit=_PAGE) if groups else []
    sources = {group["source"]: group["source_name"] for group in _groups(actor, QuarantineFilter())}
    context = {
        "groups": groups,
        "running": any(group["job"] for group in groups),
        "rows": [_line(row, filters) for row in rows],
        "more": len(rows) == _PAGE,
        "filters": filters,
        "sources": sources,
        "query": _query(filters),
        "may_export": actor.may(Permission.CONTACT_EXPORT) and actor.may(Permission.CONTACT_IDENTITY),
    }
    return render(request, "sources/quarantine.html", context)


def _groups_answer(request: HttpRequest, groups: list[dict[str, Any]]) -> HttpResponse:
    running = any(group["job"] for group in groups)
    answer = render(request, "sources/quarantine_groups.html", {"groups": groups, "running": running})
    if not running:
        answer.headers["HX-Refresh"] = "true"
    return answer


@require_GET
def show(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    return _record(request, _row_or_404(actor, public_id))


def _record(
    request: HttpRequest, row: QuarantineRow, *, typed: bytes | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    actor, filters = actor_of(request), _filters(request)
    waits = row.state == "waiting"
    payload = typed
    if payload is None and waits and actor.may(Permission.CONTACT_IDENTITY):
        payload = quarantine_open(actor=actor, public_id=row.public_id)
    rows = quarantine_page(actor=actor, filters=filters, limit=_PAGE)
    if all(item.public_id != row.public_id for item in rows):
        rows = [row, *rows]
    names = selectors.source_names([row.source])
    context = {
        "row": row,
        "rows": [_line(item, filters) for item in rows],
        "source_name": names.get(row.source, row.source),
        "reason": labels.reason(row.reason),
        "state": labels.state(row.state),
        "waits": waits,
        "discarded": row.state == "discarded",
        "until": row.created_at + KEPT,
        "masked": waits and payload is None,
        "fields": _fields(payload, row.place) if payload is not None else None,
        "raw": _pretty(payload) if payload is not None else "",
        "query": _query(filters),
        "problem": problem,
    }
    return render(request, "sources/record.html", context, status=status)


@require_POST
def edit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    row = _row_or_404(actor, public_id)
    try:
        payload = _typed(request, quarantine_open(actor=actor, public_id=public_id))
    except QuarantineNotFound:
        return redirect("sources:record", public_id)
    except ValueError:
        typed = request.POST.get("raw", "").encode()
        return _record(request, row, typed=typed, problem=_("This is not valid JSON."), status=422)
    trouble = quarantine_edit(actor=actor, public_id=public_id, payload=payload)
    if trouble is None:
        messages.success(request, _("The record was taken."))
        return _next(request)
    return _record(
        request,
        _row_or_404(actor, public_id),
        typed=payload,
        problem=_("Still refused: %(reason)s") % {"reason": labels.reason(trouble.reason)},
        status=422,
    )


@require_POST
def retry(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    row = _row_or_404(actor, public_id)
    counts = quarantine_retry(actor=actor, public_ids=[public_id])
    if counts.taken:
        messages.success(request, _("The record was taken."))
        return _next(request)
    fresh = _row_or_404(actor, row.public_id)
    problem = _("Still refused: %(reason)s") % {"reason": labels.reason(fresh.reason)} if counts.refused else ""
    return _record(request, fresh, problem=problem, status=422 if problem else 200)


@require_POST
def discard(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    _row_or_404(actor, public_id)
    quarantine_discard(actor=actor, public_ids=[public_id])
    messages.success(request, _("The record has been given up. It can be put back for a while."))
    return _next(request)


@require_POST
def put_back(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    actor = actor_of(request)
    _row_or_404(actor, public_id)
    if quarantine_put_back(actor=actor, public_ids=[public_id]):
        messages.success(request, _("The record waits again."))
    return redirect("sources:record", public_id)


@require_POST
def retry_group(request: HttpRequest) -> HttpResponse:
    filters = _posted(request)
    services.quarantine_retry_group(
        actor=actor_of(request), source=filters.source, kind=filters.kind, reason=filters.reason
    )
    messages.success(request, _("All records of this group are being tried again."))
    return redirect("sources:quarantine")


@require_POST
def discard_group(request: HttpRequest) -> HttpResponse:
    actor, filters = actor_of(request), _posted(request)
    count = 0
    while rows := quarantine_page(actor=actor, filters=filters, limit=500):
        count += quarantine_discard(actor=actor, public_ids=[row.public_id for row in rows])
    text_ = ngettext("%(n)s record has been given up.", "%(n)s records have been given up.", count)
    messages.success(request, text_ % {"n": number(count)})
    return redirect("sources:quarantine")


@require_POST
def put_back_group(request: HttpRequest) -> HttpResponse:
    actor, filters = actor_of(request), replace(_posted(request), state="discarded")
    count, before = 0, None
    while rows := quarantine_page(actor=actor, filters=filters, before_id=before, limit=500):
        count += quarantine_put_back(actor=actor, public_ids=[row.public_id for row in rows])
        before = rows[-1].id
    text_ = ngettext("%(n)s record waits again.", "%(n)s records wait again.", count)
    messages.success(request, text_ % {"n": number(count)})
    return redirect("sources:quarantine")


@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    """All that match, with the records themselves: for those who may take personal data out."""
    actor, filters = actor_of(request), _filters(request)
    actor.require(Permission.SOURCE_EDIT)
    actor.require(Permission.CONTACT_EXPORT)
    actor.require(Permission.CONTACT_IDENTITY)
    audit_record(
        actor=actor,
        action="quarantine.exported",
        subject_kind="quarantine",
        subject_id=filters.source or "all",
        data={"reason": filters.reason},
    )
    answer = StreamingHttpResponse(_lines(actor, filters), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="quarantine.csv"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _lines(actor: Actor, filters: QuarantineFilter) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(
        [
            "id",
            pgettext("data", "Source"),
            _("Reason"),
            pgettext("data", "Place"),
            pgettext("data", "Since"),
            _("Tries"),
            _("Record"),
        ]
    )
    before = None
    while rows := quarantine_page(actor=actor, filters=filters, before_id=before, limit=200):
        names = selectors.source_names([row.source for row in rows])
        for row in rows:
            try:
                payload = quarantine_open(actor=actor, public_id=row.public_id).decode("utf-8", "replace")
            except QuarantineNotFound:
                payload = ""
            cells = [names.get(row.source, row.source), labels.reason(row.reason), row.place]
            cells += [row.created_at.isoformat(timespec="seconds"), str(row.attempts), payload]
            writer.writerow([str(row.public_id), *map(neutralise, cells)])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        before = rows[-1].id
    yield buffer.getvalue().encode()


def _filters(request: HttpRequest) -> QuarantineFilter:
    get = request.GET
    state = get.get("state", "waiting")
    return QuarantineFilter(
        source=get.get("source", "")[:80],
        kind=get.get("kind", "")[:40],
        reason=get.get("reason", "")[:64],
        state=state if state in {"waiting", "taken", "discarded"} else "waiting",
    )


def _posted(request: HttpRequest) -> QuarantineFilter:
    post = request.POST
    if not post.get("reason"):
        raise Http404
    return QuarantineFilter(post.get("source", "")[:80], post.get("kind", "")[:40], post["reason"][:64])


def _query(filters: QuarantineFilter) -> str:
    given = {name: getattr(filters, name) for name in ("source", "kind", "reason")}
    if filters.state != "waiting":
        given["state"] = filters.state
    return urlencode({name: value for name, value in given.items() if value})


def _groups(actor: Actor, filters: QuarantineFilter) -> list[dict[str, Any]]:
    counted = quarantine_counts(actor=actor, source=filters.source, state=filters.state)
    names = selectors.source_names([source for source, *_rest in counted])
    jobs = {
        (str(job.params.get("source", "")), str(job.params.get("kind", "")), str(job.params.get("reason", ""))): job
        for job in Job.objects.filter(kind="quarantine_retry").exclude(state__in=sorted(ENDED)).order_by("id")
    }
    return [
        {
            "source": source,
            "source_name": names.get(source, source),
            "kind": kind,
            "reason": reason,
            "text": labels.reason(reason),
            "count": count,
            "query": urlencode(
                {"source": source, "kind": kind, "reason": reason}
                | ({} if filters.state == "waiting" else {"state": filters.state})
            ),
            "open": (filters.source, filters.kind, filters.reason) == (source, kind, reason),
            "job": jobs.get((source, kind, reason)),
        }
        for source, kind, reason, count in counted
    ]


def _line(row: QuarantineRow, filters: QuarantineFilter) -> dict[str, Any]:
    query = _query(filters)
    url = reverse("sources:record", args=[row.public_id])
    return {
        "row": row,
        "text": labels.reason(row.reason),
        "url": f"{url}?{query}" if query else url,
        "at": moment(row.created_at),
    }


def _row_or_404(actor: Actor, public_id: uuid.UUID) -> QuarantineRow:
    try:
        return quarantine_row(actor=actor, public_id=public_id)
    except QuarantineNotFound as error:
        raise Http404 from error


def _next(request: HttpRequest) -> HttpResponse:
    """The next record of the same group, so that one can work through it by keyboard."""
    filters = _filters(request)
    rows = quarantine_page(actor=actor_of(request), filters=filters, limit=1)
    if not rows:
        return redirect("sources:quarantine")
    query = _query(filters)
    url = reverse("sources:record", args=[rows[0].public_id])
    return redirect(f"{url}?{query}" if query else url)


def _fields(payload: bytes, place: str) -> list[dict[str, Any]] | None:
    """A flat record as one input a value; None when it is not flat and is edited as JSON."""
    try:
        raw = orjson.loads(payload)
    except ValueError:
        return None
    if (
        not isinstance(raw, dict)
        or len(raw) > _MAX_FIELDS
        or any(isinstance(value, (dict, list)) for value in raw.values())
    ):
        return None
    return [
        {
            "name": name,
            "value": text(value),
            "long": len(text(value)) > 100,
            "bad": bool(place) and name == place,
            "index": number_,
        }
        for number_, (name, value) in enumerate(raw.items())
    ]


def _pretty(payload: bytes) -> str:
    try:
        return orjson.dumps(orjson.loads(payload), option=orjson.OPT_INDENT_2).decode()
    except ValueError:
        return payload.decode("utf-8", "replace")


def _typed(request: HttpRequest, payload: bytes) -> bytes:
    """What was typed. A value that was left alone keeps its type. Raises ValueError."""
    if "raw" in request.POST:
        return orjson.dumps(orjson.loads(request.POST["raw"]))
    raw: dict[str, Any] = orjson.loads(payload)
    for place, (name, value) in enumerate(list(raw.items())):
        given = request.POST.get(f"value-{place}")
        if given is not None and given != text(value):
            raw[name] = given
    return orjson.dumps(raw)

"""Scheduled sources and the quarantine: how they do, run now, try records again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status

from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.paging import Listing, capped, read_cursor, write_cursor
from hongyan.api.problems import Problem
from hongyan.ingest import quarantine
from hongyan.ingest.models_sources import Source, SourceRun
from hongyan.ingest.quarantine import QuarantineFilter, QuarantineNotFound, QuarantineRow
from hongyan.ingest.sources import selectors, services
from hongyan.ingest.sources.errors import SourceNotFound, SourceRefused

router = Router()


class RunOut(Schema):
    """read = created + changed + unchanged + quarantined. error: a stable code, with what the other side said."""

    id: UUID
    state: str
    started_at: datetime | None
    finished_at: datetime | None
    read: int
    created: int
    changed: int
    unchanged: int
    quarantined: int
    error: str
    detail: str


class SourceOut(Schema):
    """health: draft, paused, idle (nothing yet), ok, late, failing. quarantined: records that wait."""

    id: UUID
    name: str
    kind: str
    target: str
    health: str
    last_success_at: datetime | None
    next_run_at: datetime | None
    rows_today: int
    errors_today: int
    quarantined: int


class SourceStatus(SourceOut):
    runs: list[RunOut]


class QuarantineOut(Schema):
    """No record itself: it may hold personal data, which is seen and edited on the page."""

    id: UUID
    source: str
    reason: str
    place: str
    state: str
    attempts: int
    since: datetime


class RetryIn(Body):
    """ids: records to try again now; or reason (and source) to try a whole group as a job."""

    ids: list[UUID] = []
    source: str = ""
    reason: str = ""


class IdsIn(Body):
    """ids: at most 200 records."""

    ids: list[UUID]


class ChangedOut(Schema):
    """changed: how many there were; others had another state, or are gone."""

    changed: int


class RetryOut(Schema):
    """taken, refused: of the ids given. job: of a group."""

    taken: int = 0
    refused: int = 0
    job: UUID | None = None


@router.get("/sources", response=list[SourceOut], summary="Scheduled sources with their health")
def source_list(request: HttpRequest) -> list[dict[str, Any]]:
    return [_summary(row) for row in selectors.source_rows(actor=actor(request))]


@router.get("/sources/{source_id}", response=SourceStatus, summary="One source, with its last 20 runs")
def source_read(request: HttpRequest, source_id: UUID) -> dict[str, Any]:
    source = _found(request, source_id)
    summary = next(row for row in selectors.source_rows(actor=actor(request)) if row.public_id == source_id)
    runs = selectors.runs_of(actor=actor(request), source=source, limit=20)
    return {**_summary(summary), "runs": [_run(run) for run in runs]}


@router.post("/sources/{source_id}/runs", response={202: RunOut}, summary="Run a source now")
def source_run(request: HttpRequest, source_id: UUID) -> Status[dict[str, Any]]:
    _found(request, source_id)
    try:
        run = services.source_run_now(actor=actor(request), public_id=source_id)
    except SourceRefused as error:
        raise Problem(409, error.code, _("The source cannot be run now.")) from error
    return Status(202, _run(run))


@router.get("/quarantine", response=Listing[QuarantineOut], summary="Records that could not be taken, newest first")
def quarantine_list(  # noqa: PLR0917 - the parameters of the query
    request: HttpRequest,
    source: str = "",
    reason: str = "",
    state: str = "waiting",
    cursor: str | None = None,
    limit: int = 50,
) -> Listing[QuarantineOut]:
    size, before = capped(limit), read_cursor(cursor)
    if before is not None and not isinstance(before, int):
        raise Problem.bad_cursor()
    rows = quarantine.quarantine_page(
        actor=actor(request),
        filters=QuarantineFilter(source=source[:80], reason=reason[:64], state=state[:12]),
        before_id=before,
        limit=size + 1,
    )
    more = len(rows) > size
    return Listing[QuarantineOut](
        items=[QuarantineOut(**_waiting(row)) for row in rows[:size]],
        next=write_cursor(rows[size - 1].id) if more else None,
    )


@router.post("/quarantine/retries", response=RetryOut, summary="Try records again")
def quarantine_retry(request: HttpRequest, body: RetryIn) -> RetryOut:
    who = actor(request)
    if body.ids:
        try:
            counts = quarantine.quarantine_retry(actor=who, public_ids=body.ids[:200])
        except QuarantineNotFound as error:
            raise Problem(404, error.code, _("There is no such record.")) from error
        return RetryOut(taken=counts.taken, refused=counts.refused)
    if not body.reason:
        raise Problem(422, "nothing", _("Give the ids of records, or a reason."))
    job = services.quarantine_retry_group(actor=who, source=body.source[:80], kind="", reason=body.reason[:64])
    return RetryOut(job=job.public_id)


@router.post("/quarantine/discards", response=ChangedOut, summary="Give records up; they can be put back")
def quarantine_discard(request: HttpRequest, body: IdsIn) -> ChangedOut:
    return ChangedOut(changed=quarantine.quarantine_discard(actor=actor(request), public_ids=body.ids[:200]))


@router.post("/quarantine/returns", response=ChangedOut, summary="Put records back that were given up")
def quarantine_put_back(request: HttpRequest, body: IdsIn) -> ChangedOut:
    return ChangedOut(changed=quarantine.quarantine_put_back(actor=actor(request), public_ids=body.ids[:200]))


def _found(request: HttpRequest, source_id: UUID) -> Source:
    try:
        return selectors.source_by_public_id(actor=actor(request), public_id=source_id)
    except SourceNotFound as error:
        raise Problem(404, "not_found", _("There is no such source.")) from error


def _summary(row: Any) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "name": row.name,
        "kind": row.kind,
        "target": row.target,
        "health": row.health.state,
        "last_success_at": row.health.fresh_at,
        "next_run_at": row.next_run_at,
        "rows_today": row.health.rows_today,
        "errors_today": row.health.errors_today,
        "quarantined": row.waiting,
    }


def _run(run: SourceRun) -> dict[str, Any]:
    return {
        "id": run.public_id,
        "state": run.state,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "read": run.read,
        "created": run.created,
        "changed": run.changed,
        "unchanged": run.unchanged,
        "quarantined": run.quarantined,
        "error": run.error_code,
        "detail": run.error_detail,
    }


def _waiting(row: QuarantineRow) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "source": row.source,
        "reason": row.reason,
        "place": row.place,
        "state": row.state,
        "attempts": row.attempts,
        "since": row.created_at,
    }

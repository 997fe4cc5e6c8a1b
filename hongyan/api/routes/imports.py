"""Imports: upload, decide, try, run, read what was rejected."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import get_language
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile

from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.paging import Listing, capped, read_cursor, write_cursor
from hongyan.api.problems import Problem
from hongyan.ingest import selectors, services
from hongyan.ingest.models import Import
from hongyan.ingest.types import ConsentChoice

router = Router()


class ImportOut(Schema):
    id: UUID
    file_name: str
    state: str
    header: list[str]
    mapping: list[str]
    options: dict[str, Any]
    counts: dict[str, Any]
    trial: dict[str, Any] | None
    done: int | None
    total: int | None
    error: str


class Settings(Body):
    """mapping: the field for each column, "" leaves it out. options: policy, match_on, default_region, date_order …"""

    mapping: list[str] | None = None
    options: dict[str, Any] | None = None


class ConsentIn(Body):
    """choice: attested (with topics, source and the declaration) or none."""

    choice: ConsentChoice
    topics: list[str] = []
    source: str = ""
    declared: bool = False
    statement: str = ""


class Rejected(Schema):
    line: int
    column: str
    code: str
    reason: str


@router.post("", response={201: ImportOut}, summary="Upload a CSV or XLSX file")
def import_create(request: HttpRequest, file: File[UploadedFile]) -> Status[ImportOut]:
    made = services.import_create(actor=actor(request), file=file.chunks(), filename=file.name or "upload")
    return Status(201, _out(made))


@router.get("/{import_id}", response=ImportOut, summary="One import, with its progress")
def import_read(request: HttpRequest, import_id: UUID) -> ImportOut:
    return _out(selectors.import_by_public_id(actor=actor(request), public_id=import_id))


@router.put("/{import_id}", response=ImportOut, summary="Say which column is what, and how to treat known people")
def import_configure(request: HttpRequest, import_id: UUID, data: Settings) -> ImportOut:
    return _out(
        services.import_configure(actor=actor(request), public_id=import_id, mapping=data.mapping, options=data.options)
    )


@router.put("/{import_id}/consent", response=ImportOut, summary="Decide about consent; without it nothing runs")
def import_consent(request: HttpRequest, import_id: UUID, data: ConsentIn) -> ImportOut:
    return _out(
        services.import_consent(
            actor=actor(request),
            public_id=import_id,
            choice=data.choice,
            topics=data.topics,
            source=data.source,
            declared=data.declared,
            statement=data.statement,
        )
    )


@router.post("/{import_id}/trial", response={202: ImportOut}, summary="Work out what would happen; writes nothing")
def import_trial(request: HttpRequest, import_id: UUID) -> Status[ImportOut]:
    services.import_dry_run(actor=actor(request), public_id=import_id)
    return Status(202, import_read(request, import_id))


@router.post("/{import_id}/start", response={202: ImportOut}, summary="Run the import")
def import_start(request: HttpRequest, import_id: UUID) -> Status[ImportOut]:
    services.import_start(actor=actor(request), public_id=import_id)
    return Status(202, import_read(request, import_id))


@router.post("/{import_id}/cancel", response=ImportOut, summary="Stop; what was taken stays")
def import_cancel(request: HttpRequest, import_id: UUID) -> ImportOut:
    return _out(services.import_cancel(actor=actor(request), public_id=import_id))


@router.get("/{import_id}/rejected", response=Listing[Rejected], summary="Rejected rows with line, column and reason")
def import_rejected(
    request: HttpRequest, import_id: UUID, cursor: str | None = None, limit: int = 100
) -> Listing[Rejected]:
    after = read_cursor(cursor)
    if after is not None and not isinstance(after, int):
        raise Problem.bad_cursor()
    rows, following = selectors.rejections(actor=actor(request), public_id=import_id, after=after, limit=capped(limit))
    return Listing[Rejected](
        items=[Rejected(line=row.line, column=row.column, code=row.code, reason=row.reason) for row in rows],
        next=write_cursor(following) if following is not None else None,
    )


@router.get("/{import_id}/rejected.csv", summary="The same as a file")
def import_rejected_file(request: HttpRequest, import_id: UUID) -> StreamingHttpResponse:
    rows = selectors.rejections_csv(actor=actor(request), public_id=import_id, language=get_language() or "zh-hans")
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rejected.csv"'
    return response


def _out(row: Import) -> ImportOut:
    job = row.job or row.dry_job
    return ImportOut(
        id=row.public_id,
        file_name=row.file_name,
        state=row.state,
        header=row.header,
        mapping=row.mapping,
        options=row.options,
        counts=row.counts,
        trial=row.dry_counts,
        done=job.done if job else None,
        total=job.total if job else None,
        error=row.error_code,
    )

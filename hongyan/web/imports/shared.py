"""What the views of this area share."""

import uuid
from collections.abc import Sequence
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from hongyan.accounts.types import Actor
from hongyan.ingest import selectors, words
from hongyan.ingest.commerce.services import is_commerce
from hongyan.ingest.files.types import Preview, RowFault
from hongyan.ingest.models import Import
from hongyan.ingest.types import ImportState
from hongyan.jobs.models import Job
from hongyan.web.figures import duration


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", cast("Any", request).actor)


def import_or_404(request: HttpRequest, public_id: uuid.UUID) -> Import:
    try:
        return selectors.import_by_public_id(actor=actor_of(request), public_id=public_id)
    except Import.DoesNotExist as error:
        raise Http404 from error


def draft_or_show(request: HttpRequest, public_id: uuid.UUID) -> Import | HttpResponse:
    """The wizard's pages are for drafts; a started import has its own page."""
    batch = import_or_404(request, public_id)
    if is_commerce(batch):
        return redirect("commerce:import", public_id)
    return batch if batch.state == ImportState.DRAFT else redirect("imports:show", public_id)


def time_left(job: Job | None) -> str:
    """Rate and time left of a running job, for people."""
    from django.utils.translation import gettext as _

    from hongyan.web.figures import number

    if job is None or not job.rate:
        return ""
    parts = [_("%(n)s rows/s") % {"n": number(round(job.rate))}]
    if job.seconds_left:
        parts.append(_("%(time)s left") % {"time": duration(job.seconds_left)})
    return " · ".join(parts)


def preview_rows(preview: Preview | None) -> list[tuple[int, Sequence[str], str]]:
    """First rows of a file as the reading step shows them: line, cells, what is wrong with the line."""
    rows: list[tuple[int, Sequence[str], str]] = []
    for line, cells in preview.rows if preview else []:
        rows.append((line, [], words.rejection(cells.code)) if isinstance(cells, RowFault) else (line, cells, ""))
    return rows


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"

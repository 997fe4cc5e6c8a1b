"""Reports as files: figures of a campaign, and its people by outcome. Formula cells are neutralised."""

import csv
import io
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.analytics.rates import Rate
from hongyan.analytics.selectors import campaign_report
from hongyan.analytics.types import Outcome, Report
from hongyan.audit.services import record
from hongyan.campaigns.models import Campaign
from hongyan.ingest.neutral import neutralise
from hongyan.web.campaigns.words import state_and_reason
from hongyan.web.reports.campaign import people_page
from hongyan.web.reports.common import LABELS, actor_of, campaign_of, organisation_zone, outcome_of

Cell = str | int | float | None
BATCH = 1000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
def figures(request: HttpRequest, public_id: UUID, kind: str) -> HttpResponseBase:
    campaign = campaign_of(request, public_id)
    report = campaign_report(actor=actor_of(request), campaign=campaign, zone=organisation_zone())
    return _answer(kind, f"{_name(campaign)}-report", list(_figure_rows(campaign, report)))


@require_safe
def people(request: HttpRequest, public_id: UUID, kind: str) -> HttpResponseBase:
    """Addresses stand in it in clear only for who may see identities and may export contacts."""
    campaign = campaign_of(request, public_id)
    actor = actor_of(request)
    actor.require(Permission.REPORT_PEOPLE)
    if not actor.may(Permission.CONTACT_EXPORT):
        actor = _masked(actor)
    outcome = outcome_of(request.GET.get("outcome", ""))
    link = request.GET.get("link", "")
    record(
        actor=actor,
        action="campaign.people_exported",
        subject_kind="campaign",
        subject_id=str(campaign.public_id),
        data={"outcome": outcome.value},
    )
    rows = _people_rows(actor, campaign, outcome, int(link) if link.isdigit() else -1)
    return _answer(kind, f"{_name(campaign)}-{outcome.value}", rows)


def _masked(actor: Actor) -> Actor:
    return Actor(actor.kind, actor.id, actor.label, actor.permissions - {Permission.CONTACT_IDENTITY}, actor.ip)


def _people_rows(actor: Actor, campaign: Campaign, outcome: Outcome, link: int) -> Iterator[Sequence[Cell]]:
    yield (_("contact id"), _("name"), pgettext("column", "e-mail"), _("outcome"), _("detail"), _("time"))
    after = 0
    while True:
        rows, after = people_page(actor, campaign, outcome, link=link, after=after, limit=BATCH)
        for row in rows:
            yield (
                str(row.person.public_id) if row.person is not None else "",
                row.person.name if row.person is not None else "",
                row.person.email if row.person is not None else "",
                row.label,
                row.detail,
                row.at.astimezone(organisation_zone()).isoformat(timespec="seconds") if row.at is not None else "",
            )
        if not after:
            return


def _figure_rows(campaign: Campaign, report: Report) -> Iterator[Sequence[Cell]]:
    yield (_("figure"), _("count"), _("of"), _("rate"), _("interval from"), _("interval to"))
    yield (_("Campaign"), campaign.name, None, None, None, None)
    yield (_("Recipients"), report.recipients, None, None, None, None)
    yield (_("Delivered"), report.delivered, report.recipients, None, None, None)
    shares: tuple[tuple[str, Rate], ...] = (
        (_("Opened by people"), report.opened),
        (_("Opened, unknown by whom"), report.opened_unknown_only),
        (_("Opened by machines only"), report.opened_machine_only),
        (_("Clicked by people"), report.clicked),
        (_("Clicked by scanners only"), report.clicked_machine_only),
        (str(LABELS[Outcome.UNSUBSCRIBED]), report.unsubscribed),
        (str(LABELS[Outcome.COMPLAINED]), report.complained),
        (str(LABELS[Outcome.BOUNCED]), report.bounce),
    )
    for label, share in shares:
        yield (label, share.count, share.of, share.value, share.low, share.high)
    for (state, code), count in report.reasons.items():
        yield (state_and_reason(state, code), count, report.recipients, None, None, None)
    yield ()
    yield (_("link"), _("people"), _("clicks"), _("scanner clicks"), _("address"), _("text"))
    for row in report.links:
        yield (row.index, row.people.count, row.hits, row.machine_hits, row.url, row.label)


def _answer(kind: str, name: str, rows: Sequence[Sequence[Cell]] | Iterator[Sequence[Cell]]) -> HttpResponseBase:
    if kind == "csv":
        response: HttpResponseBase = StreamingHttpResponse(_csv(rows), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        response.headers["Cache-Control"] = "private, no-store"
        return response
    if kind == "xlsx":
        answer = FileResponse(_xlsx(rows), as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)
        answer.headers["Cache-Control"] = "private, no-store"
        return answer
    raise Http404


def _csv(rows: Sequence[Sequence[Cell]] | Iterator[Sequence[Cell]]) -> Iterator[bytes]:
    """With a byte order mark, which is what makes spreadsheets read UTF-8."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _xlsx(rows: Sequence[Sequence[Cell]] | Iterator[Sequence[Cell]]) -> SpooledTemporaryFile[bytes]:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Hongyan")
    for row in rows:
        sheet.append([_cell(cell) for cell in row])
    file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=8 * 2**20)  # noqa: SIM115  the answer closes it
    book.save(file)
    file.seek(0)
    return file


def _cell(value: Cell) -> Cell:
    return neutralise(value) if isinstance(value, str) else value


def _name(campaign: Campaign) -> str:
    """ASCII: file names travel in a header."""
    return slugify(campaign.name)[:60] or "campaign"

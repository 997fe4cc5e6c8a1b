"""The suppression list: who is never mailed, and why. Addresses are kept as blind indexes that nobody can read."""

from datetime import UTC, datetime

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.contacts import normalise
from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.suppression import suppress, suppression_page, unsuppress_row
from hongyan.contacts.types import Cursor, SuppressionReason
from hongyan.web.contacts.inputs import SUPPRESSION_KINDS, SuppressionForm
from hongyan.web.contacts.words import SUPPRESSIONS
from hongyan.web.settings.common import acting, needs

PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.CONSENT_EDIT)
def index(request: HttpRequest) -> HttpResponse:
    """A look-up comes by POST: addresses must not stand in the address of a page."""
    reason = request.GET.get("reason", "")
    sought, problem = (None, "")
    if request.method == "POST":
        try:
            sought = ("email", normalise.email(request.POST.get("address", "")))
        except NormaliseProblem as refused:
            problem = refused.message
    page = suppression_page(
        actor=acting(request),
        after=_cursor(request.GET.get("after", "")),
        reason=reason if reason in SuppressionReason.values else "",
        value=sought,
        limit=PAGE,
    )
    context = {
        "rows": [(row, SUPPRESSION_KINDS.get(row.kind, row.kind), SUPPRESSIONS[row.reason]) for row in page.rows],
        "next": _text(page.next),
        "reason": reason,
        "reasons": [(value, SUPPRESSIONS[value]) for value in SuppressionReason.values],
        "sought": sought is not None,
        "address": request.POST.get("address", "")[:320],
        "problem": problem,
    }
    return render(request, "contacts/suppressions.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.CONSENT_EDIT)
def create(request: HttpRequest) -> HttpResponse:
    form = SuppressionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        kind = form.cleaned_data["kind"]
        try:
            value = _normalised(kind, form.cleaned_data["value"])
        except NormaliseProblem as refused:
            form.add_error("value", ValidationError(refused.message))
        else:
            new = suppress(
                actor=acting(request),
                kind=kind,
                value=value,
                reason=SuppressionReason.MANUAL,
                note=form.cleaned_data["note"],
            )
            messages.success(request, _("Added. It holds from now on.") if new else _("It was on the list already."))
            return redirect("contacts:suppressions")
    return render(request, "contacts/suppression.html", {"form": form})


@require_POST
@needs(Permission.CONSENT_EDIT)
def lift(request: HttpRequest, suppression_id: int) -> HttpResponse:
    if unsuppress_row(actor=acting(request), suppression_id=suppression_id):
        messages.success(request, _("Lifted. Consent does not come back by this."))
    else:
        messages.error(request, _("This entry is no longer on the list."))
    return redirect("contacts:suppressions")


def _normalised(kind: str, value: str) -> str:
    if kind == "email":
        return normalise.email(value)
    return normalise.phone(value, "CN") if kind == "phone" else normalise.domain(value)


def _text(cursor: Cursor | None) -> str:
    if cursor is None or cursor.at is None:
        return ""
    return f"{round(cursor.at.timestamp() * 1_000_000)}-{cursor.id}"


def _cursor(text: str) -> Cursor | None:
    at, dash, row_id = text.partition("-")
    if not (dash and at.isdigit() and row_id.isdigit() and len(at) <= 17 and len(row_id) <= 18):
        return None
    try:
        return Cursor(datetime.fromtimestamp(int(at) / 1_000_000, tz=UTC), int(row_id))
    except (ValueError, OverflowError, OSError):
        return None

"""Exporting what the list shows, or who is ticked: exactly these people."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.listing import contact_ids_matching
from hongyan.ingest import exports
from hongyan.ingest.errors import IngestRefused
from hongyan.web import figures
from hongyan.web.contacts.common import actor_of
from hongyan.web.contacts.filtering import asked_of, chosen_ids, filters_of, kept_of
from hongyan.web.imports import labels

MOST = 100_000
_USUAL = frozenset({"full_name", "email", "phone", "country", "city", "language", "tags"})


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """GET: those of the list with its filters. POST with ids: those who are ticked; with a reason: begin."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_EXPORT)
    actor.require(Permission.CONTACT_IDENTITY)
    given = request.POST if request.method == "POST" else request.GET
    kept = kept_of(given.get("query", "") if request.method == "POST" else request.GET.urlencode())
    ticked = given.getlist("ids")[:1000] if request.method == "POST" else []
    ids = chosen_ids(ticked) if ticked else _of_list(actor, kept)
    problem = ""
    if ids is not None and len(ids) > MOST:
        problem = _("More than %(n)s people match. Narrow the list down, or export everybody under Imports.") % {
            "n": figures.number(MOST)
        }
    chosen = set(given.getlist("columns")) or set(_USUAL)
    if request.method == "POST" and "reason" in request.POST and not problem:
        try:
            made = exports.export_create(
                actor=actor,
                columns=[name for name in exports.export_columns() if name in chosen],
                reason=request.POST.get("reason", ""),
                format=request.POST.get("format", "csv"),
                contact_ids=ids,
                language=translation.get_language() or "en",
            )
        except IngestRefused as error:
            problem = labels.refusal(error)
        else:
            return redirect("imports:export", made.public_id)
    context: dict[str, Any] = {
        "columns": [(name, labels.field_label(name), name in chosen) for name in exports.export_columns()],
        "reason": given.get("reason", ""),
        "format": given.get("format", "csv"),
        "problem": problem,
        "query": request.POST.get("query", "") if request.method == "POST" else request.GET.urlencode(),
        "ids": ticked,
        "who": _who(ids),
        "too_many": ids is not None and len(ids) > MOST,
    }
    return render(request, "contacts/export.html", context, status=422 if problem else 200)


def _of_list(actor: Actor, kept: Mapping[str, str]) -> list[int] | None:
    """None: nothing is filtered, so everybody."""
    filters = filters_of(actor, asked_of(kept))
    return None if filters is None else contact_ids_matching(actor=actor, filters=filters, limit=MOST)


def _who(ids: list[int] | None) -> str:
    if ids is None:
        return _("Everybody")
    n = len(ids)
    if n > MOST:
        return _("more than %(n)s people") % {"n": figures.number(MOST)}
    return ngettext("%(shown)s person", "%(shown)s people", n) % {"shown": figures.number(n)}

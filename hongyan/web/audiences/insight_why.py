"""Why somebody is, or is not, in an audience: condition by condition, with what decided it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.catalogue_events import EVENTS
from hongyan.audience.compiler.catalogue import Label
from hongyan.audience.insight.person import MOST, belongings
from hongyan.audience.membership.selectors import is_member_since
from hongyan.audience.models import current_versions
from hongyan.audience.people import Person, person_of
from hongyan.audience.why.answers import Evidence, Reason, why
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.listing import contact_page
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.types import ContactFilters
from hongyan.web import figures
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.insight_common import audience_or_404, render_tab, shown_or_404

MATCHES = 20


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Whom it is about. What is searched for is posted: names do not belong into addresses."""
    actor = actor_of(request)
    audience = audience_or_404(request, public_id)
    text = request.POST.get("q", "").strip()[:200]
    rows = []
    if text:
        found = contact_page(actor=actor, filters=ContactFilters(search=text), after=None, limit=MATCHES)
        rows = list(found.rows)
    return render(request, "audiences/why.html", {"audience": audience, "q": text, "rows": rows, "most": MATCHES})


@require_safe
def person(request: HttpRequest, public_id: UUID, contact_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    shown = shown_or_404(request, public_id)
    who = _person(request, contact_id)
    context: dict[str, Any] = {"person": who, "contact_public_id": contact_id}
    if not shown.problems:
        reason = why(actor=actor, tree=shown.tree, contact_id=who.id, language=language(), catalogue=shown.catalogue)
        inside = reason.holds
        since = is_member_since(actor=actor, audience=shown.audience, contact_id=who.id) if inside else None
        context |= {"reason": _shown(reason), "inside": inside, "since": since}
    return render_tab(request, shown, "why", "audiences/why_person.html", context)


@require_safe
def audiences(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """All saved audiences for one person."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    who = _person(request, contact_id)
    versions = sorted(current_versions(), key=lambda version: version.audience.name.casefold())
    found = belongings(actor=actor, contact_id=who.id, versions=versions, catalogue=catalogue_now())
    found.sort(key=lambda row: not row.inside)
    context = {
        "person": who,
        "contact_public_id": contact_id,
        "rows": found,
        "inside": sum(row.inside is True for row in found),
        "left_out": max(0, len(versions) - MOST),
    }
    return render(request, "audiences/of_contact.html", context)


def _person(request: HttpRequest, contact_id: UUID) -> Person:
    try:
        return person_of(*contact_by_public_id(actor=actor_of(request), public_id=contact_id))
    except ContactNotFound:  # one that was merged away leads on to the record it is now
        raise Http404 from None


def _shown(reason: Reason) -> dict[str, Any]:
    return {
        "holds": reason.holds,
        "kind": reason.kind,
        "sentence": reason.sentence,
        "parts": [_shown(part) for part in reason.parts],
        "evidence": _evidence(reason.evidence) if reason.evidence else None,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    named = [(_event(item.name), item.at) for item in evidence.events]
    nearest = (_event(evidence.nearest.name), evidence.nearest.at) if evidence.nearest else None
    return {
        "count": evidence.count,
        "events": named,
        "nearest": nearest,
        # A field or a measure says its value, also that there is none; a count of events says only the count.
        "value": _value(evidence.value) if evidence.value is not None or evidence.count is None else "",
    }


def _event(name: str) -> str:
    return Label(EVENTS[name]).text(language()) if name in EVENTS else name


def _value(value: Any) -> str:
    match value:
        case None | "":
            return _("no value")
        case bool():
            return _("yes") if value else _("no")
        case datetime():
            return figures.moment(value)
        case date():
            return figures.day(value)
        case list():
            return _(", ").join(map(str, value))
        case str():
            return value
        case _:
            return figures.number(value)

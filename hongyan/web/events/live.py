"""The live tail: what arrives, as it arrives, with nothing in it that names people."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hongyan.core import clock
from hongyan.events import tracking_plan
from hongyan.events.catalogue import shape
from hongyan.events.context import KEYS
from hongyan.events.sensitive import is_sealed
from hongyan.events.types import EventRow
from hongyan.ingest.intake import inbox
from hongyan.ingest.intake.write_keys import senders
from hongyan.web.contacts.words import source_name
from hongyan.web.events.common import actor_of, is_htmx

_SHOWN = 50
_PLAIN = KEYS - {"page_title", "page_search"} | {
    "path", "url", "currency", "category", "form", "fields", "scroll_depth", "seconds", "quantity"
}  # fmt: skip


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    source, name = request.GET.get("source", ""), request.GET.get("name", "")
    rows = tracking_plan.newest(
        actor=actor, source=source, name=name, since=clock.now() - timedelta(days=1), limit=_SHOWN
    )
    keys = senders(actor=actor)
    named = dict(keys)
    context = {
        "rows": [
            {
                "row": row,
                "known": row.contact_id is not None,
                "source": named.get(row.source) or source_name(row.source),
                "parts": _parts(row),
            }
            for row in rows
        ],
        "keys": keys,
        "source": source,
        "name": name,
        "waiting": inbox.waiting(actor=actor),
    }
    return render(request, "events/live_rows.html" if is_htmx(request) else "events/live.html", context)


def _parts(row: EventRow) -> list[tuple[str, str]]:
    """Property and what of its value may be shown."""
    return [(key, _masked(key, value)) for key, value in list(row.properties.items())[:12] if key != "context"]


def _masked(key: str, value: Any) -> str:
    if is_sealed(value):
        return "••••"
    if isinstance(value, bool | int | float) or key in _PLAIN:
        return str(value)[:80]
    return shape(value)

"""Who entered an audience and who left it, when and through what."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hongyan.audience.membership.selectors import moves, sizes_over_time, state_of
from hongyan.audience.membership.types import Cause, DaySize, MoveRow
from hongyan.audience.names import name_of_code
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.insight_common import audience_or_404, render_plain_tab
from hongyan.web.audiences.insight_words import cause_text, day_label, state_pill

LIMIT = 50
DAYS = 30
_WAYS = {"entered": True, "left": False}


@require_safe
def page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    audience = audience_or_404(request, public_id)
    actor = actor_of(request)
    way = request.GET.get("way", "")
    days = sizes_over_time(actor=actor, audience=audience, days=DAYS)
    found = moves(
        actor=actor,
        audience=audience,
        entered=_WAYS.get(way),
        before=_position(request.GET.get("after", "")),
        limit=LIMIT + 1,
    )
    state = state_of(actor=actor, audience=audience)
    context = {
        "state": state,
        "pill": state_pill(state),
        "way": way if way in _WAYS else "",
        "rows": [_row(row) for row in found[:LIMIT]],
        "next": f"{found[LIMIT - 1].at.isoformat()}~{found[LIMIT - 1].id}" if len(found) > LIMIT else "",
        "days": DAYS,
        "entered": sum(day.entered for day in days),
        "left": sum(day.left for day in days),
        "chart": _chart(days) if any(day.entered or day.left for day in days) else None,
        "entering": _causes(days, 0),
        "leaving": _causes(days, 1),
    }
    return render_plain_tab(request, audience, "moves", "audiences/moves.html", context)


def _position(text: str) -> tuple[datetime, int] | None:
    at, _sep, number = text.partition("~")
    try:
        moment = parse_datetime(at.replace(" ", "+"))
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None or not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    return moment, int(number)


def _row(row: MoveRow) -> dict[str, Any]:
    person = row.person
    place = " · ".join(filter(None, (name_of_code("country", person.country, language()), person.city)))
    return {"move": row, "person": person, "place": place, "cause": cause_text(row.cause)}


def _chart(days: list[DaySize]) -> dict[str, Any]:
    return {
        "categories": [day_label(day.day) for day in days],
        "series": [
            {"name": _("Entered"), "values": [day.entered for day in days]},
            {"name": _("Left"), "values": [day.left for day in days]},
        ],
        "unit": "",
    }


def _causes(days: list[DaySize], way: int) -> list[dict[str, Any]]:
    """Bars: through what people came (0) or went (1), the commonest first."""
    counted: Counter[Cause] = Counter()
    for day in days:
        for cause, numbers in day.causes.items():
            counted[cause] += numbers[way]
    return [{"label": cause_text(cause), "value": number} for cause, number in counted.most_common(8) if number]

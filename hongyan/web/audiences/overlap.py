"""Whom an audience shares with others: two or three drawn to scale, many as a matrix."""

import json
import math
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.insight.members import Ids, member_sets
from hongyan.audience.insight.overlap import MOST, Overlap, Region, overlap, regions
from hongyan.audience.insight.venn import Circle, circles
from hongyan.audience.models import SavedAudience, current_versions
from hongyan.web.audiences.common import actor_of
from hongyan.web.audiences.insight_common import Shown, render_tab, shown_or_404

WIDTH, HEIGHT = 560, 340
MARGIN = 14


@require_safe
def page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor_of(request).require(Permission.CONTACT_VIEW)
    shown = shown_or_404(request, public_id)
    context = {} if shown.problems else _context(request, shown)
    return render_tab(request, shown, "overlap", "audiences/overlap.html", context)


def _context(request: HttpRequest, shown: Shown) -> dict[str, Any]:
    others = sorted(
        (version for version in current_versions() if version.audience_id != shown.audience.pk),
        key=lambda version: version.audience.updated_at,
        reverse=True,
    )
    left_out = max(0, len(others) - (MOST - 1))
    sets = member_sets([shown.tree, *(version.tree for version in others[: MOST - 1])], catalogue=shown.catalogue)
    audiences = [shown.audience, *(version.audience for version in others)]
    there: list[tuple[SavedAudience, Ids]] = [
        (audience, ids) for audience, ids in zip(audiences, sets, strict=False) if ids is not None
    ]
    found = overlap([ids for _audience, ids in there])
    order = sorted(range(1, len(there)), key=lambda place: -_closeness(found, place))
    wanted = request.GET.getlist("with")
    chosen = [place for place in order if str(there[place][0].public_id) in wanted][:2]
    chosen = chosen or [place for place in order[:2] if found.shared[0][place]] or order[:1]
    return {
        "rows": [_row(there[place][0], found, place, chosen=place in chosen) for place in order],
        "left_out": left_out,
        "venn": _venn([there[place] for place in (0, *chosen)]) if chosen else None,
        "matrix": _matrix([audience for audience, _ids in there], found, [0, *order]),
    }


def _closeness(found: Overlap, place: int) -> float:
    """Jaccard: shared people of all people in either."""
    either = found.sizes[0] + found.sizes[place] - found.shared[0][place]
    return found.shared[0][place] / either if either else 0.0


def _row(audience: SavedAudience, found: Overlap, place: int, *, chosen: bool) -> dict[str, Any]:
    shared = found.shared[0][place]
    return {
        "audience": audience,
        "size": found.sizes[place],
        "shared": shared,
        "of_this": found.share(0, place),
        "of_other": found.share(place, 0),
        "width": f"{100 * found.share(0, place):.2f}%",
        "chosen": chosen,
    }


def _matrix(audiences: list[SavedAudience], found: Overlap, order: list[int]) -> dict[str, Any] | None:
    """Row → column: which part of the row's people is in the column's audience as well."""
    if len(order) < 3:
        return None
    return {
        "columns": [audiences[place] for place in order],
        "rows": [
            {
                "audience": audiences[row],
                "size": found.sizes[row],
                "cells": [
                    {
                        "same": row == column,
                        "shared": found.shared[row][column],
                        "share": found.share(row, column),
                        "step": min(10, round(10 * found.share(row, column))),
                    }
                    for column in order
                ],
            }
            for row in order
        ],
    }


# ——— the drawing


def _venn(parts: list[tuple[SavedAudience, Ids]]) -> dict[str, Any]:
    sets = [ids for _audience, ids in parts]
    counted = overlap(sets)
    drawn = circles(counted.sizes, counted.shared, width=WIDTH - 2 * MARGIN, height=HEIGHT - 2 * MARGIN)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "circles": [
            {
                "x": round(circle.x + MARGIN, 1),
                "y": round(circle.y + MARGIN, 1),
                "r": round(circle.r, 1),
                **_away(drawn, place),
                "name": audience.name,
                "size": size,
                "number": place + 1,
            }
            for place, (circle, (audience, _ids), size) in enumerate(zip(drawn, parts, counted.sizes, strict=True))
        ],
        "regions": [_region(region, parts, counted.union) for region in regions(sets)],
        "three": len(parts) == 3,
        "union": counted.union,
    }


def _away(drawn: list[Circle], place: int) -> dict[str, float]:
    """Where its number stands: half-way out on the side away from the others, where what is only its own lies."""
    circle = drawn[place]
    others = [other for number, other in enumerate(drawn) if number != place]
    x, y = (sum(getattr(other, axis) for other in others) / len(others) for axis in ("x", "y"))
    far = math.hypot(circle.x - x, circle.y - y) or 1.0
    push = 0.55 * circle.r / far
    return {
        "text_x": round(circle.x + (circle.x - x) * push + MARGIN, 1),
        "text_y": round(circle.y + (circle.y - y) * push + MARGIN, 1),
    }


def _region(region: Region, parts: list[tuple[SavedAudience, Ids]], union: int) -> dict[str, Any]:
    inside = [parts[place][0] for place in region.inside]
    outside = [audience for place, (audience, _ids) in enumerate(parts) if place not in region.inside]
    tree = {
        "all": [
            *({"audience": str(audience.public_id)} for audience in inside),
            *({"not": {"audience": str(audience.public_id)}} for audience in outside),
        ]
    }
    names = pgettext("names of audiences", " and ").join(
        _("“%(name)s”") % {"name": audience.name} for audience in inside
    )
    return {
        "numbers": [place + 1 for place in region.inside],
        "label": names if not outside else _("only %(names)s") % {"names": names},
        "size": region.size,
        "share": region.size / union if union else 0.0,
        "url": f"{reverse('audiences:create')}?{urlencode({'tree': json.dumps(tree, ensure_ascii=False)})}",
    }

"""How the people of an audience differ from everyone: composition, engagement, value."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hongyan.audience.insight.composition import FIRST, MOST_FIELDS, Slice, comparable, profiles, striking
from hongyan.audience.insight.value import DAYS, Rate, Worth, engagement_and_worth
from hongyan.audience.membership.selectors import members_sql
from hongyan.core.money import exponent
from hongyan.web import figures
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.insight_common import Shown, render_tab, shown_or_404


@require_safe
def profile(request: HttpRequest, public_id: UUID) -> HttpResponse:
    shown = shown_or_404(request, public_id)
    context: dict[str, Any] = {}
    if not shown.problems:
        offered = comparable(shown.catalogue)
        asked = [key for key in request.GET.getlist("field") if key in offered]
        chosen = asked[:MOST_FIELDS] or [key for key in FIRST if key in offered]
        found = profiles(
            actor=actor_of(request),
            tree=shown.tree,
            fields=chosen,
            catalogue=shown.catalogue,
            language=language(),
            members=members_sql(shown.audience),
        )
        names = {item.key: item.label for item in found}
        context = {
            "striking": [{**row, "field": names[row["item"].field]} for row in _bars(striking(found))],
            "profiles": [{"profile": item, "rows": _bars(item.slices)} for item in found],
            "nobody": not any(part.here for item in found for part in item.slices),
            "offered": _offered(shown, chosen),
            "most": MOST_FIELDS,
        }
    return render_tab(request, shown, "profile", "audiences/profile.html", context)


def _offered(shown: Shown, chosen: list[str]) -> list[dict[str, Any]]:
    fields = shown.catalogue.fields
    return [
        {
            "key": key,
            "label": fields[key].label.text(language()) if key in fields else _("Tags"),
            "chosen": key in chosen,
        }
        for key in comparable(shown.catalogue)
    ]


def _bars(items: Sequence[Slice]) -> list[dict[str, Any]]:
    """Bars of one list have one scale, on which the longest fills the line."""
    widest = max((max(item.here_rate, item.everyone_rate) for item in items), default=0.0) or 1.0
    return [
        {
            "item": item,
            "here_width": f"{100 * item.here_rate / widest:.2f}%",
            "everyone_width": f"{100 * item.everyone_rate / widest:.2f}%",
            "direction": "up" if item.weight >= 2 else "down" if item.weight <= -2 else "",
        }
        for item in items
    ]


@require_safe
def value(request: HttpRequest, public_id: UUID) -> HttpResponse:
    shown = shown_or_404(request, public_id)
    context: dict[str, Any] = {}
    if not shown.problems:
        actor, tree, catalogue = actor_of(request), shown.tree, shown.catalogue
        answers, bought = engagement_and_worth(
            actor=actor, tree=tree, catalogue=catalogue, members=members_sql(shown.audience)
        )
        rates = [
            (_("Got a mail"), answers.mailed, _("of all")),
            (_("Opened, of the mailed"), answers.opened, _("of the mailed")),
            (_("Clicked, of the mailed"), answers.clicked, _("of the mailed")),
            (_("Unsubscribed, of the mailed"), answers.unsubscribed, _("of the mailed")),
            (_("Ordered"), answers.ordered, _("of all")),
        ]
        context = {
            "days": DAYS,
            "rates": [{"label": label, "rate": rate, "of": of} for label, rate, of in rates],
            "chart": _rates_chart([(label, rate) for label, rate, _of in rates]),
            "money": _money_rows(bought),
            "bought": bought,
            "per_head": _money(bought.here.per_head_minor, bought.currency),
            "per_head_index": _index(bought.here.per_head_minor, bought.everyone.per_head_minor),
            "share_of_revenue": _part(bought.here.total_minor, bought.everyone.total_minor),
            "share_of_people": _part(bought.here.people, bought.everyone.people),
            "opened": answers.opened,
            "clicked": answers.clicked,
        }
    return render_tab(request, shown, "value", "audiences/value.html", context)


def _rates_chart(rates: list[tuple[str, Rate]]) -> dict[str, Any]:
    return {
        "categories": [label for label, _rate in rates],
        "series": [
            {"name": _("this audience"), "values": [rate.here_rate for _label, rate in rates]},
            {"name": _("everyone"), "values": [rate.everyone_rate for _label, rate in rates], "tone": "quiet"},
        ],
        "unit": "percent",
    }


def _money_rows(bought: Worth) -> list[dict[str, Any]]:
    """label, here, everyone, index; the text of an amount is made here, once."""
    here, everyone, currency = bought.here, bought.everyone, bought.currency
    pairs = [
        (_("Revenue per head"), here.per_head_minor, everyone.per_head_minor),
        (_("Revenue per buyer"), here.per_buyer_minor, everyone.per_buyer_minor),
        (_("Average order"), here.per_order_minor, everyone.per_order_minor),
        (_("Revenue"), here.total_minor, everyone.total_minor),
    ]
    made = [
        {
            "label": label,
            "here": _money(a, currency),
            "everyone": _money(b, currency),
            "index": _index(a, b) if place < 3 else None,
        }
        for place, (label, a, b) in enumerate(pairs)
    ]
    counts = [
        (_("Orders per head"), _ratio(here.orders, here.people), _ratio(everyone.orders, everyone.people)),
        (_("Buyers"), _ratio(here.buyers, here.people), _ratio(everyone.buyers, everyone.people)),
    ]
    orders, buyers = counts
    made.append(
        {
            "label": orders[0],
            "here": figures.number(orders[1]),
            "everyone": figures.number(orders[2]),
            "index": _index(orders[1], orders[2]),
        }
    )
    made.append(
        {
            "label": buyers[0],
            "here": f"{figures.number(here.buyers)} ({figures.percent(buyers[1])})",
            "everyone": f"{figures.number(everyone.buyers)} ({figures.percent(buyers[2])})",
            "index": _index(buyers[1], buyers[2]),
        }
    )
    return made


def _money(minor: int | None, currency: str) -> str:
    if minor is None:
        return figures.DASH
    digits = exponent(currency)
    return f"{minor / 10**digits:,.{digits}f} {currency}"


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _part(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _index(here: float | None, everyone: float | None) -> int | None:
    return round(100 * here / everyone) if here is not None and everyone else None

"""Tags and filters of every page: ``{% load hongyan %}``. Examples stand in hongyan/web/README.md."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from django import forms, template
from django.forms import BoundField
from django.http import HttpRequest, QueryDict
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import pgettext

from hongyan.web import build, figures
from hongyan.web.states import pill_of

register = template.Library()
COMPONENTS = "web/components"


@register.simple_tag
def vite(name: str) -> SafeString:
    """Links and script of one entry of the front-end build."""
    return build.tags(name)


@register.simple_tag
def icon(name: str, label: str = "", size: int = 18, css: str = "") -> SafeString:
    """An icon of tabler.io/icons (outline). Without label it is decoration and hidden from screen readers."""
    body = mark_safe(build.icon_body(name))  # noqa: S308  from the icon package, by name
    role = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon {}" width="{}" height="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        css,
        size,
        size,
        role,
        body,
    )


# -- figures and times -------------------------------------------------------------------------------------------------


@register.filter
def number(value: float | Decimal | None) -> str:
    """12,345 in both languages; a dash for None."""
    return figures.number(value)


@register.filter
def compact(value: float | None) -> str:
    """1.2 万 / 12K for axes and tight places."""
    return figures.compact(value)


@register.filter
def percent(value: float | None, digits: int = 1) -> str:
    """A share 0..1 as 4.2%; a dash for None."""
    return figures.percent(value, digits)


@register.filter
def day(value: date | datetime | None) -> str:
    """2026年11月22日 / 22 Nov 2026, in the reader's time zone."""
    return figures.day(value)


@register.filter
def moment(value: datetime | None) -> str:
    """2026年11月22日 14:05 / 22 Nov 2026, 14:05, in the reader's time zone."""
    return figures.moment(value)


@register.filter
def size(value: int | None) -> str:
    """Bytes as 23.4 kB."""
    return figures.size(value)


@register.filter
def duration(seconds: float | None) -> str:
    """About 3 min / 约 3 分钟."""
    return figures.duration(seconds)


@register.simple_tag
def ago(value: datetime | None) -> SafeString | str:
    """Relative time that keeps itself up to date; the exact one is its title."""
    if value is None:
        return "—"
    return format_html(
        '<hy-time><time datetime="{}" title="{}">{}</time></hy-time>',
        value.isoformat(),
        figures.moment(value),
        figures.moment(value),
    )


@register.simple_tag
def share(part: int | None, whole: int | None, of: str = "", *, counted: bool = False) -> SafeString | str:
    """“412 / 9,860 (4.2%, 3.8–4.6)”: a number with its denominator and its 95 % interval. counted: everybody was asked,
    so there is nothing to be unsure of."""
    if part is None or not whole:
        return "—"
    if counted:
        return format_html(
            '<span class="share"><b>{}</b> <span class="muted">/ {} ({})</span></span>',
            figures.number(part),
            figures.number(whole),
            figures.percent(part / whole),
        )
    low, high = figures.wilson(part, whole)
    return format_html(
        '<span class="share"><b>{}</b> <span class="muted">/ {} {}({}, {}–{})</span></span>',
        figures.number(part),
        figures.number(whole),
        f"{of} " if of else "",
        figures.percent(part / whole),
        figures.percent(low).rstrip("%"),
        figures.percent(high),
    )


# -- components --------------------------------------------------------------------------------------------------------


@register.inclusion_tag(f"{COMPONENTS}/page_header.html")
def page_header(
    title: str,
    question: str = "",
    *,
    back: str = "",
    back_label: str = "",
    state: str = "",
    state_label: str = "",
) -> dict[str, Any]:
    """Title, the question the page answers, way back. Actions stand beside it in ``.page-actions``."""
    return {
        "title": title,
        "question": question,
        "back": back,
        "back_label": back_label,
        "state": state,
        "state_label": state_label,
    }


@register.inclusion_tag(f"{COMPONENTS}/figure.html")
def figure(
    label: str,
    part: int | None,
    whole: int | None = None,
    *,
    of: str = "",
    href: str = "",
    hint: str = "",
    trend: Sequence[float] | None = None,
    interval: bool = True,
) -> dict[str, Any]:
    """A key figure: the number, what it is a share of with its interval, and a link to the rows behind it."""
    context: dict[str, Any] = {"label": label, "part": part, "whole": whole, "of": of, "href": href, "hint": hint}
    context["points"] = figures.spark_points(trend) if trend else ""
    if part is not None and whole:
        context["rate"] = part / whole
        if interval and part <= whole:
            context["low"], context["high"] = figures.wilson(part, whole)
    return context


@register.inclusion_tag(f"{COMPONENTS}/pill.html")
def pill(state: str, label: str = "") -> dict[str, Any]:
    """A state with its colour and its word. The vocabulary is in hongyan/web/states.py."""
    known = pill_of(state)
    return {"tone": known.tone, "icon": known.icon, "label": label or str(known.label)}


@register.inclusion_tag(f"{COMPONENTS}/progress.html")
def progress(done: int, total: int | None, label: str = "", note: str = "") -> dict[str, Any]:
    """A bar with its words. Without total it says that the end is unknown."""
    share_done = min(1.0, done / total) if total else None
    return {"done": done, "total": total, "label": label, "note": note, "share": share_done}


@register.inclusion_tag(f"{COMPONENTS}/spark.html")
def sparkline(values: Sequence[float], label: str) -> dict[str, Any]:
    return {"points": figures.spark_points(values), "label": label}


class Bar(TypedDict):
    label: str
    value: float
    href: str
    note: str


@register.inclusion_tag(f"{COMPONENTS}/bars.html")
def bars(rows: Iterable[Mapping[str, Any]], whole: float | None = None) -> dict[str, Any]:
    """A list of bars. rows: mappings with label, value, optionally href, note, tone. whole: the full length."""
    listed = list(rows)
    longest = whole or max((float(row["value"]) for row in listed), default=0) or 1
    return {"rows": [{**row, "width": f"{min(100.0, 100 * float(row['value']) / longest):.2f}%"} for row in listed]}


@register.inclusion_tag(f"{COMPONENTS}/chart.html")
def chart(kind: str, data: Mapping[str, Any], label: str, height: int = 260) -> dict[str, Any]:
    """<hy-chart>: line, bar, bars (horizontal), heat. The table behind it is what screen readers and prints get.

    data: {"categories": [...], "series": [{"name": str, "values": [...], "low": [...], "high": [...]}], "unit": str}
    """
    return {"kind": kind, "data": data, "label": label, "height": height, "rows": figures.chart_rows(data)}


@register.inclusion_tag(f"{COMPONENTS}/empty.html")
def empty(icon: str, title: str, text: str = "", href: str = "", action: str = "") -> dict[str, Any]:
    """What this page will look like, and the first step."""
    return {"icon": icon, "title": title, "text": text, "href": href, "action": action}


@register.inclusion_tag(f"{COMPONENTS}/pager.html", takes_context=True)
def pager(context: Context, shown: int, after: str = "", before: str = "", total: int | None = None) -> dict[str, Any]:
    """Keyset pager. after/before: opaque cursors of the next and previous page, written into the address."""
    request: HttpRequest = context["request"]
    return {
        "shown": shown,
        "total": total,
        "next_url": _with(request.GET, drop=("before",), after=after) if after else "",
        "previous_url": _with(request.GET, drop=("after",), before=before) if before else "",
        "first_url": _with(request.GET, drop=("after", "before")),
        "on_first": "after" not in request.GET and "before" not in request.GET,
    }


@register.inclusion_tag(f"{COMPONENTS}/sort_header.html", takes_context=True)
def sort_header(
    context: Context, key: str, label: str, *, figures: bool = False, param: str = "order"
) -> dict[str, Any]:
    """A <th> that sorts: ?order=key, then ?order=-key. figures: right-aligned column."""
    request: HttpRequest = context["request"]
    current = request.GET.get(param) or context.get("order") or ""
    direction = {key: "ascending", f"-{key}": "descending"}.get(current, "")
    following = f"-{key}" if current == key else key
    url = _with(request.GET, drop=("after", "before"), **{param: following})
    return {"label": label, "direction": direction, "url": url, "figures": figures}


@register.inclusion_tag(f"{COMPONENTS}/filter_bar.html", takes_context=True)
def search_box(context: Context, label: str, param: str = "q") -> dict[str, Any]:
    """The search field of a filter bar; keeps the other filters of the address."""
    request: HttpRequest = context["request"]
    return {
        "label": label,
        "param": param,
        "value": request.GET.get(param, ""),
        "kept": [(k, v) for k, values in request.GET.lists() for v in values if k not in {param, "after", "before"}],
        "clear_url": _with(request.GET, drop=(param, "after", "before")),
    }


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """The present address with some query parameters changed; None or "" removes one. Paging starts anew."""
    request: HttpRequest = context["request"]
    gone = tuple(key for key, value in changes.items() if value in {None, ""})
    kept = {key: str(value) for key, value in changes.items() if key not in gone}
    return _with(request.GET, drop=("after", "before", *gone), **kept)


@register.inclusion_tag(f"{COMPONENTS}/field.html")
def field(bound: BoundField, wide: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  template syntax
    """One form field with label, control, help and errors."""
    return {"field": bound, "wide": wide}


@register.filter
def browser_name(user_agent: str) -> str:
    """“Chrome 131, Windows” out of a User-Agent header."""
    from user_agents import parse

    agent = parse(user_agent or "")
    browser = " ".join(filter(None, (agent.browser.family, agent.browser.version_string.partition(".")[0])))
    return ", ".join(filter(None, (browser, agent.os.family))) or "—"


@register.filter
def widget_kind(bound: BoundField) -> str:
    """check for a single tick box, choices for several, file, area, or plain."""
    widget = bound.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    if isinstance(widget, forms.CheckboxSelectMultiple | forms.RadioSelect):
        return "choices"
    if isinstance(widget, forms.FileInput):
        return "file"
    return "area" if isinstance(widget, forms.Textarea) else "plain"


@register.inclusion_tag(f"{COMPONENTS}/code.html")
def code(text: str, language: str = "", label: str = "") -> dict[str, Any]:
    """Source text with line numbers and a copy button."""
    return {
        "lines": text.splitlines() or [""],
        "text": text,
        "language": language,
        "label": label or pgettext("mail", "Source"),
    }


@register.inclusion_tag(f"{COMPONENTS}/steps.html")
def steps(current: int, *labels: str) -> dict[str, Any]:
    """The stepper of a wizard; current counts from 1."""
    return {
        "steps": [
            {"n": n, "label": label, "state": "done" if n < current else "current" if n == current else "next"}
            for n, label in enumerate(labels, start=1)
        ]
    }


@register.simple_tag
def avatar(name: str, seed: object = "", size: int = 28) -> SafeString:
    """Initials on a quiet colour; Han names show the given name's last character or two."""
    return format_html(
        '<span class="avatar avatar-{} avatar-tone-{}" aria-hidden="true">{}</span>',
        size,
        figures.tone_of(str(seed or name)),
        figures.initials(name),
    )


def _with(params: QueryDict, *, drop: Sequence[str] = (), **changes: str) -> str:
    changed = params.copy()
    for key in drop:
        changed.pop(key, None)
    for key, value in changes.items():
        changed[key] = value
    encoded = changed.urlencode()
    return f"?{encoded}" if encoded else "?"

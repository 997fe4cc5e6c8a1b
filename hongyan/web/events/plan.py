"""The tracking plan: names with their volume, and the page of one name."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.events import tracking_plan
from hongyan.events.models import EventName, EventProperty
from hongyan.events.tracking_plan import PlanRefused, PropertyChoice
from hongyan.ingest.intake.write_keys import senders
from hongyan.web.events.common import actor_of, refuse
from hongyan.web.events.words import CODES, HANDLINGS, REFUSALS, TYPES
from hongyan.web.figures import day as day_text

_SHOWN = 200
_DAYS = 14


class NameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        help_text=gettext_lazy("As the program sends it. “Order Completed” and “order_completed” are one."),
    )
    about = forms.CharField(label=gettext_lazy("What it means"), max_length=300, required=False)


class RetentionForm(forms.Form):
    keep_days = forms.IntegerField(
        label=gettext_lazy("Days that events are kept"),
        help_text=gettext_lazy("Unless the page of an event says otherwise. 760 days are 25 months."),
    )
    keep_anonymous_days = forms.IntegerField(
        label=gettext_lazy("Days that a visitor can still be recognised"),
        help_text=gettext_lazy("After this, what an unknown visitor did is nobody's for good."),
    )


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    actor, only = actor_of(request), request.GET.get("only", "")
    search = request.GET.get("q", "")
    rows = tracking_plan.names(actor=actor, search=search, only=only, days=_DAYS)
    context = {
        "rows": rows[:_SHOWN],
        "hidden": max(0, len(rows) - _SHOWN),
        "only": only,
        "filtered": bool(search or only),
        "today": sum(row.trend[-1] for row in rows),
        "recent": sum(row.recent for row in rows),
        "violations": sum(row.violations for row in rows),
        "has_keys": bool(senders(actor=actor)),
    }
    return render(request, "events/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.SOURCE_EDIT)
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = tracking_plan.plan_name(actor=actor, **form.cleaned_data)
        except PlanRefused as error:
            refuse(form, error.code, error.input, {})
        else:
            return redirect("events:name", row.pk)
    return render(request, "events/create.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    name = _name_or_404(request, pk)
    problem = ""
    if request.method == "POST":
        try:
            _change(request, name)
        except PlanRefused as error:
            problem = str(REFUSALS.get(error.code, error.code))
        else:
            messages.success(request, _("Saved. It holds for events that arrive from now on."))
            return redirect("events:name", pk)
    trend = tracking_plan.trend_of(actor=actor, name=name)
    context = {
        "name": name,
        "problem": problem,
        "standard": name.name in tracking_plan.STANDARD,
        "chart": {
            "categories": [day_text(at) for at, _count in trend],
            "series": [{"name": _("Received"), "values": [count for _at, count in trend]}],
            "unit": "",
        },
        "properties": [_property(row) for row in tracking_plan.properties_of(actor=actor, name=name)],
        "violations": [
            {"row": row, "what": CODES[row.code]} for row in tracking_plan.violations_of(actor=actor, name=name)
        ],
        "types": TYPES.items(),
        "handlings": HANDLINGS.items(),
        "policy_days": tracking_plan.policy().keep_days,
    }
    return render(request, "events/name.html", context, status=422 if problem else 200)


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    tracking_plan.violations_forget(actor=actor_of(request), name=_name_or_404(request, pk))
    messages.success(request, _("Violations are counted anew from here."))
    return redirect("events:name", pk)


@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: HttpRequest) -> HttpResponse:
    actor, kept = actor_of(request), tracking_plan.policy()
    actor.require(Permission.SETTINGS_EDIT)
    start = {"keep_days": kept.keep_days, "keep_anonymous_days": kept.keep_anonymous_days}
    form = RetentionForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            tracking_plan.policy_change(actor=actor, **form.cleaned_data)
        except PlanRefused as error:
            refuse(form, error.code, error.input, {})
        else:
            messages.success(request, _("Saved. Older events are deleted in the coming night."))
            return redirect("events:index")
    own = EventName.objects.exclude(keep_days=None).order_by("name")
    return render(request, "events/retention.html", {"form": form, "own": own})


def _name_or_404(request: HttpRequest, pk: int) -> EventName:
    name = tracking_plan.name_by_id(actor=actor_of(request), pk=pk)
    if name is None:
        raise Http404
    return name


def _change(request: HttpRequest, name: EventName) -> None:
    sent = request.POST
    days = sent.get("keep_days", "").strip()
    if days and not (days.isascii() and days.isdigit() and len(days) < 6):
        raise PlanRefused("keep_days_bad", "keep_days")
    tracking_plan.plan_change(
        actor=actor_of(request),
        name=name,
        about=sent.get("about", "").strip(),
        planned=sent.get("planned") == "on",
        closed=sent.get("closed") == "on",
        keep_days=int(days) if days else None,
        choices=_choices(sent),
    )


def _choices(sent: QueryDict) -> list[PropertyChoice]:
    """Rows of the table: key.0, type.0, required.0, handling.0, …; the last row is for a new property."""
    found = []
    place = 0
    while (key := sent.get(f"key.{place}")) is not None:
        if key.strip():
            found.append(
                PropertyChoice(
                    key.strip(),
                    sent.get(f"type.{place}", ""),
                    required=sent.get(f"required.{place}") == "on",
                    handling=sent.get(f"handling.{place}", ""),
                )
            )
        place += 1
    return found


def _property(row: EventProperty) -> dict[str, Any]:
    whole = sum(row.types.values()) or 1
    seen = sorted(row.types.items(), key=lambda pair: -pair[1])
    return {
        "row": row,
        "seen": ", ".join(f"{TYPES.get(kind, kind)} {round(100 * count / whole)} %" for kind, count in seen),
        "mixed": len(seen) > 1,
        "type": TYPES.get(row.type, _("anything")),
        "handling": HANDLINGS[row.handling],
    }

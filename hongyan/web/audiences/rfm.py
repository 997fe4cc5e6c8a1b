"""RFM: the grid of recency and frequency, tiers, who moved, and the rules."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.errors import BadValue, InUse
from hongyan.audience.models_standing import StandingKind
from hongyan.audience.standing.rfm import rfm_rules, rfm_rules_change, rfm_rules_of
from hongyan.audience.standing.rfm_rules import DEFAULTS, SCORES, Method, RFMRules, Scale, Tier
from hongyan.audience.standing.selectors import Flows, flows, rfm_grid, rfm_tiers
from hongyan.audience.standing.versions import computed
from hongyan.commerce.settings import commerce_settings
from hongyan.core.money import exponent
from hongyan.web.audiences.common import actor_of, language
from hongyan.web.audiences.replacing import Replacing, replacements
from hongyan.web.audiences.rules import create_url

DAYS: Final = 30
_STEPS: Final = 10
NAMES: Final = {
    "recency": gettext_lazy("Recency"),
    "frequency": gettext_lazy("Frequency"),
    "monetary": gettext_lazy("Monetary"),
}
HINTS: Final = {
    "recency": gettext_lazy("Days since the last order, at most: for score 2, 3, 4 and 5. Falling."),
    "frequency": gettext_lazy("Orders, at least: for score 2, 3, 4 and 5. Rising."),
    "monetary": gettext_lazy("Total spent, at least: for score 2, 3, 4 and 5. Rising."),
}


def tier_name(tier: Tier) -> str:
    return tier.name_zh if language() == "zh-hans" or not tier.name_en else tier.name_en


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    moved = flows(actor=actor, kind=StandingKind.RFM, days=DAYS)
    done, currency = computed(StandingKind.RFM), commerce_settings().currency
    rules = rfm_rules_of(done.rules)
    tiers = rfm_tiers(actor=actor, rules=rules)
    customers = sum(row.contacts for row in tiers)
    worth = sum(row.total_minor for row in tiers)
    context = {
        "grid": _grid(actor, currency),
        "scores": SCORES,
        "customers": customers,
        "currency": currency,
        "tiers": [
            {
                "name": tier_name(row.tier),
                "contacts": row.contacts,
                "total": _whole(row.total_minor, currency),
                "share": row.total_minor / worth if worth else 0.0,
                "ranges": [_range(pair) for pair in (row.tier.recency, row.tier.frequency, row.tier.monetary)],
                "came": moved.into(row.tier.key) - moved.moves.get(("", row.tier.key), 0),
                "went": moved.out_of(row.tier.key),
                "url": create_url({"field": "rfm.tier", "op": "=", "value": row.tier.key}),
            }
            for row in tiers
        ],
        "matrix": _matrix(moved, {row.tier.key: tier_name(row.tier) for row in tiers}),
        "days": DAYS,
        "state": done.state,
        "due": done.is_due,
        "scales": _scales(rules),
    }
    return render(request, "audiences/rfm.html", context)


def _grid(actor: Actor, currency: str) -> list[dict[str, Any]]:
    """Best recency first, as a sheet is read; shades by number of contacts."""
    cells = {(cell.recency, cell.frequency): cell for cell in rfm_grid(actor=actor)}
    most = max((cell.contacts for cell in cells.values()), default=0)
    rows = []
    for recency in reversed(SCORES):
        line = []
        for frequency in SCORES:
            cell = cells.get((recency, frequency))
            contacts = cell.contacts if cell else 0
            tree = {
                "all": [
                    {"field": "rfm.recency", "op": "=", "value": recency},
                    {"field": "rfm.frequency", "op": "=", "value": frequency},
                ]
            }
            line.append(
                {
                    "frequency": frequency,
                    "contacts": contacts,
                    "total": _whole(cell.total_minor, currency) if cell else 0,
                    "step": max(1, round(_STEPS * contacts / most)) if contacts else 0,
                    "url": create_url(tree),
                }
            )
        rows.append({"recency": recency, "cells": line})
    return rows


def _matrix(moved: Flows, names: dict[str, str]) -> dict[str, Any] | None:
    most = max((n for (before, after), n in moved.moves.items() if before and after), default=0)
    if not most:
        return None
    rows = []
    for before, name in names.items():
        cells = []
        for after in names:
            n = moved.moves.get((before, after), 0)
            cells.append({"same": before == after, "n": n, "step": max(1, round(_STEPS * n / most)) if n else 0})
        rows.append({"name": name, "cells": cells})
    return {"names": list(names.values()), "rows": rows}


def _scales(rules: RFMRules) -> list[dict[str, Any]]:
    return [
        {"name": name, "method": scale.method.value, "cuts": scale.cuts, "key": key}
        for key, name in NAMES.items()
        for scale in (getattr(rules, key),)
    ]


def _whole(minor: int, currency: str) -> int:
    return round(minor / float(10 ** exponent(currency)))


def _range(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}–{pair[1]}"


# ——— rules


class ScaleForm(forms.Form):
    method = forms.ChoiceField(
        choices=[
            (Method.FIXED.value, gettext_lazy("Thresholds written down")),
            (Method.QUANTILE.value, gettext_lazy("Fifths of the present customers")),
        ]
    )
    cuts = forms.CharField(required=False, max_length=80)

    def scale(self) -> Scale:
        """Raises ValueError for cuts that are no whole numbers."""
        method = Method(self.cleaned_data["method"])
        if method is Method.QUANTILE:
            return Scale(method)
        words = self.cleaned_data["cuts"].replace("，", " ").replace(",", " ").replace("、", " ").split()
        return Scale(method, tuple(int(word) for word in words))


class TierForm(forms.Form):
    key = forms.CharField(label=gettext_lazy("Key"), max_length=32, required=False)
    name_zh = forms.CharField(label=gettext_lazy("Chinese name"), max_length=80, required=False)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=80, required=False)
    recency = forms.CharField(label=NAMES["recency"], max_length=5, required=False)
    frequency = forms.CharField(label=NAMES["frequency"], max_length=5, required=False)
    monetary = forms.CharField(label=NAMES["monetary"], max_length=5, required=False)

    def tier(self) -> Tier | None:
        """None for a row left empty. Raises ValueError for a range that is none."""
        data = self.cleaned_data
        if not data["key"].strip() and not data["name_zh"].strip():
            return None
        ranges = [_read_range(data[name]) for name in NAMES]
        return Tier(data["key"].strip(), data["name_zh"].strip(), data["name_en"].strip(), *ranges)


def _read_range(text: str) -> tuple[int, int]:
    """As in "4-5", "4–5" or "3"; empty is 1 to 5."""
    words = text.replace("–", "-").replace("—", "-").replace("－", "-").replace("~", "-").split("-")
    if not text.strip():
        return 1, 5
    numbers = [int(word) for word in words]
    return numbers[0], numbers[-1]


@require_http_methods(["GET", "POST"])
def rules_page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    rules, problem, place, replacing = rfm_rules(), "", "", None
    scales, tiers = _forms(rules, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        made = rules
        try:
            made = DEFAULTS if "defaults" in request.POST else _read(scales, tiers)
            rfm_rules_change(actor=actor, rules=made, replace=replacements(request))
        except BadValue as error:
            problem, place = error.message, error.field
        except InUse as error:
            problem, place = _("A tier that something uses cannot just go."), "tiers"
            replacing = _replacing(request, error, rules, made)
        except ValueError:
            problem = _("Whole numbers are needed: thresholds such as 2, 3, 5, 10, ranges such as 4–5.")
        else:
            messages.success(request, _("Saved. Everybody is scored anew within seconds."))
            return redirect("audiences:rfm")
    context = {
        "scales": [
            {"key": key, "name": NAMES[key], "hint": HINTS[key], "form": form, "wrong": place == key}
            for key, form in scales.items()
        ],
        "tiers": [{"form": form, "wrong": place == f"tiers/{number}"} for number, form in enumerate(tiers)],
        "problem": problem,
        "replacing": replacing,
        "defaults": "defaults" in request.POST,
        "currency": commerce_settings().currency,
    }
    return render(request, "audiences/rfm_rules.html", context, status=422 if problem else 200)


def _replacing(request: HttpRequest, error: InUse, rules: RFMRules, made: RFMRules) -> Replacing:
    """A tier that goes from a row where another key stands now is offered that one: it was given another key."""
    sizes = {row.tier.key: row.contacts for row in rfm_tiers(actor=actor_of(request), rules=rules)}
    before, after = [tier.key for tier in rules.tiers], [tier.key for tier in made.tiers]
    return Replacing.of(
        request,
        error,
        names={tier.key: tier_name(tier) for tier in rules.tiers},
        sizes=sizes,
        choices=[(tier.key, tier_name(tier)) for tier in made.tiers],
        likely={old: new for old, new in zip(before, after, strict=False) if new not in before},
    )


def _forms(rules: RFMRules, data: Any) -> tuple[dict[str, ScaleForm], list[TierForm]]:
    scales = {}
    for key in NAMES:
        scale: Scale = getattr(rules, key)
        initial = {"method": scale.method.value, "cuts": ", ".join(map(str, scale.cuts))}
        scales[key] = ScaleForm(data, prefix=key, initial=initial)
    tiers = []
    for number in range(max(len(rules.tiers) + 2, 8)):
        tier = rules.tiers[number] if number < len(rules.tiers) else None
        tiers.append(TierForm(data, prefix=f"t{number}", initial=_first(tier) if tier else {}))
    return scales, tiers


def _first(tier: Tier) -> dict[str, str]:
    ranges = {name: _range(getattr(tier, name)) for name in NAMES}
    return {"key": tier.key, "name_zh": tier.name_zh, "name_en": tier.name_en, **ranges}


def _read(scales: dict[str, ScaleForm], tiers: list[TierForm]) -> RFMRules:
    if not all(form.is_valid() for form in [*scales.values(), *tiers]):
        raise ValueError("form")
    found = tuple(tier for form in tiers if (tier := form.tier()) is not None)
    recency, frequency, monetary = (scales[name].scale() for name in NAMES)
    return RFMRules(recency, frequency, monetary, found)

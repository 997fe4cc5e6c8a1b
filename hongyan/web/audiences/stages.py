"""Lifecycle stages: how many stand where, who moved from where to where, and the rules."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Label
from hongyan.audience.errors import BadTree, BadValue, InUse
from hongyan.audience.models_standing import StandingKind
from hongyan.audience.segments import explain
from hongyan.audience.standing.fields import STAGE_LABELS
from hongyan.audience.standing.selectors import Flows, flows, stage_counts
from hongyan.audience.standing.stage_rules import DEFAULTS, StageRule, StageRules
from hongyan.audience.standing.stages import stage_rules, stage_rules_change, stage_rules_of
from hongyan.audience.standing.versions import computed, rules_in_force
from hongyan.audience.types import Stage
from hongyan.web.audiences.common import actor_of, as_json, language, tree_from
from hongyan.web.audiences.replacing import Replacing, replacements
from hongyan.web.audiences.rules import create_url

HINTS: Final = {
    Stage.AWARENESS: gettext_lazy("We know them; they have not reacted yet."),
    Stage.ATTRACTION: gettext_lazy("They read, click or visit."),
    Stage.CONVERSION: gettext_lazy("They buy for the first time, or are about to."),
    Stage.RETENTION: gettext_lazy("They bought again."),
    Stage.CHURN_RISK: gettext_lazy("They bought and have been away for long."),
    Stage.LOST: gettext_lazy("They bought once upon a time."),
}
DAYS: Final = 30
_STEPS: Final = 10


def stage_name(stage: Stage | str) -> str:
    return capfirst(Label(STAGE_LABELS[Stage(stage)]).text(language()))


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    counts = stage_counts(actor=actor)
    moved = flows(actor=actor, kind=StandingKind.STAGES, days=DAYS)
    done = computed(StandingKind.STAGES)
    widest = max(counts.sizes.values(), default=0) or 1
    context = {
        "counts": counts,
        "rows": [
            {
                "stage": stage.value,
                "name": stage_name(stage),
                "hint": HINTS[stage],
                "size": size,
                "width": f"{100 * size / widest:.2f}%",
                "came": moved.into(stage.value) - moved.moves.get(("", stage.value), 0),
                "went": moved.out_of(stage.value),
                "url": create_url({"field": "lifecycle.stage", "op": "=", "value": stage.value}),
            }
            for stage, size in counts.sizes.items()
        ],
        "matrix": _matrix(moved),
        "chart": _chart(moved),
        "days": DAYS,
        "state": done.state,
        "due": done.is_due,
        "rules": _rules(stage_rules_of(done.rules)),
    }
    return render(request, "audiences/stages.html", context)


def _matrix(moved: Flows) -> list[dict[str, Any]] | None:
    most = max((n for (before, after), n in moved.moves.items() if before and after), default=0)
    if not most:
        return None
    return [
        {
            "name": stage_name(before),
            "cells": [
                {
                    "same": before is after,
                    "name": stage_name(after),
                    "n": (n := moved.moves.get((before.value, after.value), 0)),
                    "step": max(1, round(_STEPS * n / most)) if n else 0,
                }
                for after in Stage
            ],
        }
        for before in Stage
    ]


def _chart(moved: Flows) -> dict[str, Any] | None:
    """How many came into each stage, day by day."""
    if not moved.by_day:
        return None
    return {
        "categories": [day.isoformat() for day in moved.days],
        "series": [
            {"name": stage_name(stage), "values": list(moved.by_day[stage.value])}
            for stage in Stage
            if stage.value in moved.by_day
        ],
        "unit": "",
    }


# ——— rules


def _rules(rules: StageRules) -> list[dict[str, Any]]:
    known = catalogue_now()
    rows = []
    for place, rule in enumerate(rules.rules):
        try:
            sentence = explain(rule.tree, language(), catalogue=known)
        except BadTree:
            sentence = ""
        last = place == len(rules.rules) - 1
        name = stage_name(rule.stage)
        rows.append({"stage": rule.stage.value, "name": name, "sentence": sentence, "first": not place, "last": last})
    rows.append({"stage": rules.rest.value, "name": stage_name(rules.rest), "rest": True})
    return rows


@require_http_methods(["GET", "POST"])
def rules_page(request: HttpRequest) -> HttpResponse:
    """POST: back to the defaults."""
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    if request.method == "POST":
        _store(request, DEFAULTS)
        return redirect("audiences:stage_rules")
    return _rules_shown(request)


def _rules_shown(request: HttpRequest, *, replacing: Replacing | None = None) -> HttpResponse:
    version = rules_in_force(StandingKind.STAGES)
    rules = stage_rules_of(version)
    missing = [{"stage": stage.value, "name": stage_name(stage)} for stage in Stage if stage not in rules.stages]
    context = {
        "rules": _rules(rules),
        "missing": missing,
        "version": version,
        "is_default": rules == DEFAULTS,
        "replacing": replacing,
    }
    return render(request, "audiences/stage_rules.html", context, status=422 if replacing else 200)


@require_http_methods(["GET", "POST"])
def rule_edit(request: HttpRequest, stage: str) -> HttpResponse:
    actor_of(request).require(Permission.AUDIENCE_EDIT)
    wanted, rules = _stage(stage), stage_rules()
    if wanted is rules.rest:
        raise Http404
    present = next((rule.tree for rule in rules.rules if rule.stage is wanted), None)
    text, problems = json.dumps(present, ensure_ascii=False) if present else "", []
    if request.method == "POST":
        text = request.POST.get("tree", "")
        try:
            stage_rules_change(actor=actor_of(request), rules=_with(rules, wanted, tree_from(text)))
        except BadTree as error:
            problems = as_json(error.problems)
        except BadValue as error:
            problems = [{"message": error.message}]
        else:
            messages.success(request, _("Saved. Everybody is held against the new rules within seconds."))
            return redirect("audiences:stage_rules")
    context = {"name": stage_name(wanted), "stage": wanted.value, "tree": text, "problems": problems}
    return render(request, "audiences/stage_rule.html", context, status=422 if problems else 200)


def _with(rules: StageRules, stage: Stage, tree: Any) -> StageRules:
    made = StageRule(stage, tree)
    if all(rule.stage is not stage for rule in rules.rules):
        return replace(rules, rules=(*rules.rules, made))
    return replace(rules, rules=tuple(made if rule.stage is stage else rule for rule in rules.rules))


@require_POST
def order(request: HttpRequest) -> HttpResponse:
    """Move a rule up or down, or leave a stage out; what names it is then shown, with what may take its place."""
    actor_of(request).require(Permission.AUDIENCE_EDIT)
    stage, to, rules = _stage(request.POST.get("stage", "")), request.POST.get("to", ""), stage_rules()
    items = list(rules.rules)
    place = next((number for number, rule in enumerate(items) if rule.stage is stage), None)
    if place is None:
        raise Http404
    other = place - 1 if to == "up" else place + 1
    if to == "out":
        del items[place]
    elif to in {"up", "down"} and 0 <= other < len(items):
        items[place], items[other] = items[other], items[place]
    if tuple(items) != rules.rules:
        try:
            _store(request, replace(rules, rules=tuple(items)))
        except InUse as error:
            return _rules_shown(request, replacing=_replacing(request, error, stage, items, rules.rest))
    return redirect("audiences:stage_rules")


def _replacing(request: HttpRequest, error: InUse, stage: Stage, left: Sequence[StageRule], rest: Stage) -> Replacing:
    counts = stage_counts(actor=actor_of(request))
    return Replacing.of(
        request,
        error,
        names={stage.value: stage_name(stage)},
        sizes={key.value: size for key, size in counts.sizes.items()},
        choices=[(one.value, stage_name(one)) for one in (*(rule.stage for rule in left), rest)],
        hidden={"stage": stage.value, "to": "out"},
    )


def _store(request: HttpRequest, rules: StageRules) -> None:
    """Raises InUse."""
    try:
        stage_rules_change(actor=actor_of(request), rules=rules, replace=replacements(request))
    except (BadTree, BadValue):
        messages.error(request, _("A rule is no longer right; mend it first."))
    else:
        messages.success(request, _("Saved. Everybody is held against the new rules within seconds."))


def _stage(text: str) -> Stage:
    try:
        return Stage(text)
    except ValueError:
        raise Http404 from None

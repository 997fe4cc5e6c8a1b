"""Rules of tags: writing one, the MECE check of a group with its fixes, publishing and undoing."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree, BadValue, NotFound
from hongyan.audience.models import RuleChange, Tag, TagGroup, TagRule
from hongyan.audience.people import Person, people_of
from hongyan.audience.segments import explain
from hongyan.audience.tagging.mece import (
    Combination,
    Fix,
    Report,
    fix_apply,
    fix_order,
    fix_rest,
    report_of_group,
)
from hongyan.audience.tagging.rules import (
    UNDOABLE,
    rule_change_undo,
    rule_discard,
    rule_draft,
    rule_of,
    rule_withdraw,
    rules_publish,
    tree_of,
)
from hongyan.audience.tagging.taxonomy import tag_move
from hongyan.web.audiences.common import actor_of, as_json, language, tree_from
from hongyan.web.audiences.words import group_name, tag_name

FIXES: Final = {"order": fix_order, "rest": fix_rest}
_STEPS: Final = 10  # shades of the matrix
_MOST_COMBINATIONS: Final = 8


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    tag = tag_or_404(public_id)
    rule = rule_of(tag)
    text = json.dumps(tree_of(rule), ensure_ascii=False) if rule else ""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        text = request.POST.get("tree", "")
        try:
            made = rule_draft(actor=actor, tag=tag, tree=tree_from(text))
        except BadTree as error:
            problems = as_json(error.problems)
        else:
            messages.success(request, _("Draft saved") if made.draft is not None else _("Nothing changed"))
            if tag.group.exclusive:
                return redirect("audiences:group_check", tag.group.public_id)
            return redirect("audiences:tag_edit", public_id)
    context = {"tag": tag, "name": tag_name(tag), "tree": text, "problems": problems}
    return render(request, "audiences/rule_edit.html", context, status=422 if problems else 200)


@require_POST
def publish_tag(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Of a group that is not exclusive; an exclusive one is published as a whole."""
    tag = tag_or_404(public_id)
    if tag.group.exclusive:
        return redirect("audiences:group_check", tag.group.public_id)
    try:
        made = rules_publish(actor=actor_of(request), group=tag.group, tags=[tag])
    except BadTree:
        messages.error(request, _("The rule is no longer right; mend it first."))
    else:
        if made:
            messages.success(request, _("Published. The tag follows the rule within seconds."))
    return redirect("audiences:tag_edit", public_id)


@require_POST
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    rule_withdraw(actor=actor_of(request), tag=tag_or_404(public_id))
    messages.success(request, _("Withdrawn. Who holds the tag keeps it; from now on people decide."))
    return redirect("audiences:tag_edit", public_id)


@require_POST
def discard(request: HttpRequest, public_id: UUID) -> HttpResponse:
    rule_discard(actor=actor_of(request), tag=tag_or_404(public_id))
    messages.success(request, _("Draft discarded"))
    return redirect("audiences:tag_edit", public_id)


@require_POST
def move(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One place up or down in its group: earlier rules come first."""
    tag = tag_or_404(public_id)
    tag_move(actor=actor_of(request), tag=tag, up=request.POST.get("to") == "up")
    return redirect("audiences:group_check", tag.group.public_id)


@require_safe
def check_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    group = group_or_404(public_id)
    context: dict[str, Any] = {"group": group, "name": group_name(group), "problems": []}
    try:
        known = catalogue_now()
        found, report = report_of_group(actor=actor, group=group, catalogue=known)
        context |= _checked(actor, group, found, report, known)
        context["fix"] = _shown(actor, group, request.GET.get("fix", ""), found, known)
    except BadTree as error:
        context["problems"] = as_json(error.problems)
    except BadValue as error:
        context["problems"] = [{"message": error.message}]
    changes = RuleChange.objects.filter(group=group).order_by("-at", "-id")[:12]
    context["changes"] = [
        {"change": change, "words": _WORDS[RuleChange.Action(change.action)](), "can_undo": change.action in UNDOABLE}
        for change in changes
    ]
    ruled = TagRule.objects.filter(tag__group=group).values("tag_id")  # a part of the next question
    context["without"] = [{"tag": tag, "name": tag_name(tag)} for tag in group.tags.exclude(pk__in=ruled)]
    return render(request, "audiences/check.html", context)


_WORDS: Final = {
    RuleChange.Action.EDIT: lambda: _("Rule edited"),
    RuleChange.Action.ORDER: lambda: _("Put in order"),
    RuleChange.Action.REST: lambda: _("Tag for the others made"),
    RuleChange.Action.PUBLISH: lambda: _("Published"),
    RuleChange.Action.WITHDRAW: lambda: _("Withdrawn"),
    RuleChange.Action.REPLACE: lambda: _("Stage or tier replaced"),
}


def _checked(actor: Actor, group: TagGroup, found: list[TagRule], report: Report, known: Catalogue) -> dict[str, Any]:
    names = [tag_name(rule.tag) for rule in found]
    drafts = [rule for rule in found if rule.draft is not None]
    overlaps = report.overlaps[:_MOST_COMBINATIONS]
    people = {one.id: one for one in people_of(actor, [pk for found in (*overlaps, report.gap) for pk in found.sample])}
    return {
        "report": report,
        "once": sum(one.size for one in report.combinations if len(one.places) == 1),
        "rules": [_row(rule, place, report, known) for place, rule in enumerate(found)],
        "matrix": _matrix(report, names) if len(found) > 1 else None,
        "overlaps": [_combination(one, names, people) for one in overlaps],
        "gap": _combination(report.gap, names, people),
        "drafts": len(drafts),
        "may_publish": bool(drafts) and not (group.exclusive and report.overlap),
        "live": any(rule.live is not None for rule in found),
    }


def _row(rule: TagRule, place: int, report: Report, known: Catalogue) -> dict[str, Any]:
    return {
        "rule": rule,
        "tag": rule.tag,
        "name": tag_name(rule.tag),
        "sentence": explain(tree_of(rule), language(), catalogue=known),
        "size": report.size(place),
        "only": report.only(place),
        "state": state_words(rule),
        "first": place == 0,
        "last": place == report.rules - 1,
    }


def state_words(rule: TagRule) -> dict[str, str]:
    """As a pill: tone, icon, label."""
    if rule.problem:
        label = _("Asks for itself") if rule.problem == "circle" else _("No longer right")
        return {"tone": "bad", "icon": "alert-triangle", "label": label}
    if rule.live is None:
        return {"tone": "quiet", "icon": "pencil", "label": _("Draft")}
    if rule.draft is not None:
        return {"tone": "info", "icon": "pencil", "label": _("Live, with a draft")}
    if rule.applied_at is None:
        return {"tone": "busy", "icon": "loader", "label": _("Being applied")}
    return {"tone": "ok", "icon": "activity", "label": _("Live")}


def _matrix(report: Report, names: list[str]) -> dict[str, Any]:
    sizes = report.matrix()
    rows = []
    for row, line in enumerate(sizes):
        own, cells = line[row], []
        for column, size in enumerate(line):
            share = size / own if own else 0.0
            step = 0 if not size else max(1, round(share * _STEPS))
            cells.append({"same": row == column, "size": size, "share": share, "step": step})
        rows.append({"name": names[row], "size": own, "cells": cells})
    return {"names": names, "rows": rows}


def _combination(one: Combination, names: list[str], people: Mapping[int, Person]) -> dict[str, Any]:
    return {
        "names": [names[place] for place in one.places],
        "size": one.size,
        "people": [people[pk] for pk in one.sample if pk in people],
    }


# ——— fixes


def _shown(actor: Actor, group: TagGroup, kind: str, rules: list[TagRule], known: Catalogue) -> dict[str, Any] | None:
    """A fix as it would be, with a seal of what was shown."""
    if kind not in FIXES:
        return None
    fix_found = FIXES[kind](actor=actor, group=group, catalogue=known, rules=rules)
    places = {key: place for place, key in enumerate(fix_found.keys)}
    return {
        "kind": kind,
        "seal": _seal(fix_found),
        "report": fix_found.report,
        "rows": [
            {
                "name": known.tags[key].label.text(language()) if key in known.tags else _("Others"),
                "sentence": explain(tree, language(), catalogue=known),
                "size": fix_found.report.size(places[key]),
            }
            for key, tree in fix_found.trees.items()
        ],
    }


def _seal(found: Fix) -> str:
    return hashlib.sha256(json.dumps(found.trees, sort_keys=True).encode()).hexdigest()[:32]


@require_POST
def fix(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Apply what was shown, if that is still what the fix would do."""
    actor, group = actor_of(request), group_or_404(public_id)
    actor.require(Permission.AUDIENCE_EDIT)
    kind = request.POST.get("fix", "")
    if kind not in FIXES:
        raise Http404
    try:
        found = FIXES[kind](actor=actor, group=group)
        if _seal(found) != request.POST.get("seal", ""):
            messages.error(request, _("The rules changed meanwhile; look at the fix again."))
            return redirect(f"{reverse('audiences:group_check', args=[public_id])}?fix={kind}")
        fix_apply(actor=actor, group=group, fix=found)
    except BadTree as error:
        messages.error(request, error.problems[0].message)
    else:
        messages.success(request, _("Applied to the drafts; it can be undone below."))
    return redirect("audiences:group_check", public_id)


@require_POST
def publish_group(request: HttpRequest, public_id: UUID) -> HttpResponse:
    group = group_or_404(public_id)
    try:
        made = rules_publish(actor=actor_of(request), group=group, tags=list(group.tags.all()))
    except BadTree:
        messages.error(request, _("A rule is no longer right; mend it first."))
    except BadValue as error:
        messages.error(request, error.message)
    else:
        text = ngettext("%(n)d rule published", "%(n)d rules published", len(made))
        messages.success(request, text % {"n": len(made)})
    return redirect("audiences:group_check", public_id)


@require_POST
def undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        change = rule_change_undo(actor=actor_of(request), public_id=public_id)
    except NotFound:
        raise Http404 from None
    except BadValue as error:
        messages.error(request, error.message)
        change = RuleChange.objects.select_related("group").get(public_id=public_id)
    else:
        messages.success(request, _("Undone"))
    return redirect("audiences:group_check", change.group.public_id)


def tag_or_404(public_id: UUID) -> Tag:
    tag = Tag.objects.select_related("group").filter(public_id=public_id).first()
    if tag is None:
        raise Http404
    return tag


def group_or_404(public_id: UUID) -> TagGroup:
    group = TagGroup.objects.filter(public_id=public_id).first()
    if group is None:
        raise Http404
    return group


def create_url(tree: Any) -> str:
    """A new audience that begins with this description."""
    return f"{reverse('audiences:create')}?tree={quote(json.dumps(tree, ensure_ascii=False))}"

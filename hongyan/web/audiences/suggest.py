"""Suggested audiences: asking for them, watching the work, reading what was found, keeping one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree, BadValue, NotFound
from hongyan.audience.models_suggest import SuggestionRun
from hongyan.audience.segments import explain
from hongyan.audience.suggest.runs import (
    suggestion_by_id,
    suggestion_runs,
    suggestion_save,
    suggestion_start,
)
from hongyan.jobs.errors import JobNotFound
from hongyan.jobs.services import job_cancel
from hongyan.web import figures
from hongyan.web.audiences.common import actor_of, language


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.AUDIENCE_EDIT)
    if request.method == "POST":
        return _start(request)
    known = catalogue_now()
    asked = request.GET.get("target", "")
    context = {
        "groups": [
            (
                _("Saved audiences"),
                [(f"audience:{public_id}", spec.name) for public_id, spec in known.audiences.items()],
            ),
            (_("Lists"), [(f"list:{public_id}", spec.name) for public_id, spec in known.lists.items()]),
            (_("Tags"), [(f"tag:{key}", spec.label.text(language())) for key, spec in known.tags.items()]),
        ],
        "asked": asked,
        "runs": [{"run": run, "title": _title(run)} for run in suggestion_runs(actor=actor)],
    }
    return render(request, "audiences/suggest.html", context)


def _start(request: HttpRequest) -> HttpResponse:
    kind = request.POST.get("kind", "")
    if kind not in SuggestionRun.Kind.values:
        messages.error(request, _("Choose what to look for."))
        return redirect("audiences:suggest")
    try:
        run = suggestion_start(
            actor=actor_of(request),
            kind=SuggestionRun.Kind(kind),
            target=request.POST.get("target", "")[:120],
            with_kin=request.POST.get("with_kin") == "on",
        )
    except NotFound:
        messages.error(request, _("Choose a group of people."))
        return redirect("audiences:suggest")
    except BadTree:
        messages.error(request, _("The definition is no longer right"))
        return redirect("audiences:suggest")
    return redirect("audiences:suggestion", run.public_id)


@require_safe
def page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    run = _run(request, public_id)
    part = request.GET.get("part") == "progress"
    if part and run.finished_at is None and run.job is not None and not run.job.ended:
        return render(request, "audiences/suggest_progress.html", {"run": run})
    if part:  # it has ended meanwhile: the whole page has something else to show
        answer = HttpResponse(status=204)
        answer["HX-Refresh"] = "true"
        return answer
    context = {"run": run, "title": _title(run), "look_alike": run.kind == SuggestionRun.Kind.LOOK_ALIKE}
    if run.found:
        context |= _found(run.found, catalogue_now())
    return render(request, "audiences/suggestion.html", context)


@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    run = _run(request, public_id)
    if run.job is not None:
        try:
            job_cancel(actor=actor_of(request), job_id=run.job.pk)
        except JobNotFound:
            messages.error(request, _("Only who started it can cancel it."))
    return redirect("audiences:suggestion", public_id)


@require_POST
def save(request: HttpRequest, public_id: UUID, place: int) -> HttpResponse:
    run = _run(request, public_id)
    try:
        made = suggestion_save(actor=actor_of(request), run=run, place=place, name=request.POST.get("name", ""))
    except NotFound:
        raise Http404 from None
    except BadValue as error:
        messages.error(request, error.message)
    except BadTree:
        messages.error(request, _("It speaks of something that no longer exists. Look for suggestions again."))
    else:
        messages.success(request, _("Saved"))
        return redirect("audiences:audience", made.public_id)
    return redirect("audiences:suggestion", public_id)


def _run(request: HttpRequest, public_id: UUID) -> SuggestionRun:
    actor_of(request).require(Permission.AUDIENCE_EDIT)
    try:
        return suggestion_by_id(actor=actor_of(request), public_id=public_id)
    except NotFound:
        raise Http404 from None


def _title(run: SuggestionRun) -> str:
    name = run.target_name or _("everyone")
    if run.kind == SuggestionRun.Kind.LOOK_ALIKE:
        return _("People like “%(name)s”") % {"name": name}
    return _("Groups among %(name)s") % {"name": name}


def _found(found: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    population = found.get("population", 0)
    shown = [_shown(place, item, population, catalogue) for place, item in enumerate(found["suggestions"])]
    chart = {
        "categories": [item["name"] for item in shown],
        "series": [{"name": _("Contacts"), "values": [item["item"]["size"] for item in shown]}],
        "unit": "",
    }
    exact = all(item["item"].get("exact") for item in shown)
    return {"suggestions": shown, "found": found, "exact": exact, "chart": chart if len(shown) > 1 else None}


def _shown(place: int, item: dict[str, Any], population: int, catalogue: Catalogue) -> dict[str, Any]:
    chinese = language() == "zh-hans"
    try:
        sentence = explain(item["tree"], language(), catalogue=catalogue)
    except BadTree:
        sentence = ""
    return {
        "place": place,
        "item": item,
        "name": item["name_zh"] if chinese else item["name_en"],
        "sentence": sentence,
        "share": item["size"] / population if population else 0.0,
        "precision": _measured(item, "found", item.get("unseen_precision")),
        "recall": _measured(item, "own", item.get("unseen_recall")),
        "differences": [_difference(row, chinese=chinese) for row in item["differences"]],
    }


def _measured(item: dict[str, Any], whole: str, unseen: float | None) -> dict[str, Any] | None:
    """What a share was counted of, and where not over everybody its interval. None: found by an earlier version."""
    if "hits" not in item:
        return None
    low, high = (None, None) if item["exact"] else figures.wilson(item["hits"], item[whole])
    return {"part": item["hits"], "whole": item[whole], "low": low, "high": high, "unseen": unseen}


def _difference(row: dict[str, Any], *, chinese: bool) -> dict[str, Any]:
    return {
        "label": row["label_zh"] if chinese else row["label_en"],
        "here": _amount(row["kind"], row["here"]),
        "everyone": _amount(row["kind"], row["everyone"]),
        "more": row["more"],
    }


def _amount(kind: str, value: float | None) -> str:
    if value is None:
        return figures.DASH
    match kind:
        case "flag":
            return figures.percent(value)
        case "ago":
            return _("%(days)s days ago") % {"days": figures.number(round(value))}
        case _:
            return figures.number(round(value, 1))

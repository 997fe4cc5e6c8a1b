"""Looking for duplicates: what the last run found, the thresholds, and starting a run."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.identity import review
from hongyan.identity.models import Model, Run
from hongyan.jobs.models import Job
from hongyan.jobs.registry import known_kind
from hongyan.jobs.services import job_start
from hongyan.jobs.states import ENDED
from hongyan.web.identity.shared import actor_of

KIND = "identity_run"
RETRY = "identity_merge_failed"
TARGETS = (0.9999, 0.999, 0.995, 0.99)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    runs = Run.objects.exclude(kind=Run.Kind.FILES).select_related("job", "model").order_by("-id")[:30]
    return render(
        request,
        "identity/runs.html",
        {
            "runs": runs,
            "model": Model.objects.order_by("-version").first(),
            "targets": TARGETS,
            "total": review.open_count(actor=actor),
            "failed": review.failed_count(actor=actor),
            "retrying": _under_way(RETRY),
            "may_decide": actor.may(Permission.CONTACT_IDENTITY),
            **run_facts(actor),
        },
    )


@require_GET
def progress(request: HttpRequest) -> HttpResponse:
    """The fragment that a running run shows; asks again while it runs."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    facts = run_facts(actor)
    answer = render(request, "identity/parts/run.html", {**facts, "asked": True})
    if facts["running"] is None:
        answer.headers["HX-Refresh"] = "true"
    return answer


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    if run_facts(actor)["running"] is not None:
        messages.info(request, _("A run is under way already."))
        return redirect("identity:runs")
    try:
        target = float(request.POST.get("target", ""))
    except ValueError:
        target = TARGETS[1]
    params = {"kind": str(Run.Kind.FULL), "precision_target": target if target in TARGETS else TARGETS[1]}
    job_start(actor=actor, kind=KIND, params=params)
    messages.success(request, _("The run has begun. You can leave this page; pairs appear when it is done."))
    return redirect("identity:runs")


@require_POST
def retry_failed(request: HttpRequest) -> HttpResponse:
    """Merge again what a run could not merge: all of it, as a job."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_MERGE)
    actor.require(Permission.CONTACT_IDENTITY)
    if _under_way(RETRY) is None:
        job_start(actor=actor, kind=RETRY, params={"by": actor.label[:120]})
    messages.success(request, _("The failed merges are being tried again. What works appears in the list of merges."))
    return redirect("identity:runs")


def _under_way(kind: str) -> Job | None:
    return Job.objects.filter(kind=kind).exclude(state__in=ENDED).order_by("-id").first()


def run_facts(actor: Actor) -> dict[str, Any]:
    """running: the job under way, or None. last: the last run that came to its end."""
    running = _under_way(KIND)
    last = review.last_run(actor=actor)
    return {"running": running, "last": last, "can_run": known_kind(KIND) is not None}

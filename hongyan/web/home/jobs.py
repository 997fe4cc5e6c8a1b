"""Background work: what runs, how far it is, and stopping it. Job rows come from the jobs room."""

from collections.abc import Callable
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from hongyan.accounts.types import Actor
from hongyan.jobs import selectors, services
from hongyan.jobs.errors import JobNotFound
from hongyan.jobs.models import Job
from hongyan.jobs.registry import known_kind
from hongyan.web.home.acting import actor_of

ACTS: dict[str, Callable[..., Job]] = {
    "cancellation": services.job_cancel,
    "pause": services.job_pause,
    "resumption": services.job_resume,
    "retrial": services.job_retry,
}


@require_GET
def tray(request: HttpRequest) -> HttpResponse:
    """The chip in the top bar; it asks again by itself, often while something runs."""
    running = selectors.jobs_running(actor=actor_of(request))
    return render(request, "home/jobs_tray.html", {"jobs": running, "first": running[0] if running else None})


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    template = "home/jobs_table.html" if request.headers.get("HX-Request") else "home/jobs.html"
    return render(request, template, _context(actor_of(request)))


@require_POST
def act(request: HttpRequest, public_id: UUID, name: str) -> HttpResponse:
    actor = actor_of(request)
    try:
        job = selectors.job_by_public_id(actor=actor, public_id=public_id)
        ACTS[name](actor=actor, job_id=job.pk)
    except (JobNotFound, KeyError) as error:
        raise Http404 from error
    if request.headers.get("HX-Request"):
        return render(request, "home/jobs_table.html", _context(actor))
    return redirect("home:jobs")


def _context(actor: Actor) -> dict[str, object]:
    jobs = selectors.jobs_recent(actor=actor, limit=50)
    resumable = {kind.name for job in jobs if (kind := known_kind(job.kind)) is not None and kind.resumable}
    return {"jobs": jobs, "running": any(not job.ended for job in jobs), "resumable": resumable}

"""How the installation is doing: workers, queues, jobs, disk, database, versions."""

import platform
import shutil
from datetime import timedelta
from importlib.metadata import version
from uuid import UUID

import django
from django.conf import settings
from django.contrib import messages
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

import hongyan
from hongyan.accounts.errors import NotFound
from hongyan.accounts.permissions import Permission
from hongyan.audit.services import record
from hongyan.delivery.selectors import queue_levels, throttles
from hongyan.events.history.selectors import status as history_status
from hongyan.jobs import selectors as jobs
from hongyan.jobs.registry import periodic_work
from hongyan.jobs.services import job_cancel, job_pause, job_resume, job_retry, job_start
from hongyan.web.settings.common import acting, needs
from hongyan.web.settings.lanes import lanes

ACTS = {"cancellation": job_cancel, "pause": job_pause, "resumption": job_resume, "retrial": job_retry}


@require_safe
@needs(Permission.SYSTEM_VIEW)
def index(request: HttpRequest) -> HttpResponse:
    actor = acting(request)
    now = timezone.now()
    disk = shutil.disk_usage(settings.HONGYAN_DATA_DIR)
    alive_since = now - timedelta(seconds=jobs.ALIVE_S)
    context = {
        "workers": [(worker, worker.beat_at >= alive_since) for worker in jobs.workers()],
        "alive": jobs.workers_alive(),
        "queues": jobs.queue_depths(),
        "running": jobs.jobs_running(actor=actor),
        "failed": jobs.jobs_failed(actor=actor, since=now - timedelta(days=30)),
        "levels": queue_levels(actor=actor),
        "throttles": throttles(actor=actor),
        "disk_free": disk.free,
        "disk_total": max(1, round(disk.total / 1e9)),
        "disk_used": round((disk.total - disk.free) / 1e9),
        "disk_low": disk.free < settings.HONGYAN_MIN_FREE_MB * 2**20,
        "disk_floor": settings.HONGYAN_MIN_FREE_MB * 2**20,
        "history": history_status(),
        "lanes": lanes(now=now),
        **_sizes(),
        "periodic": periodic_work(),
        "versions": _versions(),
    }
    return render(request, "settings/system.html", context)


@require_POST
@needs(Permission.SYSTEM_VIEW)
def job_act(request: HttpRequest, public_id: UUID, act: str) -> HttpResponse:
    """Cancel, pause, resume or start again one job: one's own, or any for administrators."""
    if act not in ACTS:
        raise NotFound
    job = jobs.job_by_public_id(actor=acting(request), public_id=public_id)
    ACTS[act](actor=acting(request), job_id=job.pk)
    messages.success(request, _("Done"))
    return redirect("settings:system")


@require_POST
@needs(Permission.SETTINGS_EDIT)
def demo_removal(request: HttpRequest) -> HttpResponse:
    """The invented people, what they did and the campaigns to them; whatever others made stays."""
    actor = acting(request)
    job = job_start(actor=actor, kind="demo_remove", params={})
    record(actor=actor, action="demo.removed", subject_kind="job", subject_id=str(job.public_id))
    messages.success(request, _("The demo data is being removed."))
    return redirect("settings:system")


def _sizes() -> dict[str, int]:
    """What can be counted in one question."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()), (SELECT count(*) FROM audit_auditentry WHERE seq IS NULL), "
            "(SELECT count(*) FROM contacts_contact WHERE is_demo)"
        )
        size, unsealed, demo = cursor.fetchone()
    return {"database_size": size, "unsealed": unsealed, "demo_people": demo}


def _versions() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = str(cursor.fetchone()[0])
    return [
        ("Hongyan", hongyan.__version__),
        ("PostgreSQL", postgres.split(" ", maxsplit=1)[0]),
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        ("procrastinate", version("procrastinate")),
        ("granian", version("granian")),
    ]

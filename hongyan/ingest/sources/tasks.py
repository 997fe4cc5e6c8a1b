"""Job shells: the runs of sources, the clock that starts them, the watch over those that are late."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.core.clock import now
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.models_sources import Source, SourceRun
from hongyan.ingest.quarantine import QuarantineFilter, quarantine_retry_matching
from hongyan.ingest.sources import runner
from hongyan.ingest.sources.errors import SourceBusy, SourceFailed, SourceRefused
from hongyan.ingest.sources.types import RunState, SourceState
from hongyan.jobs.errors import JobCancelled, JobFailed, JobStopped
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic


@job_kind("source_run", title=_("Scheduled source"), resumable=True, max_attempts=20)
def run_source(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    run_id = params["run_id"]

    def progress(read: int) -> None:
        handle.advance(handle.done if read < 0 else read)

    try:
        run = runner.source_run(run_id, progress)
    except JobCancelled:
        runner.run_cancelled(run_id)
        raise
    except (JobStopped, SourceBusy):
        raise
    except SourceFailed as error:
        runner.run_failed(run_id, error)
        raise JobFailed(error.code) from None
    except (SourceRefused, IngestRefused) as error:
        runner.run_failed(run_id, SourceFailed(error.code, permanent=True))
        raise JobFailed(error.code) from None
    except Exception as error:
        runner.run_failed(run_id, SourceFailed("unexpected", type(error).__name__))
        raise
    handle.advance(run.read, run.read)
    return {"read": run.read, "created": run.created, "changed": run.changed, "quarantined": run.quarantined}


@job_kind("quarantine_retry", title=_("Retry of quarantined records"), resumable=True)
def retry_quarantine(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    filters = QuarantineFilter(**{name: str(value) for name, value in params.items()})
    counts = quarantine_retry_matching(actor=system_actor("quarantine retry"), filters=filters, handle=handle)
    return {"taken": counts.taken, "refused": counts.refused}


@periodic(cron="* * * * *", name="ingest.sources_due")
def start_due() -> int:
    """Start what is due. A run that is still going on is not started again; its next time is the one after."""
    from hongyan.ingest.sources.services import run_begin

    _close_orphans()
    started = 0
    with transaction.atomic():
        due = (
            Source.objects.select_for_update(skip_locked=True)
            .filter(state=SourceState.ACTIVE, next_run_at__lte=now(), archived_at=None)
            .order_by("next_run_at")[:100]
        )
        for source in due:
            source.next_run_at = runner.next_planned(source, now())
            source.save(update_fields=["next_run_at"])
            started += run_begin(source, actor=system_actor("schedule")) is not None
    runner.late_check(now())
    return started


def _close_orphans() -> None:
    """Runs whose job is gone for good: given up after its worker died again and again, or cancelled while it waited."""
    for run in SourceRun.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).select_related("job"):
        if run.job is None or (run.job.ended and run.job.state == "cancelled"):
            runner.run_cancelled(run.pk)
        elif run.job.ended:
            runner.run_failed(run.pk, SourceFailed(run.job.error_code or "worker_lost"))

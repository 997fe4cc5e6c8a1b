"""The one task that runs any kind of job, and this room's own periodic work."""

from datetime import timedelta

from django.db import close_old_connections, connection
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from hongyan.jobs import stopping
from hongyan.jobs.models import Job, Worker
from hongyan.jobs.registry import periodic
from hongyan.jobs.runner import job_run
from hongyan.jobs.services import TASK_NAME
from hongyan.jobs.states import ENDED

KEEP_JOBS = timedelta(days=365)  # run logs are kept at least six months (product 9.7)
KEEP_ENTRIES = timedelta(days=30)


@app.task(name=TASK_NAME, queue="jobs", pass_context=True)
def run_job(context: JobContext, *, job_id: int) -> None:
    del context
    close_old_connections()
    job_run(job_id=job_id, should_stop=stopping.wanted)


@periodic(cron="17 3 * * *")
def jobs_sweep() -> None:
    """Forget old jobs, old entries of the queue, and workers long silent."""
    now = timezone.now()
    Job.objects.filter(state__in=sorted(ENDED), finished_at__lt=now - KEEP_JOBS).delete()
    Worker.objects.filter(beat_at__lt=now - timedelta(days=1)).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs q WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted') AND NOT "
            "EXISTS (SELECT 1 FROM procrastinate_events e WHERE e.job_id = q.id AND e.at > %s)",
            [now - KEEP_ENTRIES],
        )

"""Acts on jobs. A job is queued in the caller's transaction: a worker sees it exactly when the caller has committed."""

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import Job as QueueEntry
from procrastinate.manager import JobManager

from hongyan.core.sql import statement
from hongyan.jobs.errors import JobNotFound
from hongyan.jobs.models import Job
from hongyan.jobs.registry import kind_of, known_kind
from hongyan.jobs.selectors import job_visible
from hongyan.jobs.states import ENDED, JobInput, JobState, after
from hongyan.jobs.types import ActorLike

TASK_NAME = "hongyan.job"


def job_start(
    *, actor: ActorLike, kind: str, params: dict[str, Any], title: str = "", title_params: dict[str, Any] | None = None
) -> Job:
    """title: a msgid marked with ``gettext_noop``, shown in the reader's language; empty uses the kind's.

    params, title_params: small JSON: ids, counts, names of things, never of people. Raises UnknownJobKind.
    """
    kind_of(kind)
    with transaction.atomic():
        job = Job.objects.create(
            kind=kind,
            params=params,
            title=title,
            title_params=title_params or {},
            owner_id=actor.id if actor.kind == "user" else None,
        )
        enqueue(job.pk)
    return job


def job_cancel(*, actor: ActorLike, job_id: int) -> Job:
    """A running job stops at its next ``advance``; a waiting or paused one at once. An ended one stays as it is."""

    def wish(job: Job) -> None:
        if job.state == JobState.RUNNING:
            job.cancel_requested = True
        else:
            apply(job, JobInput.CANCEL)

    return _change(actor, job_id, wish)


def job_pause(*, actor: ActorLike, job_id: int) -> Job:
    """Only resumable kinds pause; others go on."""

    def wish(job: Job) -> None:
        kind = known_kind(job.kind)
        if kind is None or not kind.resumable:
            return
        if job.state == JobState.RUNNING:
            job.pause_requested = True
        else:
            apply(job, JobInput.PAUSE)

    return _change(actor, job_id, wish)


def job_resume(*, actor: ActorLike, job_id: int) -> Job:
    def wish(job: Job) -> None:
        job.pause_requested = False
        if apply(job, JobInput.RESUME):
            enqueue(job.pk)

    return _change(actor, job_id, wish)


def job_retry(*, actor: ActorLike, job_id: int) -> Job:
    def wish(job: Job) -> None:
        if apply(job, JobInput.RETRY):
            job.cancel_requested = job.pause_requested = False
            enqueue(job.pk)

    return _change(actor, job_id, wish)


def _change(actor: ActorLike, job_id: int, wish: Callable[[Job], None]) -> Job:
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None or not job_visible(actor, job):
            raise JobNotFound
        wish(job)
        job.save(update_fields=["state", "finished_at", "cancel_requested", "pause_requested", "error_code"])
    return job


def apply(job: Job, given: JobInput) -> bool:
    """Move the (locked) job by the table; False when the input does nothing here. The caller saves."""
    state = after(JobState(job.state), given)
    if state is None:
        return False
    job.state = state
    job.finished_at = timezone.now() if state in ENDED else None
    return True


def enqueue(job_id: int) -> None:
    """Put an entry into the queue on Django's own connection, so that it is part of the open transaction."""
    entry = QueueEntry(
        queue="jobs", task_name=TASK_NAME, task_kwargs={"job_id": job_id}, lock=f"job:{job_id}", queueing_lock=None
    )
    JobManager(DjangoConnector()).defer_job(entry)


def jobs_rescue(*, silent_s: float = 20.0) -> int:
    """Take up what dead workers left: resumable jobs and periodic work again, others failed. Returns how many.

    silent_s: a worker that has not said it lives for so long counts as dead (it says so every 5 s).
    """
    rescued = 0
    with transaction.atomic():
        for entry_id, attempts, job_id, waits in _rows("stalled", silent_s=silent_s):
            again = _rescue_job(job_id) if job_id is not None else attempts < 3 and not waits
            _rows("entry_again" if again else "entry_end", entry_id=entry_id)
            rescued += 1
        for (job_id,) in _rows("orphans"):
            if _rescue_job(job_id):
                enqueue(job_id)
            rescued += 1
    return rescued


def _rescue_job(job_id: int) -> bool:
    """Whether its queue entry should be delivered again."""
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None or job.ended or job.state == JobState.PAUSED:
        return False
    if job.state == JobState.QUEUED:
        return True
    kind = known_kind(job.kind)
    if job.cancel_requested:
        apply(job, JobInput.CANCEL)
    elif kind is not None and kind.resumable and job.attempt < kind.max_attempts:
        apply(job, JobInput.REQUEUE)
    else:
        apply(job, JobInput.LOSE)
        job.error_code = "worker_lost"
    job.save(update_fields=["state", "finished_at", "error_code"])
    return job.state == JobState.QUEUED


def _rows(name: str, **values: float) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.jobs", "jobs.sql", name), values)
        return list(cursor.fetchall())

"""Reads. A job is seen by its owner and by administrators."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from hongyan.core.sql import statement
from hongyan.jobs.errors import JobNotFound
from hongyan.jobs.models import Job, Worker
from hongyan.jobs.states import ENDED, JobState
from hongyan.jobs.types import SEES_ALL_JOBS, ActorLike

ALIVE_S = 30  # a worker beats every 5 s


def job_visible(actor: ActorLike, job: Job) -> bool:
    if actor.kind == "system" or SEES_ALL_JOBS in actor.permissions:
        return True
    return actor.kind == "user" and actor.id is not None and job.owner_id == actor.id


def _visible(actor: ActorLike) -> QuerySet[Job]:
    if actor.kind == "system" or SEES_ALL_JOBS in actor.permissions:
        return Job.objects.all()
    if actor.kind == "user" and actor.id is not None:
        return Job.objects.filter(owner_id=actor.id)
    return Job.objects.none()


def jobs_running(*, actor: ActorLike) -> list[Job]:
    """Everything not ended, newest first."""
    return list(_visible(actor).exclude(state__in=sorted(ENDED)).order_by("-id")[:100])


def jobs_recent(*, actor: ActorLike, kinds: tuple[str, ...] = (), limit: int = 20) -> list[Job]:
    rows = _visible(actor).filter(kind__in=kinds) if kinds else _visible(actor)
    return list(rows.order_by("-id")[:limit])


def jobs_failed(*, actor: ActorLike, since: datetime, limit: int = 50) -> list[Job]:
    rows = _visible(actor).filter(state=JobState.FAILED, finished_at__gte=since)
    return list(rows.order_by("-finished_at")[:limit])


def job_by_public_id(*, actor: ActorLike, public_id: UUID) -> Job:
    """Raises JobNotFound."""
    job = Job.objects.filter(public_id=public_id).first()
    if job is None or not job_visible(actor, job):
        raise JobNotFound
    return job


def workers() -> list[Worker]:
    """Newest first; ``beat_at`` says which live."""
    return list(Worker.objects.order_by("-started_at"))


def workers_alive() -> int:
    return Worker.objects.filter(beat_at__gte=timezone.now() - timedelta(seconds=ALIVE_S)).count()


def queue_depths() -> list[dict[str, Any]]:
    """[{queue, state, entries, oldest}], waiting, running and failed entries of the queue."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.jobs", "jobs.sql", "queue_depths"))
        return [dict(zip(("queue", "state", "entries", "oldest"), row, strict=True)) for row in cursor.fetchall()]

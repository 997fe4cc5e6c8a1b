"""Running one job from claim to end. Called by the queue's task; tests and commands may call it directly."""

import inspect
import json
import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection, transaction

from hongyan.core.sql import statement
from hongyan.jobs.errors import JobCancelled, JobFailed, JobInterrupted, JobLost, JobPaused
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.models import Job
from hongyan.jobs.registry import JobKind, known_kind
from hongyan.jobs.services import apply, enqueue
from hongyan.jobs.states import JobInput

logger = logging.getLogger(__name__)


def job_run(*, job_id: int, should_stop: Callable[[bool], bool] = lambda _resumable: False) -> None:
    """Run the job if it is queued; otherwise do nothing. Never raises for what the kind does."""
    claimed = _claim(job_id)
    if claimed is None:
        return
    kind_name, params, attempt, done = claimed
    kind = known_kind(kind_name)
    resumable = kind is not None and kind.resumable
    handle = JobHandle(job_id=job_id, attempt=attempt, done=done, resumable=resumable, should_stop=should_stop)
    try:
        if kind is None:  # queued by a newer version of the product
            _end(handle, JobInput.FAIL, error_code="unknown_kind")
        else:
            _run(kind, handle, params)
    finally:
        handle.close()


def _claim(job_id: int) -> tuple[str, dict[str, Any], int, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.jobs", "jobs.sql", "claim"), {"id": job_id})
        row = cursor.fetchone()
    if row is None:
        return None
    params = json.loads(row[1]) if isinstance(row[1], str) else row[1]  # Django leaves jsonb as text
    return row[0], params, row[2], row[3]


def _run(kind: JobKind, handle: JobHandle, params: dict[str, Any]) -> None:
    try:
        result = _call(kind, handle, params)
        handle.finish()
    except JobLost:
        logger.warning("job_lost", extra={"job_id": handle.job_id, "attempt": handle.attempt})
    except JobCancelled:
        _end(handle, JobInput.CANCEL)
    except JobPaused:
        _end(handle, JobInput.PAUSE)
    except JobInterrupted:
        _end(handle, JobInput.REQUEUE if kind.resumable else JobInput.LOSE, error_code="interrupted")
    except JobFailed as error:
        _end(handle, JobInput.FAIL, error_code=error.code, error_message=error.message)
    except Exception as error:  # the outer loop of a worker: the job is parked with its reason, the worker goes on
        logger.exception("job_failed", extra={"job_id": handle.job_id, "kind": kind.name})
        _end(handle, JobInput.FAIL, error_code="unexpected", error_message=type(error).__name__)
    else:
        _end(handle, JobInput.SUCCEED, result=result)


def _call(kind: JobKind, handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    if inspect.iscoroutinefunction(kind.run):
        return async_to_sync(kind.run)(handle, params) or {}
    result = kind.run(handle, params)
    assert not inspect.isawaitable(result)  # noqa: S101  a coroutine function was handled above
    return result or {}


def _end(
    handle: JobHandle,
    given: JobInput,
    *,
    result: dict[str, Any] | None = None,
    error_code: str = "",
    error_message: str = "",
) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=handle.job_id, attempt=handle.attempt).first()
        if job is None or not apply(job, given):
            return  # another worker has it now
        job.done = handle.done
        job.pause_requested = False
        if result is not None:
            job.result = result
        if given in {JobInput.FAIL, JobInput.LOSE}:
            job.error_code, job.error_message = error_code[:64], error_message[:300]
        job.save()
        if given == JobInput.REQUEUE:
            enqueue(job.pk)

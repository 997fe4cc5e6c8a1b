"""The worker's job lanes: two queues of procrastinate, the heartbeat, and the rescue of what dead workers left."""

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections, connection
from procrastinate.contrib.django import app

import hongyan
from hongyan.core.sql import statement
from hongyan.jobs import stopping
from hongyan.jobs.models import Worker
from hongyan.jobs.services import jobs_rescue

logger = logging.getLogger(__name__)

BEAT_S = 5.0
SILENT_S = 20.0  # four missed beats: dead
GRACE_S = 20.0  # what cannot be resumed gets so long to end when the worker stops
QUEUES = {"jobs": 3, "periodic": 2}  # threads each; long imports must not keep periodic work waiting

_lanes: dict[str, Any] = {}


def lane_note(lane: str, **facts: object) -> None:
    """A lane of this process says what it last did (small JSON); shown on the system page with the heartbeat."""
    _lanes[lane] = facts


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


async def run_worker(stop: asyncio.Event) -> None:
    """Run until ``stop`` is set and running jobs have ended or can be gone on with by another worker."""
    stopping.reset()
    with app.replace_connector(app.connector.get_worker_connector()) as worker_app:  # type: ignore[attr-defined]
        async with worker_app.open_async():
            lanes = [asyncio.create_task(_queue(worker_app, name, threads)) for name, threads in QUEUES.items()]
            pulse = asyncio.create_task(_pulse())
            stopped = asyncio.create_task(stop.wait())
            done, _ = await asyncio.wait([*lanes, stopped], return_when=asyncio.FIRST_COMPLETED)
            await _stop(lanes, pulse, stopped)
            for lane in done - {stopped}:
                lane.result()  # a lane that ended by itself is an error: let the supervisor start us anew


async def _queue(worker_app: Any, name: str, threads: int) -> None:
    await worker_app.run_worker_async(
        queues=[name],
        name=name,
        concurrency=threads,
        install_signal_handlers=False,
        update_heartbeat_interval=BEAT_S,
        stalled_worker_timeout=SILENT_S,
        shutdown_graceful_timeout=GRACE_S,
        delete_jobs="successful",
    )


async def _stop(lanes: list[asyncio.Task[None]], pulse: asyncio.Task[None], stopped: asyncio.Task[Any]) -> None:
    stopping.ask()
    grace = asyncio.get_running_loop().call_later(GRACE_S, stopping.end_grace)
    for task in (*lanes, pulse, stopped):
        task.cancel()
    await asyncio.gather(*lanes, pulse, stopped, return_exceptions=True)
    grace.cancel()
    with contextlib.suppress(DatabaseError):
        await sync_to_async(_farewell, thread_sensitive=False)()


async def _pulse() -> None:
    while True:
        await _survive(beat)
        await _survive(_rescue)
        await asyncio.sleep(BEAT_S)


async def _survive(act: Callable[[], None]) -> None:
    """One failed beat (a database restarting) must not end the worker; the next one tells."""
    try:
        await sync_to_async(act, thread_sensitive=False)()
    except DatabaseError:
        logger.exception("worker_pulse_failed")


def beat() -> None:
    close_old_connections()
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.jobs", "jobs.sql", "beat"),
            {"name": worker_name(), "version": hongyan.__version__, "lanes": json.dumps(_lanes)},
        )


def _rescue() -> None:
    rescued = jobs_rescue(silent_s=SILENT_S)
    if rescued:
        logger.warning("jobs_rescued", extra={"rescued": rescued})


def _farewell() -> None:
    Worker.objects.filter(name=worker_name()).delete()
    connection.close()

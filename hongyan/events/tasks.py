"""Periodic work of this room, and the lane that counts what the tracking plan shows."""

import asyncio
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.core import clock
from hongyan.events.catalogue import fold
from hongyan.events.partitions import ensure_months
from hongyan.events.repeats import ensure_periods
from hongyan.events.retention import forget_old
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.lanes import keep_turning
from hongyan.jobs.registry import job_kind, periodic
from hongyan.jobs.services import job_start

AHEAD = timedelta(days=62)  # so that a worker may be away for a month


@periodic(cron="23 * * * *", name="events.partitions")
def events_partitions() -> None:
    """Before a month begins: rows that came without their partition would stay in the default one."""
    today = clock.now().date()
    ensure_months(first=today, last=today + AHEAD)
    ensure_periods(first=today, last=today + AHEAD)


@periodic(cron="41 2 * * *", name="events.retention")
def events_retention() -> None:
    job_start(actor=system_actor("retention"), kind="events_retention", params={})


@job_kind("events_retention", title=_("Deletion of old events"), resumable=True)
def run_events_retention(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Its record is the proof that the policy is kept: what was deleted, by name."""
    del params
    gone = forget_old(at=clock.now(), advance=handle.advance)
    return {"deleted": sum(gone.values()), "by_name": dict(sorted(gone.items())[:100])}


_REST_S = 1.0


async def run_catalogue(stop: asyncio.Event) -> None:
    """The lane: count until there is nothing new, rest, again."""
    await keep_turning(fold, stop, rest_s=_REST_S)

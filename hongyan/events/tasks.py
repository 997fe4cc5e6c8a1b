"""Periodic work of this room."""

from datetime import timedelta

from hongyan.core import clock
from hongyan.events.partitions import ensure_months
from hongyan.jobs.registry import periodic

AHEAD = timedelta(days=62)  # so that a worker may be away for a month


@periodic(cron="23 * * * *", name="events.partitions")
def events_partitions() -> None:
    """Before a month begins: rows that came without their partition would stay in the default one."""
    today = clock.now().date()
    ensure_months(first=today, last=today + AHEAD)

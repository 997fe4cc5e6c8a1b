"""Periodic work of this room."""

from hongyan.analytics.fold import fold
from hongyan.jobs.registry import periodic


@periodic(cron="* * * * * */5")
def analytics_fold() -> None:
    """Every five seconds: a report that is being watched follows closely; with nothing new it costs one index look-up."""
    fold()

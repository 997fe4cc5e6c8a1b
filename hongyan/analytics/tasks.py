"""Periodic work of this room."""

from hongyan.analytics.fold import fold
from hongyan.jobs.registry import periodic


@periodic(cron="* * * * * */5")
def analytics_fold() -> None:
    """A report that is being watched follows within seconds; with nothing new this costs one index look-up."""
    fold()

"""Job shells of this room."""

from hongyan.core import clock
from hongyan.delivery.partitions import ensure_upcoming
from hongyan.jobs.registry import periodic


@periodic(cron="17 1 * * *", name="delivery.partitions")
def delivery_partitions() -> None:
    """So that the first send of a month need not make its partition."""
    ensure_upcoming(clock.now().date())

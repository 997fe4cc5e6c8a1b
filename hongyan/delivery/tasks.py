"""Job shells of this room."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.core import clock
from hongyan.delivery.partitions import ensure_upcoming
from hongyan.delivery.retention import drop_old
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic
from hongyan.jobs.services import job_start


@periodic(cron="17 1 * * *", name="delivery.partitions")
def delivery_partitions() -> None:
    """So that the first send of a month need not make its partition."""
    ensure_upcoming(clock.now().date())


@periodic(cron="23 3 2 * *", name="delivery.retention")
def delivery_retention() -> None:
    job_start(actor=system_actor("retention"), kind="delivery_retention", params={})


@job_kind("delivery_retention", title=_("Deletion of old send logs"), resumable=True)
def run_delivery_retention(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Its record says which months went and how many messages they held."""
    del handle, params
    dropped = drop_old()
    return {"deleted": sum(dropped.values()), "months": dropped}

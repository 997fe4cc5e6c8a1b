"""Jobs and periodic work of this room; each is a shell around one service."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.campaigns import follow, sending
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic


@job_kind(sending.FREEZE_JOB, title=_("Preparing recipients"), resumable=True)
def campaign_freeze(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """All recipients in one transaction: a worker that dies leaves none, and the next attempt begins anew."""
    campaign = sending.freeze(int(params["campaign_id"]))
    handle.advance(campaign.recipients or 0, campaign.recipients or 0)
    return {"recipients": campaign.recipients or 0}


@periodic(cron="* * * * *")
def campaigns_start_due() -> None:
    """Scheduled campaigns whose minute has come, also those whose minute was missed."""
    sending.start_due()


@periodic(cron="* * * * * */3")
def campaigns_follow() -> None:
    """Counts what the outbox did and records what is finished."""
    follow.follow()

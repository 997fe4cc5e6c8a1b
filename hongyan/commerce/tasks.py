"""Job shells of this room."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.commerce.facts import facts_renew_block
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind


@job_kind("commerce_facts", title=_("Adding up what customers bought"), resumable=True)
def renew_all_facts(handle: JobHandle, params: dict[str, Any]) -> None:
    """After the organisation's currency or a rate changed."""
    del params
    after: int | None = 0
    done = 0
    while after is not None:
        after = facts_renew_block(after)
        done += 1
        handle.advance(done)

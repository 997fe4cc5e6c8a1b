"""Background work of merging."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.contacts.errors import ContactNotFound
from hongyan.core.batching import batched
from hongyan.core.clock import now
from hongyan.identity.errors import CandidateGone, MergeRefused
from hongyan.identity.merging import follow
from hongyan.identity.models_merging import Merge
from hongyan.identity.review import failed_pairs, pair_merge, sure_pairs
from hongyan.identity.types import MergeReason
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic

_LATE = timedelta(minutes=30)  # no transaction of a worker lives longer


@job_kind("identity_merge_sure", title=_("Merging pairs that are sure"), resumable=True)
def merge_sure(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Every merge is a transaction of its own; a second run goes on with what is still open."""
    actor = system_actor(params["by"])
    pairs = sure_pairs(params["at_least"])
    merged = 0
    for done, public_id in enumerate(pairs):
        handle.advance(done, len(pairs))
        try:
            pair_merge(actor=actor, public_id=public_id, reason=MergeReason.REVIEWED)
            merged += 1
        except (CandidateGone, ContactNotFound, MergeRefused):
            continue  # an earlier one of these merges took one of the two
    handle.advance(len(pairs), len(pairs))
    return {"merged": merged}


@job_kind("identity_merge_failed", title=_("Trying failed merges again"), resumable=True)
def merge_failed(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Those that fail again go on waiting. why: names of errors only; their texts may hold values of a person."""
    actor = system_actor(params["by"])
    pairs, why = failed_pairs(), Counter[str]()
    merged = 0
    for done, public_id in enumerate(pairs):
        handle.advance(done, len(pairs))
        try:
            pair_merge(actor=actor, public_id=public_id, reason=MergeReason.MATCHED)
            merged += 1
        except (CandidateGone, ContactNotFound):
            continue
        except Exception as error:
            if not connection.is_usable():
                raise
            why[type(error).__name__] += 1
    handle.advance(len(pairs), len(pairs))
    return {"merged": merged, "failed": why.total(), "why": dict(why)}


@periodic(cron="*/5 * * * *", name="identity.follow_merges")
def identity_follow_merges() -> None:
    """Events and messages of transactions that had begun before a merge come under the old number."""
    since = now() - _LATE
    made = Merge.objects.filter(merged_at__gte=since, undone_at__isnull=True).defer("sealed").order_by("pk")
    for block in batched(made.iterator(), 500):
        follow(block)

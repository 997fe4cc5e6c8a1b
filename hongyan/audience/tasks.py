"""Bulk acts as jobs. Each batch commits its work together with how far it got: a job that lost its worker goes on
there."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.audience import rows
from hongyan.audience.lists import add_to_list
from hongyan.audience.membership import tasks as membership_tasks
from hongyan.audience.models import ContactList, TagChange
from hongyan.audience.ready import ready_turn
from hongyan.audience.segments import compile_members
from hongyan.audience.suggest import tasks as suggest_tasks
from hongyan.audience.tagging.movement import tag_flows_fold
from hongyan.audience.tagging.tags import apply_tag, apply_untag, undo_batch
from hongyan.audience.types import OnOtherTag
from hongyan.core import clock
from hongyan.core.sql import SQL
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic

__all__ = ["list_add_members_job", "membership_tasks", "suggest_tasks", "tag_change_undo_job", "tag_members_job"]


@job_kind("audience.tag", title=_("Tag an audience"), resumable=True)
def tag_members_job(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    change = TagChange.objects.select_related("tag__group").get(pk=params["change_id"])
    members = _members(params)
    total = _total(members)
    counts = {"added": 0, "replaced": 0, "kept": 0, "already": 0, "removed": 0}
    seen = 0
    handle.advance(0, total)
    for upto, ids in rows.spans(members, after=change.reached):
        with transaction.atomic():
            if change.action == TagChange.Action.ADD:
                outcome = apply_tag(change, ids, OnOtherTag(params["on_other"]))
                for name in ("added", "replaced", "kept", "already"):
                    counts[name] += getattr(outcome, name)
            else:
                counts["removed"] += apply_untag(change, ids)
            change.reached = upto
            change.save(update_fields=["affected", "reached"])
        seen += len(ids)
        handle.advance(seen, total)
    return {**counts, "change": str(change.public_id)}


@job_kind("audience.untag_undo", title=_("Undo tagging"), resumable=True)
def tag_change_undo_job(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    change = TagChange.objects.select_related("tag__group").get(pk=params["change_id"])
    total = change.items.count()
    done = 0
    while taken := undo_batch(change):
        done += taken
        handle.advance(done, total)
    change.undone_at = clock.now()
    change.save(update_fields=["undone_at"])
    return {"undone": done}


@job_kind("audience.list", title=_("Fill a list"), resumable=True)
def list_add_members_job(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Starting over is harmless: who is on the list stays on it once."""
    contact_list = ContactList.objects.get(pk=params["list_id"])
    members = _members(params)
    total = _total(members)
    seen = added = 0
    handle.advance(0, total)
    for _upto, ids in rows.spans(members):
        added += add_to_list(contact_list.pk, ids, "audience")
        seen += len(ids)
        handle.advance(seen, total)
    return {"added": added}


@periodic(cron="*/5 * * * *", name="audience.tag_flows")
def tag_flows() -> None:
    """Movement of tags, from statements to days."""
    tag_flows_fold()


@periodic(cron="7 * * * *", name="audience.ready")
def ready_segments() -> None:
    """The month turns at midnight of the organisation's zone, which is some full or half hour of ours."""
    ready_turn(actor=system_actor("ready segments"))


def _members(params: dict[str, Any]) -> SQL:
    """As of when the person asked, however long the job waited."""
    return compile_members(params["tree"], now=datetime.fromisoformat(params["at"]))


def _total(members: SQL) -> int:
    return int(rows.query(f"SELECT count(*) FROM ({members.text}) members", members.params)[0][0])

"""Tagging people: one, many, or everyone an audience holds. Every act can be undone as a whole."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.errors import NotFound, RuleDecides
from hongyan.audience.models import Tag, TagChange
from hongyan.audience.segments import checked
from hongyan.audience.tagging.rules import decided_by_rule
from hongyan.audience.types import OnOtherTag, TagOutcome, UntagOutcome
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_start

UNDO_BATCH = 10_000
UNDO_AT_ONCE = 5_000  # larger acts are undone by a job


def tag_by_key(key: str) -> Tag:
    tag = Tag.objects.select_related("group").filter(key=key).first()
    if tag is None:
        raise NotFound
    return tag


@transaction.atomic
def tag_contacts(
    *,
    actor: Actor,
    tag: Tag,
    contact_ids: Sequence[int],
    source: str = "user",
    on_other: OnOtherTag = OnOtherTag.REPLACE,
) -> TagOutcome:
    """Give the tag to these people. Unknown ids are passed over; nobody ends with two tags of an exclusive group.
    Raises RuleDecides, as every act by hand on a tag with a rule."""
    actor.require(Permission.AUDIENCE_EDIT)
    _refuse_rule(tag)
    ids = sorted(set(contact_ids))
    if not ids:
        return TagOutcome(None)
    change = _change(actor, tag, TagChange.Action.ADD, source)
    outcome = apply_tag(change, ids, on_other)
    return _settled(actor, change, outcome)


@transaction.atomic
def untag_contacts(*, actor: Actor, tag: Tag, contact_ids: Sequence[int], source: str = "user") -> UntagOutcome:
    actor.require(Permission.AUDIENCE_EDIT)
    _refuse_rule(tag)
    change = _change(actor, tag, TagChange.Action.REMOVE, source)
    removed = apply_untag(change, sorted(set(contact_ids)))
    if not removed:
        change.delete()
        return UntagOutcome(None)
    change.save(update_fields=["affected"])
    _record(actor, change)
    return UntagOutcome(change.public_id, removed)


@transaction.atomic
def tag_members(
    *,
    actor: Actor,
    tag: Tag,
    tree: Any,
    action: TagChange.Action = TagChange.Action.ADD,
    on_other: OnOtherTag = OnOtherTag.REPLACE,
) -> tuple[Job, TagChange]:
    """Start tagging (or untagging) everyone the tree holds now, as a job. Raises BadTree.

    The change exists at once: it counts up while the job runs, and can take back what a cancelled job has done.
    """
    actor.require(Permission.AUDIENCE_EDIT)
    _refuse_rule(tag)
    checked(tree, catalogue=catalogue_now())
    change = _change(actor, tag, action, "audience")
    title = gettext_noop("Tag “%(tag)s”") if action == TagChange.Action.ADD else gettext_noop("Remove tag “%(tag)s”")
    params = {"change_id": change.pk, "tree": tree, "on_other": on_other.value, "at": change.at.isoformat()}
    job = job_start(
        actor=actor, kind="audience.tag", params=params, title=title, title_params={"tag": tag.name_zh or tag.key}
    )
    _record(actor, change)
    return job, change


@transaction.atomic
def tag_change_undo(*, actor: Actor, public_id: UUID) -> Job | None:
    """Take a change back: at once when small, else as a job, which is returned. A second undo does nothing."""
    actor.require(Permission.AUDIENCE_EDIT)
    change = TagChange.objects.select_for_update().filter(public_id=public_id).first()
    if change is None:
        raise NotFound
    if change.undone_at is not None:
        return None
    _refuse_rule(change.tag)
    record(actor=actor, action="tag.undone", subject_kind="tag", subject_id=str(change.tag.public_id))
    if change.affected > UNDO_AT_ONCE:
        title = gettext_noop("Undo tagging “%(tag)s”")
        return job_start(
            actor=actor,
            kind="audience.untag_undo",
            params={"change_id": change.pk},
            title=title,
            title_params={"tag": change.tag.name_zh},
        )
    while undo_batch(change):
        pass
    change.undone_at = clock.now()
    change.save(update_fields=["undone_at"])
    return None


def apply_tag(change: TagChange, ids: Sequence[int], on_other: OnOtherTag) -> TagOutcome:
    """One batch, in the caller's transaction; ``change.affected`` grows, the caller saves it. A tag with a rule is
    passed over: imports name it as any other, and the rule decides."""
    if decided_by_rule(change.tag):
        return TagOutcome(change.public_id)
    values = {**_values(change), "ids": list(ids)}
    already = rows.scalar("holding", **values)
    replaced = rows.run("move", **values) if change.tag.group.exclusive and on_other is OnOtherTag.REPLACE else 0
    added = rows.run("add", **values)
    change.affected += added + replaced
    kept = 0
    if change.tag.group.exclusive and on_other is OnOtherTag.KEEP:
        kept = rows.scalar("holding_other", **values)
    return TagOutcome(change.public_id, added + replaced, replaced, kept, already)


def apply_untag(change: TagChange, ids: Sequence[int]) -> int:
    if decided_by_rule(change.tag):
        return 0
    removed = rows.run("remove", **_values(change), ids=list(ids))
    change.affected += removed
    return removed


def undo_batch(change: TagChange) -> int:
    """Take back a batch; returns how many people it concerned, 0 when nothing is left."""
    name = "undo_add" if change.action == TagChange.Action.ADD else "undo_remove"
    return rows.scalar(name, **{**_values(change), "source": "undo", "at": clock.now()}, batch=UNDO_BATCH)


def _refuse_rule(tag: Tag) -> None:
    if decided_by_rule(tag):
        raise RuleDecides("tag", _("A rule decides who holds this tag; it is not given or taken by hand."))


def _change(actor: Actor, tag: Tag, action: TagChange.Action, source: str) -> TagChange:
    return TagChange.objects.create(
        tag=tag, action=action, source=source[:64], actor_label=actor.label[:120], at=clock.now()
    )


def _settled(actor: Actor, change: TagChange, outcome: TagOutcome) -> TagOutcome:
    if not change.affected:
        change.delete()  # an act that changed nothing leaves no trace to undo
        return TagOutcome(None, kept=outcome.kept, already=outcome.already)
    change.save(update_fields=["affected"])
    _record(actor, change)
    return outcome


def _record(actor: Actor, change: TagChange) -> None:
    action = "tag.applied" if change.action == TagChange.Action.ADD else "tag.removed"
    data = {"contacts": change.affected, "change": str(change.public_id)}
    record(actor=actor, action=action, subject_kind="tag", subject_id=str(change.tag.public_id), data=data)


def _values(change: TagChange) -> dict[str, Any]:
    tag = change.tag
    return {
        "change_id": change.pk,
        "tag_id": tag.pk,
        "group_id": tag.group_id,
        "exclusive": tag.group.exclusive,
        "source": change.source,
        "at": change.at,
    }

"""The rules of tags: written as drafts, published, withdrawn; every act on drafts can be taken back.

A draft writes no tags. Publishing puts it into force; the lane then gives and takes the tag within seconds and keeps it
so. While a rule is live nobody gives or takes its tag by hand. In an exclusive group all rules are published together,
and only while nobody would fall under two of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.canonical import digest
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree, BadValue, NotFound
from hongyan.audience.models import Tag, TagGroup
from hongyan.audience.models_rules import RuleChange, TagRule
from hongyan.audience.segments import checked
from hongyan.audience.tagging.graph import circle, tag_name
from hongyan.audience.types import Problem
from hongyan.audit.services import record
from hongyan.core import clock

State = dict[str, Any]  # {"live": tree | None, "draft": tree | None}


def rules_of_group(group: TagGroup) -> list[TagRule]:
    """In the order of the tags."""
    rows = TagRule.objects.filter(tag__group=group).select_related("tag")
    return list(rows.order_by("tag__position", "tag_id"))


def rule_of(tag: Tag) -> TagRule | None:
    return TagRule.objects.filter(tag=tag).first()


def decided_by_rule(tag: Tag) -> bool:
    return TagRule.objects.filter(tag=tag, live__isnull=False).exists()


def rule_tag_keys() -> set[str]:
    """Of all tags that live rules decide."""
    return set(TagRule.objects.filter(live__isnull=False).values_list("tag__key", flat=True))


def tree_of(rule: TagRule) -> Any:
    """What publishing would put into force, or what is in force."""
    return rule.live if rule.draft is None else rule.draft


@dataclass(frozen=True, slots=True)
class Effect:
    """What putting a rule into force would do to the holders of its tag."""

    gain: int
    lose: int
    stay: int


def draft_effect(tag: Tag, tree: Any, *, catalogue: Catalogue | None = None) -> Effect:
    """Of a tag in a group that is not exclusive. Raises BadTree; callers have checked who asks."""
    import numpy as np

    from hongyan.audience.tagging.people import ids_of

    wanted = ids_of(tree, catalogue=catalogue or catalogue_now(), now=clock.now())
    held = np.array(list(tag.contact_tags.values_list("contact_id", flat=True)), dtype=np.int64)
    stay = len(np.intersect1d(wanted, held))
    return Effect(len(wanted) - stay, len(held) - stay, stay)


@transaction.atomic
def rule_draft(*, actor: Actor, tag: Tag, tree: Any) -> TagRule:
    """Raises BadTree, also when the rule would ask for the tag itself."""
    actor.require(Permission.AUDIENCE_EDIT)
    return drafts_store(actor=actor, group=tag.group, trees={tag.key: tree}, action=RuleChange.Action.EDIT)[0][0]


@transaction.atomic
def drafts_store(
    *, actor: Actor, group: TagGroup, trees: Mapping[str, Any], action: RuleChange.Action, made_tag: str = ""
) -> tuple[list[TagRule], RuleChange]:
    """New drafts for tags of the group, by key, as one act that can be undone. Raises BadTree."""
    actor.require(Permission.AUDIENCE_EDIT)
    catalogue = catalogue_now()
    tags = {tag.key: tag for tag in group.tags.filter(key__in=list(trees))}
    before, after, rules = {}, {}, []
    for key, tree in trees.items():
        node = checked(tree, catalogue=catalogue)
        if circle(tag_name(key), [tree], catalogue=catalogue):
            message = _("The rule of a tag must not ask for the tag itself, also not through others.")
            raise BadTree([Problem("", "circle", message)])
        rule = TagRule.objects.select_for_update().filter(tag=tags[key]).first() or TagRule(tag=tags[key])
        before[key] = state_of_rule(rule)
        same = rule.live is not None and digest(checked(rule.live, catalogue=catalogue)) == digest(node)
        rule.draft = None if same else tree
        rule.actor_label = actor.label[:120]
        rule.save()
        after[key] = state_of_rule(rule)
        rules.append(rule)
    change = note_change(actor, group, action, before, after, made_tag=made_tag)
    return rules, change


@transaction.atomic
def rule_discard(*, actor: Actor, tag: Tag) -> None:
    """Drop the draft; the rule in force stays."""
    actor.require(Permission.AUDIENCE_EDIT)
    rule = TagRule.objects.select_for_update().filter(tag=tag).first()
    if rule is None or rule.draft is None:
        return
    before = state_of_rule(rule)
    rule.draft = None
    _store(rule)
    note_change(actor, tag.group, RuleChange.Action.EDIT, {tag.key: before}, {tag.key: state_of_rule(rule)})


def rules_publish(*, actor: Actor, group: TagGroup, tags: Sequence[Tag] | None = None) -> list[TagRule]:
    """Put the drafts of the group into force: of an exclusive group all together, otherwise those of ``tags``. Raises
    BadValue with the field "overlap" while contacts would fall under two rules of an exclusive group, and BadTree."""
    actor.require(Permission.AUDIENCE_EDIT)
    catalogue = catalogue_now()
    trees, looked = _trees_checked(group, catalogue), group.exclusive
    if looked:  # before the transaction: outside of one the columns can be asked
        _refuse_overlap(trees)
    with transaction.atomic():
        group = TagGroup.objects.select_for_update().get(pk=group.pk)
        again = _trees_checked(group, catalogue)
        if group.exclusive and (again != trees or not looked):
            _refuse_overlap(again)
        rules = [rule for rule in rules_of_group(group) if rule.draft is not None]
        if not group.exclusive:
            wanted = {tag.pk for tag in tags or ()}
            rules = [rule for rule in rules if rule.tag_id in wanted]
        return _publish(actor, group, rules)


def _trees_checked(group: TagGroup, catalogue: Catalogue) -> list[Any]:
    trees = [tree_of(rule) for rule in rules_of_group(group) if tree_of(rule) is not None]
    for tree in trees:
        checked(tree, catalogue=catalogue)
    return trees


def _refuse_overlap(trees: Sequence[Any]) -> None:
    from hongyan.audience.tagging.mece import overlap_of  # it asks this module for the rules

    twice = overlap_of(trees)
    if twice:
        message = _("%(n)s contacts fall under more than one rule. In an exclusive group nobody may.")
        raise BadValue("overlap", message % {"n": f"{twice:,}"})


def _publish(actor: Actor, group: TagGroup, rules: Sequence[TagRule]) -> list[TagRule]:
    before = {rule.tag.key: state_of_rule(rule) for rule in rules}
    for rule in rules:
        rule.live, rule.draft = rule.draft, None
        rule.published_at, rule.applied_at, rule.problem = clock.now(), None, ""
        rule.actor_label = actor.label[:120]
        rule.save()
    if rules:
        note_change(
            actor, group, RuleChange.Action.PUBLISH, before, {rule.tag.key: state_of_rule(rule) for rule in rules}
        )
    return list(rules)


@transaction.atomic
def rule_withdraw(*, actor: Actor, tag: Tag) -> None:
    """The rule decides no more and stays as a draft. Who holds the tag keeps it; people decide from now on."""
    actor.require(Permission.AUDIENCE_EDIT)
    rule = TagRule.objects.select_for_update().filter(tag=tag, live__isnull=False).first()
    if rule is None:
        return
    before = state_of_rule(rule)
    rule.live, rule.draft = None, rule.draft or rule.live
    rule.published_at, rule.applied_at, rule.problem = None, None, ""
    rule.save()
    note_change(actor, tag.group, RuleChange.Action.WITHDRAW, {tag.key: before}, {tag.key: state_of_rule(rule)})


UNDOABLE = (RuleChange.Action.EDIT, RuleChange.Action.ORDER, RuleChange.Action.REST)


@transaction.atomic
def rule_change_undo(*, actor: Actor, public_id: UUID) -> RuleChange:
    """Put the drafts back as they were before the act. Raises BadValue when something changed them since, or when the
    act was no act on drafts. A second undo does nothing."""
    actor.require(Permission.AUDIENCE_EDIT)
    change = RuleChange.objects.select_for_update().select_related("group").filter(public_id=public_id).first()
    if change is None:
        raise NotFound
    if change.undone_at is not None:
        return change
    if change.action not in UNDOABLE:
        raise BadValue("change", _("Publishing and withdrawing are not undone; publish or withdraw again instead."))
    rules = {rule.tag.key: rule for rule in rules_of_group(change.group)}
    present = {key: state_of_rule(rules[key]) if key in rules else _NOTHING for key in change.after}
    if present != change.after:
        raise BadValue("change", _("The rules were changed since; undo the later change first."))
    for key, state in change.before.items():
        rule = rules.get(key) or TagRule(tag=change.group.tags.get(key=key), actor_label=actor.label[:120])
        rule.live, rule.draft = state["live"], state["draft"]
        _store(rule)
    _forget_made_tag(actor, change)
    change.undone_at = clock.now()
    change.save(update_fields=["undone_at"])
    return change


def _forget_made_tag(actor: Actor, change: RuleChange) -> None:
    from hongyan.audience.tagging.taxonomy import tag_delete

    made = Tag.objects.filter(key=change.made_tag).first() if change.made_tag else None
    if made is not None and not decided_by_rule(made) and not made.contact_tags.exists():
        tag_delete(actor=actor, tag=made)


_NOTHING: State = {"live": None, "draft": None}


def state_of_rule(rule: TagRule) -> State:
    return {"live": rule.live, "draft": rule.draft}


def _store(rule: TagRule) -> None:
    if rule.live is None and rule.draft is None:
        if rule.pk is not None and TagRule.objects.filter(pk=rule.pk).exists():
            rule.delete()
        return
    rule.save()


def note_change(
    actor: Actor,
    group: TagGroup,
    action: RuleChange.Action,
    before: Mapping[str, State],
    after: Mapping[str, State],
    *,
    made_tag: str = "",
) -> RuleChange:
    change = RuleChange.objects.create(
        group=group,
        action=action,
        before=dict(before),
        after=dict(after),
        made_tag=made_tag,
        actor_label=actor.label[:120],
        at=clock.now(),
    )
    data = {"tags": sorted(after), "change": str(change.public_id)}
    subject = str(group.public_id)
    record(actor=actor, action=f"tag_rules.{action}", subject_kind="tag_group", subject_id=subject, data=data)
    return change

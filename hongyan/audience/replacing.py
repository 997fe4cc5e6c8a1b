"""Putting one stage or tier in the place of another wherever conditions name it, so that the other can go.

Conditions that name both then name one. What a room above keeps is changed by that room (``register_replacer``); what
cannot be changed from here, such as the audience of a campaign on its way, stays and keeps the old one in use.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.errors import BadTree
from hongyan.audience.models import TagGroup, current_versions
from hongyan.audience.models_rules import RuleChange, TagRule
from hongyan.audience.models_standing import StandingKind
from hongyan.audience.saved import audience_update
from hongyan.audience.standing.versions import rules_in_force, rules_store
from hongyan.audience.tagging.rules import note_change, state_of_rule
from hongyan.audience.types import UsedKind
from hongyan.audience.usage import FIELDS

Replacements = Mapping[str, str]  # old key → the one in its place
Replacer = Callable[[Actor, Callable[[Any], Any]], None]
_REPLACERS: Final[list[Replacer]] = []


def register_replacer(replacer: Replacer) -> Replacer:
    """Call from AppConfig.ready: ``replacer(actor, new_tree)`` stores ``new_tree(tree)`` for every tree of the room
    that it changes and that may be changed now."""
    if replacer not in _REPLACERS:
        _REPLACERS.append(replacer)
    return replacer


def replaced(tree: Any, kind: UsedKind, by: Replacements) -> Any:
    """The tree with other values in the conditions on this kind; equal to the old one where it names none of them."""
    match tree:
        case dict() if tree.get("field") == FIELDS[kind] and "value" in tree:
            return {**tree, "value": _value(tree["value"], by)}
        case dict():
            return {key: replaced(part, kind, by) for key, part in tree.items()}
        case list():
            return [replaced(part, kind, by) for part in tree]
        case _:
            return tree


def _value(value: Any, by: Replacements) -> Any:
    if isinstance(value, list):
        return list(dict.fromkeys(by.get(one, one) if isinstance(one, str) else one for one in value))
    return by.get(value, value) if isinstance(value, str) else value


@transaction.atomic
def uses_replace(*, actor: Actor, kind: UsedKind, by: Replacements) -> None:
    """In saved audiences and the rules of the stages (as new versions), in rules of tags, and in what other rooms
    keep. What may be named must be so in the catalogue already."""
    actor.require(Permission.AUDIENCE_EDIT)

    def new_tree(tree: Any) -> Any:
        return replaced(tree, kind, by)

    _audiences(actor, new_tree)
    _tag_rules(actor, new_tree)
    _stage_rules(actor, new_tree)
    for replacer in _REPLACERS:
        replacer(actor, new_tree)


def _audiences(actor: Actor, new_tree: Callable[[Any], Any]) -> None:
    for version in current_versions():
        tree, audience = new_tree(version.tree), version.audience
        if tree == version.tree:
            continue
        try:
            with transaction.atomic():
                audience_update(
                    actor=actor, audience=audience, name=audience.name, tree=tree, description=audience.description
                )
        except BadTree:
            continue  # wrong for another reason as well: it is mended by hand first


def _tag_rules(actor: Actor, new_tree: Callable[[Any], Any]) -> None:
    """Rules in force too: they say the same as before of those whom the new one takes over."""
    changed: dict[TagGroup, list[TagRule]] = {}
    for rule in TagRule.objects.select_for_update(of=("self",)).select_related("tag__group").order_by("tag_id"):
        if (new_tree(rule.live), new_tree(rule.draft)) != (rule.live, rule.draft):
            changed.setdefault(rule.tag.group, []).append(rule)
    for group, rules in changed.items():
        before = {rule.tag.key: state_of_rule(rule) for rule in rules}
        for rule in rules:
            if rule.live is not None and rule.live != new_tree(rule.live):
                rule.live, rule.applied_at, rule.problem = new_tree(rule.live), None, ""
            rule.draft = new_tree(rule.draft)
            rule.actor_label = actor.label[:120]
            rule.save()
        after = {rule.tag.key: state_of_rule(rule) for rule in rules}
        note_change(actor, group, RuleChange.Action.REPLACE, before, after)


def _stage_rules(actor: Actor, new_tree: Callable[[Any], Any]) -> None:
    version = rules_in_force(StandingKind.STAGES)
    if version is not None and (definition := new_tree(version.definition)) != version.definition:
        rules_store(actor=actor, kind=StandingKind.STAGES, definition=definition)

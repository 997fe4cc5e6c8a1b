"""MECE check: do the rules of a group overlap, and whom do they leave out? With the fix: an order, and a rest.

Sizes are of everybody, exact. A *combination* is a set of rules together with the contacts who fall under exactly
these; all other figures follow from combinations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree, BadValue
from hongyan.audience.models import TagGroup
from hongyan.audience.models_rules import RuleChange, TagRule
from hongyan.audience.segments import check
from hongyan.audience.tagging.people import everyone_of
from hongyan.audience.tagging.rules import drafts_store, rules_of_group, tree_of
from hongyan.audience.tagging.taxonomy import tag_create
from hongyan.audience.types import TagValues
from hongyan.core import clock

SAMPLE: Final = 5
MOST: Final = 60  # rules of one check: bits of a whole number
EVERYONE: Final = {"everyone": True}


@dataclass(frozen=True, slots=True)
class Combination:
    """places: of the rules; sample: ids of some contacts, the newest first."""

    places: tuple[int, ...]
    size: int
    sample: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Of ``rules`` trees in order. combinations: the largest first; without places: the gap."""

    rules: int
    total: int
    combinations: tuple[Combination, ...] = field(default_factory=tuple)

    @property
    def overlaps(self) -> tuple[Combination, ...]:
        return tuple(found for found in self.combinations if len(found.places) > 1)

    @property
    def overlap(self) -> int:
        """Contacts who fall under more than one rule."""
        return sum(found.size for found in self.overlaps)

    @property
    def gap(self) -> Combination:
        """Contacts who fall under none."""
        return next((found for found in self.combinations if not found.places), Combination((), 0, ()))

    @property
    def is_mece(self) -> bool:
        return self.overlap == 0 and self.gap.size == 0

    def size(self, *places: int) -> int:
        """Contacts who fall under all of these rules, whatever else."""
        return sum(found.size for found in self.combinations if set(places) <= set(found.places))

    def only(self, place: int) -> int:
        """Contacts who fall under this rule alone."""
        return sum(found.size for found in self.combinations if found.places == (place,))

    def matrix(self) -> list[list[int]]:
        """How many fall under both, for every pair; a rule with itself is its size."""
        return [[self.size(row, column) for column in range(self.rules)] for row in range(self.rules)]


def report(trees: Sequence[Any], *, catalogue: Catalogue | None = None, now: datetime | None = None) -> Report:
    """Raises BadTree. Callers have checked that the reader may count people."""
    if len(trees) > MOST:
        raise BadValue("rules", _("At most %(n)d rules can be checked together.") % {"n": MOST})
    known, at = catalogue or catalogue_now(), now or clock.now()
    everyone, *found_by = everyone_of([EVERYONE, *trees], catalogue=known, now=at)
    masks = np.zeros(int(everyone.max()) + 1 if len(everyone) else 1, dtype=np.int64)
    for place, ids in enumerate(found_by):
        masks[ids[ids < len(masks)]] |= np.int64(1) << place  # who joined between two questions is left for the next
    of_people = masks[everyone]
    found = []
    for mask in np.unique(of_people):
        ids = everyone[of_people == mask]
        places = tuple(place for place in range(len(trees)) if int(mask) >> place & 1)
        found.append(Combination(places, len(ids), tuple(int(each) for each in np.sort(ids)[::-1][:SAMPLE])))
    return Report(len(trees), len(everyone), tuple(sorted(found, key=lambda one: -one.size)))


def overlap_of(trees: Sequence[Any]) -> int:
    return report(trees).overlap


def report_of_group(
    *, actor: Actor, group: TagGroup, catalogue: Catalogue | None = None
) -> tuple[list[TagRule], Report]:
    """Of what the group's rules say now, drafts first. Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    rules = _rules(group)
    return rules, report([tree_of(rule) for rule in rules], catalogue=catalogue)


def _rules(group: TagGroup) -> list[TagRule]:
    return [rule for rule in rules_of_group(group) if tree_of(rule) is not None]


# ——— the fix


def in_order(trees: Sequence[Any]) -> list[Any]:
    """Each rule becomes "this and none of the earlier ones", so nobody falls under two, whatever happens later. Rules
    that say so already stay as they are."""
    bare = _bare(trees)
    return [_and_not(tree, bare[:place]) for place, tree in enumerate(bare)]


def rest_of(trees: Sequence[Any]) -> Any:
    """Everybody whom none of the rules holds. What a rule leaves to earlier ones need not be said again."""
    if not trees:
        return EVERYONE
    excluded = [{"not": tree} for tree in _bare(trees)]
    return excluded[0] if len(excluded) == 1 else {"all": excluded}


def _bare(trees: Sequence[Any]) -> list[Any]:
    """Without the parts that exclude earlier rules; together they hold the same people."""
    bare: list[Any] = []
    for tree in trees:
        excluded = [{"not": earlier} for earlier in bare]
        parts = [part for part in _parts(tree) if part not in excluded]
        bare.append(parts[0] if len(parts) == 1 else {"all": parts} if parts else tree)
    return bare


def _and_not(tree: Any, earlier: Sequence[Any]) -> Any:
    if not earlier:
        return tree
    return {"all": [*_parts(tree), *({"not": other} for other in earlier)]}


def _parts(tree: Any) -> list[Any]:
    return list(tree["all"]) if set(tree) == {"all"} else [tree]


@dataclass(frozen=True, slots=True)
class Fix:
    """Shown before it is applied. trees: by key of the tag, only those that change; rest_key: of a tag it makes."""

    action: RuleChange.Action
    trees: Mapping[str, Any]
    keys: tuple[str, ...]  # of all rules afterwards, in order
    report: Report
    rest_key: str = ""


def fix_order(
    *, actor: Actor, group: TagGroup, catalogue: Catalogue | None = None, rules: Sequence[TagRule] | None = None
) -> Fix:
    """The rules in the order of the tags, each without the earlier ones. Raises BadTree when a rule would grow too
    large to be read. rules: as ``report_of_group`` gave them, where they are at hand."""
    actor.require(Permission.CONTACT_VIEW)
    known, rules = catalogue or catalogue_now(), _rules(group) if rules is None else rules
    before = [tree_of(rule) for rule in rules]
    after = in_order(before)
    _refuse_wrong(after, known)
    changed = {rule.tag.key: tree for rule, old, tree in zip(rules, before, after, strict=True) if old != tree}
    keys = tuple(rule.tag.key for rule in rules)
    return Fix(RuleChange.Action.ORDER, changed, keys, report(after, catalogue=known))


def fix_rest(
    *, actor: Actor, group: TagGroup, catalogue: Catalogue | None = None, rules: Sequence[TagRule] | None = None
) -> Fix:
    """A further tag, the last in order, for everybody left out. Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    known, rules = catalogue or catalogue_now(), _rules(group) if rules is None else rules
    trees = [tree_of(rule) for rule in rules]
    rest = rest_of(trees)
    _refuse_wrong([rest], known)
    key = _free_key(f"{group.key}-rest", known)
    keys = (*(rule.tag.key for rule in rules), key)
    return Fix(RuleChange.Action.REST, {key: rest}, keys, report([*trees, rest], catalogue=known), rest_key=key)


@transaction.atomic
def fix_apply(*, actor: Actor, group: TagGroup, fix: Fix) -> RuleChange:
    """Into drafts; ``rules.rule_change_undo`` takes it back."""
    actor.require(Permission.AUDIENCE_EDIT)
    if fix.rest_key:
        values = TagValues(fix.rest_key, f"{group.name_zh}：其他", f"{group.name_en or group.key}: others")
        tag_create(actor=actor, group=group, values=values)
    _rules, change = drafts_store(actor=actor, group=group, trees=fix.trees, action=fix.action, made_tag=fix.rest_key)
    return change


def _refuse_wrong(trees: Sequence[Any], known: Catalogue) -> None:
    problems = [problem for tree in trees for problem in check(tree, catalogue=known)]
    if problems:
        raise BadTree(problems)


def _free_key(wanted: str, known: Catalogue) -> str:
    key, number = wanted[:60], 1
    while key in known.tags:
        number += 1
        key = f"{wanted[:60]}-{number}"
    return key

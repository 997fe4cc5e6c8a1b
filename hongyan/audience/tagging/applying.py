"""Keeping rule tags true: everybody held against the live rules, or the contacts about whom something changed.

In an exclusive group the first rule that holds (in the order of the tags) decides, so that nobody can come to hold two
even when rules overlap later. The first look at everybody after publishing writes no events; after that coming and
going are ``tag_added`` and ``tag_removed`` with ``tag`` (its key) and ``source`` "rule".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import numpy as np
from django.db import connection, transaction

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree
from hongyan.audience.models_rules import TagRule
from hongyan.audience.standing.versions import BATCH, note_moves
from hongyan.audience.tagging.graph import Decided, circle, tag_name
from hongyan.audience.tagging.people import (
    NONE,
    IDs,
    Places,
    blank,
    first_among,
    first_places,
    ids_of,
    members_among,
    same_length,
)
from hongyan.core import clock
from hongyan.core.sql import numbers, statement

ADDED: Final = "tag_added"
REMOVED: Final = "tag_removed"
SOURCE: Final = "rules"
BROKEN, CIRCLE = "broken", "circle"
Move = tuple[int, int, int]  # contact, tag before, tag after; 0 for none


@dataclass(frozen=True, slots=True)
class LiveRule:
    tag_id: int
    key: str
    group_id: int
    exclusive: bool
    tree: Any
    fresh: bool  # nobody was held against it yet


def live_rules() -> list[LiveRule]:
    """By group, in the order of the tags."""
    rows = TagRule.objects.filter(live__isnull=False).select_related("tag__group")
    return [
        LiveRule(row.tag_id, row.tag.key, row.tag.group_id, row.tag.group.exclusive, row.live, row.applied_at is None)
        for row in rows.order_by("tag__group_id", "tag__position", "tag_id")
    ]


def rules_refresh(
    *, now: datetime | None = None, catalogue: Catalogue | None = None, group_ids: Iterable[int] | None = None
) -> int:
    """Hold everybody against the live rules (of these groups). Returns how many tags moved. A rule that is no longer
    right is passed over and marked; in an exclusive group the whole group waits with it."""
    at, known = now or clock.now(), catalogue or catalogue_now()
    wanted = None if group_ids is None else set(group_ids)
    moved = 0
    for rules in _usable(known, wanted):
        moved += _everybody_exclusive(rules, known, at) if rules[0].exclusive else _everybody_plain(rules, known, at)
        TagRule.objects.filter(tag_id__in=[rule.tag_id for rule in rules]).update(applied_at=at, problem="")
    return moved


def rules_renew(contact_ids: Sequence[int], *, catalogue: Catalogue, now: datetime) -> int:
    """Hold these contacts against the live rules, after something about them changed."""
    moved = 0
    for rules in _usable(catalogue, None):
        trees = [rule.tree for rule in rules]
        if rules[0].exclusive:
            first = first_among(trees, contact_ids, catalogue=catalogue, now=now)
            tags = [rules[first[each]].tag_id if each in first else 0 for each in contact_ids]
            moved += _apply_exclusive(rules, contact_ids, tags, now)
            continue
        found = members_among(trees, contact_ids, catalogue=catalogue, now=now)
        for rule, members in zip(rules, found, strict=True):
            moved += _apply(rule, give=sorted(members), take=sorted(set(contact_ids) - members), at=now)
    return moved


def _usable(catalogue: Catalogue, group_ids: set[int] | None) -> list[list[LiveRule]]:
    """Rules by group, without those that cannot be followed."""
    decided = Decided.now()
    found = []
    for group_id, rows in groupby(live_rules(), key=lambda rule: rule.group_id):
        if group_ids is not None and group_id not in group_ids:
            continue
        rules = list(rows)
        bad = {rule.tag_id: problem for rule in rules if (problem := _problem(rule, catalogue, decided))}
        for tag_id, problem in bad.items():
            TagRule.objects.filter(tag_id=tag_id).exclude(problem=problem).update(problem=problem)
        if bad and rules[0].exclusive:
            continue
        good = [rule for rule in rules if rule.tag_id not in bad]
        if good:
            found.append(good)
    return found


def _problem(rule: LiveRule, catalogue: Catalogue, decided: Decided) -> str:
    from hongyan.audience.segments import checked

    try:
        checked(rule.tree, catalogue=catalogue)
    except BadTree:
        return BROKEN
    return CIRCLE if circle(tag_name(rule.key), [rule.tree], catalogue=catalogue, decided=decided) else ""


# ——— everybody


def _everybody_exclusive(rules: Sequence[LiveRule], catalogue: Catalogue, at: datetime) -> int:
    wanted = first_places([rule.tree for rule in rules], catalogue=catalogue, now=at)
    held, wanted = same_length(_held(rules), wanted)
    by_hand = _ids(_fetch("held_by_hand", group=rules[0].group_id, tags=_tags(rules))[0][0])
    differs = held != wanted
    differs[by_hand[by_hand < len(differs)]] = False
    moved = 0
    for ids in _portions(np.nonzero(differs)[0]):
        tags = [rules[place].tag_id if place != NONE else 0 for place in wanted[ids]]
        moved += _apply_exclusive(rules, ids.tolist(), tags, at)
    return moved


def _everybody_plain(rules: Sequence[LiveRule], catalogue: Catalogue, at: datetime) -> int:
    moved = 0
    for rule in rules:
        wanted = ids_of(rule.tree, catalogue=catalogue, now=at)
        found = dict(_fetch("held", tags=_tags([rule])))
        held = _ids(found.get(rule.tag_id))
        for ids in _portions(np.setdiff1d(wanted, held)):
            moved += _apply(rule, give=ids.tolist(), take=(), at=at)
        for ids in _portions(np.setdiff1d(held, wanted)):
            moved += _apply(rule, give=(), take=ids.tolist(), at=at)
    return moved


def _held(rules: Sequence[LiveRule]) -> Places:
    found = {tag_id: _ids(ids) for tag_id, ids in _fetch("held", tags=_tags(rules))}
    places = blank(max((int(ids.max()) for ids in found.values() if len(ids)), default=0))
    for place, rule in enumerate(rules):
        places[found.get(rule.tag_id, _ids(None))] = place
    return places


def _portions(ids: "np.ndarray[Any, Any]") -> list["np.ndarray[Any, Any]"]:
    return [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]


def _ids(values: Sequence[int] | None) -> IDs:
    return np.array(values or (), dtype=np.int64)


# ——— writing


@transaction.atomic
def _apply_exclusive(rules: Sequence[LiveRule], contact_ids: Sequence[int], tags: Sequence[int], at: datetime) -> int:
    moves = _fetch(
        "apply_exclusive",
        ids=numbers(contact_ids),
        wanted=numbers(tags),
        tags=_tags(rules),
        group=rules[0].group_id,
        at=at,
    )
    _tell(rules, moves, at)
    return len(moves)


@transaction.atomic
def _apply(rule: LiveRule, *, give: Sequence[int], take: Sequence[int], at: datetime) -> int:
    moves: list[Move] = []
    if give:
        moves += _fetch("give", ids=numbers(give), tag=rule.tag_id, group=rule.group_id, at=at)
    if take:
        moves += _fetch("take", ids=numbers(take), tag=rule.tag_id)
    _tell([rule], moves, at)
    return len(moves)


def _tell(rules: Sequence[LiveRule], moves: Sequence[Move], at: datetime) -> None:
    by_id = {rule.tag_id: rule for rule in rules}
    for name, place in ((REMOVED, 1), (ADDED, 2)):
        told = [(move[0], by_id[move[place]]) for move in moves if move[place] in by_id]
        facts = [(contact_id, {"tag": rule.key, "source": "rule"}) for contact_id, rule in told if not rule.fresh]
        note_moves(name, SOURCE, facts, at=at)


def _tags(rules: Sequence[LiveRule]) -> str:
    return numbers(rule.tag_id for rule in rules)


def _fetch(name: str, **params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "rules.sql", name), params)
        return list(cursor.fetchall())

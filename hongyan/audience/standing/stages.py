"""Lifecycle stages: the rules in force, and moving contacts by them.

The first look at everybody writes no events: nobody moved. After that every move is the event ``lifecycle_changed``
with ``from``, ``to`` and ``cause``: what they did or what is known of them ("change"), the passing of time ("time"), or
new rules ("rules").
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from hongyan.accounts.types import Actor
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree, BadValue
from hongyan.audience.models_standing import Lifecycle, StandingKind, StandingRules
from hongyan.audience.replacing import Replacements, uses_replace
from hongyan.audience.segments import check
from hongyan.audience.standing.stage_rules import DEFAULTS, StageRule, StageRules, as_json, from_json
from hongyan.audience.standing.versions import (
    BATCH,
    day_of,
    fetch,
    note_moves,
    rules_in_force,
    rules_store,
    sql,
    state_of,
    state_set,
)
from hongyan.audience.tagging.graph import LIFECYCLE, circle
from hongyan.audience.tagging.people import NONE, Places, blank, first_among, first_places, same_length
from hongyan.audience.types import Problem, Stage, UsedKind
from hongyan.audience.usage import refuse_while_used
from hongyan.core import clock
from hongyan.core.sql import numbers, texts

EVENT: Final = "lifecycle_changed"
SOURCE: Final = "stages"


def stage_rules() -> StageRules:
    return stage_rules_of(rules_in_force(StandingKind.STAGES))


def stage_rules_of(version: StandingRules | None) -> StageRules:
    return from_json(version.definition) if version else DEFAULTS


@transaction.atomic
def stage_rules_change(*, actor: Actor, rules: StageRules, replace: Replacements | None = None) -> int:
    """A new version of the rules; returns its number. Raises BadTree (paths begin with the place of the rule) or
    BadValue. replace: of stages that are left out, which takes their place wherever conditions name them. Raises InUse
    when a stage would be left out that some condition still names."""
    named = rules.stages
    if len(set(named)) != len(named):
        raise BadValue("rules", _("Each stage may stand once."))
    catalogue = catalogue_now()
    problems = [problem for place, rule in enumerate(rules.rules) for problem in _problems(place, rule, catalogue)]
    if problems:
        raise BadTree(problems)
    if circle(LIFECYCLE, [rule.tree for rule in rules.rules], catalogue=catalogue):
        raise BadValue("rules", _("A rule of the stages must not ask for the stage itself, also not through others."))
    gone = {stage.value for stage in stage_rules().stages if stage not in named}
    made = rules_store(actor=actor, kind=StandingKind.STAGES, definition=as_json(rules))
    by = {old: new for old, new in (replace or {}).items() if old in gone and new in {stage.value for stage in named}}
    if by:
        uses_replace(actor=actor, kind=UsedKind.STAGE, by=by)
    refuse_while_used(UsedKind.STAGE, gone)
    return made.number


def _problems(place: int, rule: StageRule, catalogue: Catalogue) -> list[Problem]:
    found = check(rule.tree, catalogue=catalogue)
    return [Problem(f"/{place}{problem.path}", problem.code, problem.message) for problem in found]


def stages_refresh(*, now: datetime | None = None, catalogue: Catalogue | None = None) -> int:
    """Hold everybody against the rules. Returns how many moved. Raises BadTree when a rule is no longer right; then
    everybody stays where they are."""
    began, at = time.perf_counter(), now or clock.now()
    version = rules_in_force(StandingKind.STAGES)
    rules, number = (from_json(version.definition), version.number) if version else (DEFAULTS, 0)
    state = state_of(StandingKind.STAGES)
    cause = "time" if state.computed_at is not None and state.number == number else "rules"
    try:
        wanted = first_places(rules.trees, catalogue=catalogue or catalogue_now(), now=at)
    except BadTree:
        state_set(StandingKind.STAGES, problem="broken_rules")
        raise
    held, wanted = same_length(_held(rules.stages), wanted)
    moved = 0
    for ids in _portions(np.nonzero((held != wanted) & (wanted != NONE))[0]):
        stages = [rules.stages[place] for place in wanted[ids]]
        moved += _move(ids.tolist(), stages, at=at, cause=cause)
    state_set(
        StandingKind.STAGES,
        number=number,
        computed_at=at,
        contacts=int((wanted != NONE).sum()),
        seconds=round(time.perf_counter() - began, 3),
        problem="",
    )
    return moved


def stages_renew(contact_ids: Sequence[int], *, catalogue: Catalogue, now: datetime, cause: str = "change") -> int:
    """Hold these contacts against the rules, after something about them changed, or time passed ("time"). Returns how
    many moved."""
    rules = stage_rules()
    first = first_among(rules.trees, contact_ids, catalogue=catalogue, now=now)
    return _move(list(first), [rules.stages[place] for place in first.values()], at=now, cause=cause)


def _held(stages: Sequence[Stage]) -> Places:
    """By contact id: place of the stage the contact is in."""
    found = {stage: np.array(ids, dtype=np.int64) for stage, ids in fetch(sql("stages_held"), {})}
    places = blank(max((int(ids.max()) for ids in found.values()), default=0))
    for place, stage in enumerate(stages):
        if stage.value in found:
            places[found[stage.value]] = place
    return places


def _portions(ids: "np.ndarray[Any, Any]") -> Iterator["np.ndarray[Any, Any]"]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


@transaction.atomic
def _move(contact_ids: Sequence[int], stages: Sequence[Stage], *, at: datetime, cause: str) -> int:
    params = {
        "ids": numbers(contact_ids),
        "stages": texts(stage.value for stage in stages),
        "at": at,
        "day": day_of(at),
    }
    moved = fetch(sql("stage_move"), params)
    moves = (
        (contact_id, {"from": before, "to": after, "cause": cause}) for contact_id, before, after in moved if before
    )
    note_moves(EVENT, SOURCE, moves, at=at)
    return len(moved)


def stage_of(contact_id: int) -> Lifecycle | None:
    """For pages that have checked who asks; None for some seconds after the contact was made."""
    return Lifecycle.objects.filter(contact_id=contact_id).first()

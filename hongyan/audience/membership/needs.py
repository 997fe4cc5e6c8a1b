"""What an audience depends on, read off its rewritten definition. Pure: no database.

An event, a kind of change, or a moment that none of its needs names cannot change who is in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.evaluate import Facts, evaluate
from hongyan.audience.compiler.nodes import (
    OF_TIMES,
    All,
    AnyOf,
    ConsentIs,
    Did,
    Everyone,
    FieldIs,
    HasObject,
    HasTag,
    HasTagOfGroup,
    Measured,
    Node,
    Not,
    OnList,
    Op,
    PropertyIs,
    Sequence,
    Window,
    walk,
)
from hongyan.audience.compiler.times import first_instant
from hongyan.audience.membership.turning import Clock, clock_of_field, clock_of_object, clocks_of_property, kinds_of
from hongyan.audience.membership.types import BOTH, LET_IN, LET_OUT
from hongyan.contacts.touched import Kind

_DAYS: Final = frozenset({Op.WITHIN_LAST_DAYS, Op.WITHIN_NEXT_DAYS})
# Two records became one, or one became two: whatever was asked of them may have another answer now.
OF_EVERYTHING: Final = frozenset({"contact_merged", "contact_unmerged"})
Reach = timedelta | datetime | None  # how far back from now, or since when; None: ever
# A fact that is deleted just after it left a window leaves no trace by which the lane would see that it did. Facts that
# left it longer ago than any lane may be away (``touched``: thirty days) have been seen leaving.
_LEFT_UNSEEN: Final = timedelta(days=35)


@dataclass(slots=True)
class Needs:
    """events: name → conditions on its properties, any of which makes an event count (None: every event does).
    reaches: name → how far back events count. shifts: (name, age): an event may change the answer when it gets that
    old. newcomers: somebody of whom nothing is known is in. effects: name → whether one more such event may let
    somebody in, or out: "opened at least twice" is nothing that another opening could end."""

    events: dict[str, list[Node | None]] = field(default_factory=dict)
    reaches: dict[str, list[Reach]] = field(default_factory=dict)
    kinds: set[Kind] = field(default_factory=set)
    shifts: set[tuple[str, timedelta]] = field(default_factory=set)
    clocks: set[Clock] = field(default_factory=set)
    newcomers: bool = False
    effects: dict[str, int] = field(default_factory=dict)

    def event(self, name: str, where: Node | None, reach: Reach, effect: int) -> None:
        self.events.setdefault(name, []).append(where)
        self.reaches.setdefault(name, []).append(reach)
        self.effects[name] = self.effects.get(name, 0) | effect


def needs_of(node: Node, catalogue: Catalogue, *, now: datetime) -> Needs:
    """node: as ``rewrite`` leaves it."""
    needs = Needs()
    _collect(node, catalogue, needs, negated=False)
    # Whatever makes somebody new belong stands in the row itself (then the kinds name it) or holds of an empty one.
    needs.newcomers = evaluate(node, Facts(), catalogue, now=now)
    return needs


def earliest(reaches: Iterable[Reach], now: datetime) -> datetime | None:
    """The first instant any of them counts from; None: ever."""
    found: datetime | None = None
    for reach in reaches:
        if reach is None:
            return None
        at = now - reach if isinstance(reach, timedelta) else reach
        found = at if found is None else min(found, at)
    return found


def rests_on(reaches: Mapping[str, Iterable[Reach]], names: Iterable[str], until: datetime, *, now: datetime) -> bool:
    """Whether an answer may have rested on facts of these names, none newer than ``until``, that are now deleted."""
    for name in names:
        for reach in reaches.get(name, ()):
            since = earliest([reach], now - _LEFT_UNSEEN)
            if since is None or since <= until:
                return True
    return False


def _collect(node: Node, catalogue: Catalogue, needs: Needs, *, negated: bool) -> None:
    match node:
        case All(items) | AnyOf(items):
            for item in items:
                _collect(item, catalogue, needs, negated=negated)
        case Not(item):
            _collect(item, catalogue, needs, negated=not negated)
        case Did(event=event, op=op, window=window, where=where):
            effect = _turned(LET_IN, negated=negated) if op is Op.GE else BOTH
            needs.event(event, where, _reach(window, catalogue), effect)
            needs.shifts |= {(event, age) for age in _ages(window)}
            needs.clocks |= _clocks_in(where, event, catalogue)
        case Measured():
            _measured(node, catalogue, needs)
        case Sequence():
            _sequence(node, catalogue, needs, negated=negated)
        case _:
            _standing(node, catalogue, needs)


def _standing(node: Node, catalogue: Catalogue, needs: Needs) -> None:
    """What is so of a contact, whatever it did."""
    match node:
        case Everyone():
            return
        case FieldIs(key, op, value):
            _field(catalogue.fields[key], op, value, needs)
        case HasTag() | HasTagOfGroup():
            needs.kinds.add(Kind.TAG)
        case OnList():
            needs.kinds.add(Kind.LIST)
        case ConsentIs():
            needs.kinds.add(Kind.CONSENT)
        case HasObject():
            _object(node, catalogue, needs)
        case _:
            raise TypeError(type(node).__name__)


def _turned(effect: int, *, negated: bool) -> int:
    return effect if not negated else LET_OUT if effect == LET_IN else LET_IN


def _object(node: HasObject, catalogue: Catalogue, needs: Needs) -> None:
    needs.kinds.add(Kind.OBJECT)
    spec = catalogue.objects[node.type_key]
    for part in walk(node.where) if node.where is not None else ():
        if isinstance(part, PropertyIs) and part.op in _DAYS and isinstance(part.value, int):
            needs.clocks.add(clock_of_object(spec, spec.fields[part.key], part.op, part.value))


def _field(spec: FieldSpec, op: Op, value: object, needs: Needs) -> None:
    needs.kinds |= kinds_of(spec)
    if op in _DAYS and isinstance(value, int) and spec.type in {FieldType.DATE, FieldType.TIME}:
        needs.clocks.add(clock_of_field(spec, op, value))


def _measured(node: Measured, catalogue: Catalogue, needs: Needs) -> None:
    needs.event(node.event, node.where, _reach(node.window, catalogue), BOTH)
    needs.shifts |= {(node.event, age) for age in _ages(node.window)}
    needs.clocks |= _clocks_in(node.where, node.event, catalogue)
    if node.property is not None and node.op in _DAYS and isinstance(node.value, int):
        needs.clocks |= {*clocks_of_property(node.event, node.property, node.op, node.value, catalogue.zone)}
    if node.measure in OF_TIMES and node.op in _DAYS and isinstance(node.value, int):
        needs.shifts.add((node.event, timedelta(days=node.value)))


def _sequence(node: Sequence, catalogue: Catalogue, needs: Needs, *, negated: bool) -> None:
    reach = _reach(node.window, catalogue)  # of the first step; the others follow it
    for step in node.steps:
        effect = _turned(LET_OUT if step.absent else LET_IN, negated=negated)
        needs.event(step.event, step.where, reach, effect)
        needs.clocks |= _clocks_in(step.where, step.event, catalogue)
    needs.shifts |= {(node.steps[0].event, age) for age in _ages(node.window)}
    last = node.steps[-1]
    if last.absent and last.within is not None:
        needs.shifts.add((node.steps[-2].event, last.within.delta))


def _clocks_in(where: Node | None, event: str, catalogue: Catalogue) -> set[Clock]:
    """Of conditions on properties that hold times."""
    return {
        clock
        for part in (walk(where) if where is not None else ())
        if isinstance(part, PropertyIs) and part.op in _DAYS and isinstance(part.value, int)
        for clock in clocks_of_property(event, part.key, part.op, part.value, catalogue.zone)
    }


def _reach(window: Window, catalogue: Catalogue) -> Reach:
    if window.within_days is not None:
        return timedelta(days=window.within_days)
    if window.within_hours is not None:
        return timedelta(hours=window.within_hours)
    if window.days_ago is not None:
        return timedelta(days=window.days_ago[0])
    return first_instant(window.since, catalogue.zone) if window.since else None


def _ages(window: Window) -> list[timedelta]:
    """Ages at which an event comes into the window or leaves it."""
    if window.within_days is not None:
        return [timedelta(days=window.within_days)]
    if window.within_hours is not None:
        return [timedelta(hours=window.within_hours)]
    if window.days_ago is not None:
        return [timedelta(days=days) for days in window.days_ago if days]
    return []

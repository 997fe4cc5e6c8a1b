"""What of a contact's events counts, what is made of it, and which of them follow one another. Plain Python."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.compare import compare_plain, exact, is_number
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    All,
    AnyOf,
    Measure,
    Node,
    Not,
    Op,
    PropertyIs,
    Step,
    Window,
    in_list,
)
from hongyan.audience.compiler.times import end_instant, first_instant


@dataclass(frozen=True, slots=True)
class Happened:
    """id: tells apart what happened at one instant."""

    name: str
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True, slots=True)
class Where:
    """Where in time the question is asked."""

    now: datetime
    zone: ZoneInfo


def counting(
    events: Sequence[Happened], name: str, window: Window, conditions: Node | None, where: Where
) -> list[Happened]:
    """Those that count, the earliest first; at one instant the smaller id first."""
    found = [
        event
        for event in events
        if event.name == name and in_window(window, event.at, where) and fulfils(event, conditions)
    ]
    return sorted(found, key=lambda event: (event.at, event.id))


def fulfils(event: Happened, conditions: Node | None) -> bool:
    return conditions is None or inside(conditions, lambda part: _holds(part, event.properties))


def _holds(part: PropertyIs, properties: Mapping[str, Any]) -> bool:
    among = in_list(part.key)
    if among is None:
        return property_holds(part.op, properties.get(part.key), part.value)
    if part.op in COMPLEMENTS:
        return not _holds(replace(part, op=COMPLEMENTS[part.op]), properties)
    things = properties.get(among[0])
    return isinstance(things, list) and any(
        property_holds(part.op, thing.get(among[1]), part.value) for thing in things if isinstance(thing, Mapping)
    )


def measure_of(measure: Measure, key: str | None, events: Sequence[Happened]) -> Any:
    """Of those that count, in their order. None when missing."""
    values = [event.properties.get(key) for event in events] if key is not None else []
    numbers = [exact(value) for value in values if is_number(value)]
    there = [value for value in values if value is not None and value != ""]
    match measure:
        case Measure.SUM:
            return sum(numbers, Fraction(0))
        case Measure.MIN:
            return min(numbers, default=None)
        case Measure.MAX:
            return max(numbers, default=None)
        case Measure.AVERAGE:
            return sum(numbers, Fraction(0)) / len(numbers) if numbers else None
        case Measure.FIRST:
            return there[0] if there else None
        case Measure.LAST:
            return there[-1] if there else None
        case Measure.FIRST_AT:
            return events[0].at if events else None
        case Measure.LAST_AT:
            return events[-1].at if events else None


def chain_after(
    steps: Sequence[Step], before: Happened, events: Sequence[Happened], where: Where
) -> list[Happened] | None:
    """Events in which the steps follow this one; None if there are none."""
    if not steps:
        return []
    step, further = steps[0], steps[1:]
    until = before.at + step.within.delta if step.within else where.now
    after = [
        event for event in counting(events, step.event, Window(), step.where, where) if before.at < event.at <= until
    ]
    if step.absent:
        return [] if until <= where.now and not after else None
    for event in after:
        found = chain_after(further, event, events, where)
        if found is not None:
            return [event, *found]
    return None


def in_window(window: Window, at: datetime, where: Where) -> bool:
    now, zone = where.now, where.zone
    if at > now:
        return False
    if window.within_days is not None:
        return at >= now - timedelta(days=window.within_days)
    if window.within_hours is not None:
        return at >= now - timedelta(hours=window.within_hours)
    if window.days_ago is not None:
        older, newer = window.days_ago
        return now - timedelta(days=older) <= at and (newer == 0 or at < now - timedelta(days=newer))
    if window.since is not None and at < first_instant(window.since, zone):
        return False
    return window.until is None or at < end_instant(window.until, zone)


def inside(node: Node, compare: Callable[[PropertyIs], bool]) -> bool:
    match node:
        case All(items):
            return all(inside(item, compare) for item in items)
        case AnyOf(items):
            return any(inside(item, compare) for item in items)
        case Not(item):
            return not inside(item, compare)
        case PropertyIs():
            return compare(node)
        case _:
            raise TypeError(type(node).__name__)


def property_holds(op: Op, have: Any, want: Any) -> bool:
    if op in COMPLEMENTS:
        return not property_holds(COMPLEMENTS[op], have, want)
    if op is Op.IS_SET:
        return have is not None and have != ""
    first = want[0] if isinstance(want, tuple) else want
    if isinstance(first, bool):
        return have is first
    fits = isinstance(have, str) if isinstance(first, str) else is_number(have)
    return fits and compare_plain(op, have, want)

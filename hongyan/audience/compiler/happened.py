"""What of a contact's events counts, what is made of it, and which of them follow one another. Plain Python."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.compare import compare_plain, exact, is_number
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    WITH_DAYS,
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
from hongyan.audience.compiler.times import LAST, end_instant, first_instant, shift, today
from hongyan.audience.compiler.written import Kind, Written, instant, of_times, read


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
        if event.name == name and in_window(window, event.at, where) and fulfils(event, conditions, where)
    ]
    return sorted(found, key=lambda event: (event.at, event.id))


def fulfils(event: Happened, conditions: Node | None, where: Where) -> bool:
    return conditions is None or inside(conditions, lambda part: _holds(part, event.properties, where))


def _holds(part: PropertyIs, properties: Mapping[str, Any], where: Where) -> bool:
    among = in_list(part.key)
    if among is None:
        return property_holds(part.op, properties.get(part.key), part.value, where)
    if part.op in COMPLEMENTS:
        return not _holds(replace(part, op=COMPLEMENTS[part.op]), properties, where)
    things = properties.get(among[0])
    return isinstance(things, list) and any(
        property_holds(part.op, thing.get(among[1]), part.value, where)
        for thing in things
        if isinstance(thing, Mapping)
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


def property_holds(op: Op, have: Any, want: Any, where: Where) -> bool:
    if op in COMPLEMENTS:
        return not property_holds(COMPLEMENTS[op], have, want, where)
    if op is Op.IS_SET:
        return have is not None and have != ""
    if of_times(op, want):
        found = read(have)
        return found is not None and _time_holds(op, found, want, where)
    first = want[0] if isinstance(want, tuple) else want
    if isinstance(first, bool):
        return have is first
    fits = isinstance(have, str) if isinstance(first, str) else is_number(have)
    return fits and compare_plain(op, have, want)


def _time_holds(op: Op, have: Written, want: Any, where: Where) -> bool:
    if have.kind is Kind.DAY and op in WITH_DAYS:
        return _day_in_window(op, have.at.date(), want, where)
    at = (have.at if have.kind is Kind.INSTANT else instant(have.at, where.zone)).replace(tzinfo=UTC)
    return at_in(op, at, want, where)


def at_in(op: Op, at: datetime, want: Any, where: Where) -> bool:
    """An instant compared."""
    now, zone = where.now, where.zone
    match op:
        case Op.BEFORE:
            return at < first_instant(want, zone)
        case Op.AFTER:
            return at >= end_instant(want, zone)
        case Op.BETWEEN:
            end = end_instant(want[1], zone)
            return first_instant(want[0], zone) <= at and (at < end or end == LAST)
        case Op.WITHIN_LAST_DAYS:
            return now - timedelta(days=want) <= at <= now
        case _:
            return now <= at <= now + timedelta(days=want)


def _day_in_window(op: Op, day: date, days: int, where: Where) -> bool:
    """Whole days, today included."""
    on = today(where.now, where.zone)
    return shift(on, -days) <= day <= on if op is Op.WITHIN_LAST_DAYS else on <= day <= shift(on, days)

"""Which events decided a condition about one contact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from django.db import connection

from hongyan.audience.compiler.happened import Happened, Where, chain_after, counting, measure_of
from hongyan.audience.compiler.nodes import (
    OF_NUMBERS,
    OF_VALUES,
    Did,
    Measure,
    Measured,
    Node,
)
from hongyan.audience.compiler.nodes import (
    Sequence as Chain,
)

SHOWN: Final = 5  # of the deciding events, the newest
_MOST: Final = 20_000  # of a contact's events that are looked through, the newest


@dataclass(frozen=True, slots=True)
class Deciding:
    """An event, for showing it and finding it on the person's timeline."""

    id: int
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """count: how many events counted (of a sequence: how many of its steps were found). events: the newest of them, or
    the steps in their order. value: what a measure or field comes to; None when missing. nearest: where nothing
    counted, the newest event of that name that came close, outside of the time or the conditions."""

    count: int | None = None
    events: tuple[Deciding, ...] = ()
    value: Any = None
    nearest: Deciding | None = None


def names_in(node: Node) -> set[str]:
    match node:
        case Did(event=name) | Measured(event=name):
            return {name}
        case Chain(steps):
            return {step.event for step in steps}
        case _:
            return set()


def events_of(contact_id: int, names: Iterable[str], *, now: datetime) -> list[Happened]:
    """Up to now, of these names."""
    wanted = sorted(names)
    if not wanted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, occurred_at, properties, id FROM events_event "
            "WHERE contact_id = %s AND name = ANY(%s::text[]) AND occurred_at <= %s "
            "ORDER BY occurred_at DESC, id DESC LIMIT %s",
            [contact_id, wanted, now, _MOST],
        )
        return [
            Happened(name, at, orjson.loads(properties) if isinstance(properties, str) else properties, number)
            for name, at, properties, number in cursor.fetchall()
        ]


def evidence_of(node: Node, events: Sequence[Happened], *, now: datetime, zone: ZoneInfo) -> Evidence | None:
    where = Where(now, zone)
    match node:
        case Did(event=name, window=window, where=conditions):
            found = counting(events, name, window, conditions, where)
            return Evidence(len(found), _newest(found), nearest=None if found else _nearest(events, name))
        case Measured():
            return _of_measure(node, events, where)
        case Chain():
            return _of_chain(node, events, where)
        case _:
            return None


def _of_measure(node: Measured, events: Sequence[Happened], where: Where) -> Evidence:
    found = counting(events, node.event, node.window, node.where, where)
    value = measure_of(node.measure, node.property, found)
    if node.measure in OF_NUMBERS:
        found = [event for event in found if measure_of(Measure.MIN, node.property, [event]) is not None]
        value = None if value is None else _plain(value)
    elif node.measure in OF_VALUES:
        found = [event for event in found if event.properties.get(node.property or "") not in (None, "")]
    count = len(found)
    if node.measure in {Measure.MIN, Measure.MAX}:
        found = [event for event in found if _plain(measure_of(Measure.MIN, node.property, [event])) == value]
    elif node.measure in {Measure.FIRST, Measure.FIRST_AT}:
        found = found[:1]
    elif node.measure in {Measure.LAST, Measure.LAST_AT}:
        found = found[-1:]
    return Evidence(count, _newest(found), value, None if count else _nearest(events, node.event))


def _plain(value: Any) -> int | float:
    """Exact while it is whole; else for reading."""
    return int(value) if value == int(value) else float(value)


def _of_chain(node: Chain, events: Sequence[Happened], where: Where) -> Evidence:
    """The first chain of all steps; else the longest beginning of one."""
    first = counting(events, node.steps[0].event, node.window, node.steps[0].where, where)
    for steps in range(len(node.steps) - 1, -1, -1):
        for event in first:
            found = chain_after(node.steps[1 : steps + 1], event, events, where)
            if found is not None:
                chain = [event, *found]
                return Evidence(steps + 1, tuple(map(_shown, chain)))
    return Evidence(0, nearest=_nearest(events, node.steps[0].event))


def _newest(events: Sequence[Happened]) -> tuple[Deciding, ...]:
    return tuple(map(_shown, reversed(events[-SHOWN:])))


def _nearest(events: Sequence[Happened], name: str) -> Deciding | None:
    close = [event for event in events if event.name == name]
    return _shown(max(close, key=lambda event: (event.at, event.id))) if close else None


def _shown(event: Happened) -> Deciding:
    return Deciding(event.id, event.name, event.at)

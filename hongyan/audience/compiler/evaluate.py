"""The meaning of a tree, written to be read rather than to be fast: one contact, plain Python, no rewriting.

The suite holds the SQL to this: where they differ, this file is what documentation and SQL must follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.emit import fold
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    All,
    AnyOf,
    ConsentIs,
    Did,
    Everyone,
    FieldIs,
    HasTag,
    HasTagOfGroup,
    InAudience,
    Node,
    Not,
    OnList,
    Op,
    PropertyIs,
    Window,
)
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.times import end_instant, first_instant, shift, today


@dataclass(frozen=True, slots=True)
class Happened:
    name: str
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a condition can ask about one contact."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    related: Mapping[str, Any] = field(default_factory=dict)  # by the field's key, in the unit people write
    filled: frozenset[str] = frozenset()  # sealed fields that have a value
    tag_ids: frozenset[int] = frozenset()
    list_ids: frozenset[int] = frozenset()
    consents: Mapping[tuple[str, str | None], str] = field(default_factory=dict)  # (channel, topic) → state
    events: tuple[Happened, ...] = ()


@dataclass(frozen=True, slots=True)
class _Where:
    """Where in time the question is asked."""

    now: datetime
    zone: ZoneInfo


def evaluate(node: Node, facts: Facts, catalogue: Catalogue, *, now: datetime) -> bool:
    def holds(part: Node) -> bool:
        return evaluate(part, facts, catalogue, now=now)

    match node:
        case Everyone():
            return True
        case All(items):
            return all(holds(item) for item in items)
        case AnyOf(items):
            return any(holds(item) for item in items)
        case Not(item):
            return not holds(item)
        case InAudience(public_id):
            return holds(parse(catalogue.audiences[public_id].tree))
        case HasTag(key):
            return catalogue.tags[key].id in facts.tag_ids
        case HasTagOfGroup(key):
            return bool(facts.tag_ids & set(catalogue.tag_groups[key].tag_ids))
        case OnList(public_id):
            return catalogue.lists[public_id].id in facts.list_ids
        case ConsentIs(channel, topic, state):
            return facts.consents.get((channel, topic), "none") == state
        case FieldIs(key, op, value):
            spec = catalogue.fields[key]
            return _compare(op, _value_of(facts, spec), value, spec.type, _Where(now, catalogue.zone))
        case Did():
            return _did(node, facts, catalogue, now)
        case _:
            raise TypeError(type(node).__name__)


def _value_of(facts: Facts, spec: FieldSpec) -> Any:
    """None when missing; a value of another kind than the field's type is missing too."""
    if spec.type is FieldType.SEALED:
        return "sealed" if spec.attribute in facts.filled else None
    if spec.table:
        value = facts.related.get(spec.key)
    else:
        value = facts.columns.get(spec.column) if spec.column else facts.attributes.get(spec.attribute)
    match spec.type:
        case FieldType.NUMBER:
            good = _is_number(value)
        case FieldType.BOOLEAN:
            good = isinstance(value, bool)
        case FieldType.CHOICES:
            good = isinstance(value, list)
        case FieldType.TIME:
            value = datetime.fromisoformat(value) if isinstance(value, str) and value else value
            good = isinstance(value, datetime)
        case FieldType.CHOICE:
            numbered = all(isinstance(choice.value, int) for choice in spec.choices)
            good = _is_number(value) if numbered else isinstance(value, str)
        case _:
            good = isinstance(value, str)
    return value if good and value != "" else None


def _compare(op: Op, have: Any, want: Any, kind: FieldType, where: _Where) -> bool:
    if op in COMPLEMENTS:
        return not _compare(COMPLEMENTS[op], have, want, kind, where)
    if have is None:
        return False
    if op is Op.IS_SET:
        return True
    if kind is FieldType.DATE:
        return _compare_days(op, have, want, today(where.now, where.zone))
    if kind is FieldType.TIME:
        return _compare_instants(op, have, want, where)
    if kind is FieldType.CHOICES:
        return want in have
    return _compare_plain(op, have, want)


def _compare_plain(op: Op, have: Any, want: Any) -> bool:
    match op:
        case Op.EQ:
            return _same(have, want)
        case Op.IN:
            return any(_same(have, item) for item in want)
        case Op.CONTAINS:
            return fold(want) in fold(have)
        case Op.STARTS_WITH:
            return fold(have).startswith(fold(want))
        case Op.BETWEEN:
            return _exact(want[0]) <= _exact(have) <= _exact(want[1])
        case Op.GT:
            return bool(_exact(have) > _exact(want))
        case Op.GE:
            return bool(_exact(have) >= _exact(want))
        case Op.LT:
            return bool(_exact(have) < _exact(want))
        case _:
            return bool(_exact(have) <= _exact(want))


def _compare_days(op: Op, have: str, want: Any, on: date) -> bool:
    match op:
        case Op.EQ:
            return bool(have == want)
        case Op.BEFORE:
            return bool(have < want)
        case Op.AFTER:
            return bool(have > want)
        case Op.BETWEEN:
            return bool(want[0] <= have <= want[1])
        case Op.WITHIN_LAST_DAYS:
            return shift(on, -want).isoformat() <= have <= on.isoformat()
        case _:
            return on.isoformat() <= have <= shift(on, want).isoformat()


def _compare_instants(op: Op, have: datetime, want: Any, where: _Where) -> bool:
    now, zone = where.now, where.zone
    match op:
        case Op.BEFORE:
            return bool(have < first_instant(want, zone))
        case Op.AFTER:
            return bool(have >= end_instant(want, zone))
        case Op.BETWEEN:
            return first_instant(want[0], zone) <= have < end_instant(want[1], zone)
        case Op.WITHIN_LAST_DAYS:
            return now - timedelta(days=want) <= have <= now
        case _:
            return now <= have <= now + timedelta(days=want)


def _did(node: Did, facts: Facts, catalogue: Catalogue, now: datetime) -> bool:
    times = 0
    for event in facts.events:
        if event.name != node.event or not _in_window(node.window, event.at, now, catalogue.zone):
            continue
        if node.where is None or _where(node.where, event.properties):
            times += 1
    if node.op is Op.NE:
        return times != node.count
    return _compare_plain(node.op, times, node.count)


def _in_window(window: Window, at: datetime, now: datetime, zone: ZoneInfo) -> bool:
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


def _where(node: Node, properties: Mapping[str, Any]) -> bool:
    match node:
        case All(items):
            return all(_where(item, properties) for item in items)
        case AnyOf(items):
            return any(_where(item, properties) for item in items)
        case Not(item):
            return not _where(item, properties)
        case PropertyIs(key, op, value):
            return _property(op, properties.get(key), value)
        case _:
            raise TypeError(type(node).__name__)


def _property(op: Op, have: Any, want: Any) -> bool:
    if op in COMPLEMENTS:
        return not _property(COMPLEMENTS[op], have, want)
    if op is Op.IS_SET:
        return have is not None and have != ""
    first = want[0] if isinstance(want, tuple) else want
    if isinstance(first, bool):
        return have is first
    fits = isinstance(have, str) if isinstance(first, str) else _is_number(have)
    return fits and _compare_plain(op, have, want)


def _same(have: Any, want: Any) -> bool:
    if isinstance(have, bool) or isinstance(want, bool):
        return have is want
    if _is_number(have) and _is_number(want):
        return _exact(have) == _exact(want)
    return bool(have == want)


def _exact(number: Any) -> Decimal:
    """The number as it was written: 0.1 is a tenth, as PostgreSQL's numeric holds it."""
    return Decimal(str(number))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)

"""The meaning of a tree, written to be read rather than to be fast: one contact, plain Python, no rewriting.

The suite holds every engine to this: where they differ, this file is what documentation and SQL must follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.compare import compare_plain, exact, is_number
from hongyan.audience.compiler.happened import (
    Happened,
    Where,
    at_in,
    chain_after,
    counting,
    fulfils,
    inside,
    measure_of,
    property_holds,
)
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    OF_NUMBERS,
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
    InAudience,
    Measured,
    Node,
    Not,
    OnList,
    Op,
    PropertyIs,
    Sequence,
)
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.times import shift, today

__all__ = ["Facts", "Happened", "Thing", "evaluate", "fulfils"]


@dataclass(frozen=True, slots=True)
class Thing:
    """A custom object. filled: its sealed fields that have a value."""

    type_key: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    filled: frozenset[str] = frozenset()


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
    things: tuple[Thing, ...] = ()


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
        case _:
            return _leaf(node, facts, catalogue, Where(now, catalogue.zone))


def _leaf(node: Node, facts: Facts, catalogue: Catalogue, where: Where) -> bool:
    match node:
        case FieldIs(key, op, value):
            spec = catalogue.fields[key]
            return _compare(op, _value_of(facts, spec), value, spec.type, where)
        case Did(event, op, count, window, conditions):
            return _count(op, len(counting(facts.events, event, window, conditions, where)), count)
        case Measured():
            return _measured(node, counting(facts.events, node.event, node.window, node.where, where), where)
        case Sequence(steps, window):
            first = counting(facts.events, steps[0].event, window, steps[0].where, where)
            return any(chain_after(steps[1:], event, facts.events, where) is not None for event in first)
        case HasObject(key, op, count, conditions):
            fields = catalogue.objects[key].fields
            things = [thing for thing in facts.things if thing.type_key == key]
            return _count(op, sum(_thing(conditions, thing, fields, where) for thing in things), count)
        case _:
            raise TypeError(type(node).__name__)


def _value_of(facts: Facts, spec: FieldSpec) -> Any:
    if spec.type is FieldType.SEALED:
        return "sealed" if spec.attribute in facts.filled else None
    if spec.table:
        return _fitting(facts.related.get(spec.key), spec)
    return _fitting(facts.columns.get(spec.column) if spec.column else facts.attributes.get(spec.attribute), spec)


def _fitting(value: Any, spec: FieldSpec) -> Any:
    """None when missing; a value of another kind than the field's type is missing too."""
    match spec.type:
        case FieldType.NUMBER:
            good = is_number(value)
        case FieldType.BOOLEAN:
            good = isinstance(value, bool)
        case FieldType.CHOICES:
            good = isinstance(value, list)
        case FieldType.TIME:
            value = datetime.fromisoformat(value) if isinstance(value, str) and value else value
            good = isinstance(value, datetime)
        case FieldType.CHOICE:
            numbered = all(isinstance(choice.value, int) for choice in spec.choices)
            good = is_number(value) if numbered else isinstance(value, str)
        case _:
            good = isinstance(value, str)
    return value if good and value != "" else None


def _thing(node: Node | None, thing: Thing, fields: Mapping[str, FieldSpec], where: Where) -> bool:
    def compare(part: PropertyIs) -> bool:
        spec = fields[part.key]
        return _compare(part.op, _value_in(thing, spec), part.value, spec.type, where)

    return node is None or inside(node, compare)


def _value_in(thing: Thing, spec: FieldSpec) -> Any:
    if spec.type is FieldType.SEALED:
        return "sealed" if spec.attribute in thing.filled else None
    value = thing.attributes.get(spec.attribute)
    if spec.digits is not None:  # {"amount_minor": 199900, "currency": "CNY"}
        fits = isinstance(value, Mapping) and value.get("currency") == spec.currency
        minor = value.get("amount_minor") if isinstance(value, Mapping) and fits else None
        return exact(minor) / 10**spec.digits if is_number(minor) else None
    return _fitting(value, spec)


def _compare(op: Op, have: Any, want: Any, kind: FieldType, where: Where) -> bool:
    if op in COMPLEMENTS:
        return not _compare(COMPLEMENTS[op], have, want, kind, where)
    if have is None:
        return False
    if op is Op.IS_SET:
        return True
    if kind is FieldType.DATE:
        return _compare_days(op, have, want, today(where.now, where.zone))
    if kind is FieldType.TIME:
        return at_in(op, have, want, where)
    if kind is FieldType.CHOICES:
        return want in have
    return compare_plain(op, have, want)


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


def _count(op: Op, times: int, count: int) -> bool:
    return times != count if op is Op.NE else compare_plain(op, times, count)


def _measured(node: Measured, events: list[Happened], where: Where) -> bool:
    value = measure_of(node.measure, node.property, events)
    if node.measure in OF_TIMES:
        return _compare(node.op, value, node.value, FieldType.TIME, where)
    if node.measure in OF_NUMBERS:
        return _compare(node.op, value, node.value, FieldType.NUMBER, where)
    return property_holds(node.op, value, node.value, where)

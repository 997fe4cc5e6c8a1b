"""What people did and have as SQL.

For everybody, a condition becomes a list of those who fulfil it, which the planner joins as a whole. For a few contacts
(``Asked.few``) it is looked up for each of them, through the index over their events.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol

from sqlglot import exp

from hongyan.audience.compiler.catalogue import Catalogue, FieldType
from hongyan.audience.compiler.compare import compare_plain
from hongyan.audience.compiler.emit_values import COMPARE, Comparisons, Exp, Get, is_set, number
from hongyan.audience.compiler.nodes import (
    EVER,
    OF_TIMES,
    OF_VALUES,
    Did,
    HasObject,
    Measure,
    Measured,
    Node,
    Op,
    PropertyIs,
    Scalar,
    Step,
    Value,
    Window,
)
from hongyan.audience.compiler.nodes import (
    Sequence as Chain,
)
from hongyan.audience.compiler.times import bounds

_EVENTS = "events_event"
_AGGREGATES = {
    Measure.SUM: exp.Sum,
    Measure.MIN: exp.Min,
    Measure.MAX: exp.Max,
    Measure.FIRST_AT: exp.Min,
    Measure.LAST_AT: exp.Max,
}


class Asked(Protocol):
    """The emitter, which stands above this module."""

    catalogue: Catalogue
    few: bool

    @property
    def values(self) -> Comparisons: ...
    def condition(self, node: Node, leaf: Callable[[PropertyIs], Exp] | None = None) -> Exp: ...


def did(ask: Asked, node: Did) -> Exp:
    conditions = _events(ask, "e", node.event, node.window, node.where)
    return _counted(ask, _EVENTS, conditions, node.op, node.count)


def has_object(ask: Asked, node: HasObject) -> Exp:
    spec = ask.catalogue.objects[node.type_key]
    conditions: list[Exp] = [exp.column("type_id", "e").eq(ask.values.bind(spec.id))]
    if node.where is not None:
        conditions.append(
            ask.condition(node.where, lambda part: ask.values.of_spec(part.op, part.value, spec.fields[part.key], "e"))
        )
    return _counted(ask, "contacts_objectrecord", conditions, node.op, node.count)


def measured(ask: Asked, node: Measured) -> Exp:
    conditions = _events(ask, "e", node.event, node.window, node.where)
    if node.property is not None and node.measure in OF_VALUES:
        return _value(ask, node, node.property, conditions)
    if node.property is not None:
        value = exp.JSONExtract(this=exp.column("properties", "e"), expression=ask.values.bind(node.property))
        kind = exp.Anonymous(this="jsonb_typeof", expressions=[value])
        conditions.append(exp.EQ(this=kind, expression=exp.Literal.string("number")))
    if node.op is Op.IS_SET:
        return _exists(_EVENTS, conditions)
    if node.measure is Measure.SUM and compare_plain(node.op, 0, node.value):
        # Who did nothing has a sum of 0, which fulfils this: everybody but those whose sum does not.
        return exp.Not(this=_grouped(ask, _EVENTS, conditions, exp.Not(this=exp.paren(_having(ask, node)))))
    return _grouped(ask, _EVENTS, conditions, _having(ask, node))


def sequence(ask: Asked, node: Chain) -> Exp:
    return _chain(ask, node.steps, 1, node.window)


def _having(ask: Asked, node: Measured) -> Exp:
    if node.measure in OF_TIMES:
        at = _aggregate(node.measure, lambda: exp.column("occurred_at", "e"))
        return ask.values.of_time(node.op, node.value, at, as_text=False)

    def numbers() -> Exp:
        return ask.values.from_json(exp.column("properties", "e"), node.property or "", "number")

    if node.measure is Measure.AVERAGE:
        return _average(ask, node.op, node.value, numbers)
    return ask.values.of_plain(node.op, node.value, _aggregate(node.measure, numbers), FieldType.NUMBER)


def _aggregate(measure: Measure, get: Get) -> Get:
    return lambda: _AGGREGATES[measure](this=get())


def _average(ask: Asked, op: Op, value: Value, get: Get) -> Exp:
    """Sum against value × count, for a quotient would be rounded."""
    several: tuple[Scalar | None, ...] = value if isinstance(value, tuple) else (value,)

    def held(kind: type[exp.Binary], one: object) -> Exp:
        wanted = exp.cast(ask.values.bind(number(one)), "decimal")
        return kind(this=exp.Sum(this=get()), expression=exp.Mul(this=wanted, expression=exp.Count(this=exp.Star())))

    if op is Op.IN:
        return exp.or_(*(held(exp.EQ, one) for one in dict.fromkeys(map(_decimal, several))))
    if op is Op.BETWEEN:
        return exp.and_(held(exp.GTE, several[0]), held(exp.LTE, several[1]))
    return held(COMPARE[op], value)


def _decimal(value: object) -> Decimal:
    return Decimal(str(value))


def _value(ask: Asked, node: Measured, key: str, conditions: list[Exp]) -> Exp:
    """The property in the first or last event where it is set."""
    conditions = [*conditions, ask.values.property_set(key, "e")]
    if node.op is Op.IS_SET:
        return _exists(_EVENTS, conditions)
    latest = node.measure is Measure.LAST
    order = [exp.Ordered(this=exp.column(name, "e"), desc=latest) for name in ("occurred_at", "id")]
    compared = ask.values.of_property(PropertyIs(key, node.op, node.value), "f")
    if ask.few:
        one = exp.select(exp.column("properties", "e")).from_(f"{_EVENTS} AS e").where(_same("e"), *conditions)
        return exp.Exists(this=exp.select("1").from_(one.order_by(*order).limit(1).subquery("f")).where(compared))
    who = exp.column("contact_id", "e")
    each = exp.select(who, exp.column("properties", "e")).from_(f"{_EVENTS} AS e")
    each = each.where(*conditions, is_set(who.copy())).distinct(who.copy()).order_by(who.copy(), *order)
    return exp.Exists(this=exp.select("1").from_(each.subquery("f")).where(_same("f"), compared))


def _chain(ask: Asked, steps: Sequence[Step], number_: int, window: Window) -> Exp:
    """There is an event of the first of these steps from which the others follow."""
    step, row = steps[0], f"e{number_}"
    conditions = [_same(row), *_events(ask, row, step.event, window, step.where)]
    if number_ > 1:
        conditions += _after(ask, row, number_ - 1, step)
    if len(steps) > 1 and steps[1].absent:
        last = steps[1]
        gone_by = exp.LTE(this=_later(ask, row, last), expression=ask.values.bind(ask.values.now))
        conditions += [gone_by, exp.Not(this=_chain(ask, steps[1:], number_ + 1, EVER))]
    elif len(steps) > 1:
        conditions.append(_chain(ask, steps[1:], number_ + 1, EVER))
    return exp.Exists(this=exp.select("1").from_(f"{_EVENTS} AS {row}").where(*conditions))


def _after(ask: Asked, row: str, before: int, step: Step) -> list[Exp]:
    at, earlier = exp.column("occurred_at", row), exp.column("occurred_at", f"e{before}")
    found: list[Exp] = [exp.GT(this=at, expression=earlier)]
    if step.within is not None:
        found.append(exp.LTE(this=at.copy(), expression=_later(ask, f"e{before}", step)))
    return found


def _later(ask: Asked, row: str, step: Step) -> Exp:
    """When the time of the step has gone by. In seconds: a day of an interval follows the session's zone."""
    seconds = int(step.within.delta.total_seconds()) if step.within else 0
    second = exp.cast(exp.Literal.string("1 second"), "interval")
    span = exp.Mul(this=exp.cast(ask.values.bind(seconds), "double precision"), expression=second)
    return exp.Add(this=exp.column("occurred_at", row), expression=exp.paren(span))


def _events(ask: Asked, row: str, name: str, window: Window, where: Node | None) -> list[Exp]:
    bind = ask.values.bind
    first, end = bounds(window, ask.values.now, ask.catalogue.zone)
    conditions: list[Exp] = [exp.column("name", row).eq(bind(name))]
    if first is not None:
        conditions.append(exp.GTE(this=exp.column("occurred_at", row), expression=bind(first)))
    conditions.append(exp.LT(this=exp.column("occurred_at", row), expression=bind(end)))
    if where is not None:
        conditions.append(ask.condition(where, lambda part: ask.values.of_property(part, row)))
    return conditions


def _counted(ask: Asked, table: str, conditions: list[Exp], op: Op, count: int) -> Exp:
    """≥ 1 asks for one row; other counts ask a grouped list of those who did, which joins as a whole."""
    if op is Op.GE and count == 1:
        return _exists(table, conditions)
    if ask.few:
        rows = exp.select("1").from_(f"{table} AS e").where(_same("e"), *conditions).limit(count + 1)
        found = exp.select(exp.Count(this=exp.Star())).from_(rows.subquery("n")).subquery()
        return COMPARE[op](this=found, expression=ask.values.bind(count))
    how_many = exp.Count(this=exp.Star())
    return _grouped(ask, table, conditions, COMPARE[op](this=how_many, expression=ask.values.bind(count)))


def _grouped(ask: Asked, table: str, conditions: list[Exp], having: Exp) -> Exp:
    """Who has such rows, and together they fulfil ``having``, which is never true of no rows."""
    if ask.few:
        rows = exp.select("1").from_(f"{table} AS e").where(_same("e"), *conditions)
        return exp.Exists(this=rows.having(having))
    who = exp.column("contact_id", "e")
    # Events of erased people have no contact; they must not form a group of their own.
    grouped = exp.select(who).from_(f"{table} AS e").where(*conditions, is_set(who.copy()))
    grouped = grouped.group_by(who.copy()).having(having)
    return exp.Exists(this=exp.select("1").from_(grouped.subquery("g")).where(_same("g")))


def _exists(table: str, conditions: list[Exp]) -> Exp:
    return exp.Exists(this=exp.select("1").from_(f"{table} AS e").where(_same("e"), *conditions))


def _same(row: str) -> Exp:
    return exp.column("contact_id", row).eq(exp.column("id", "c"))

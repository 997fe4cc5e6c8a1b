"""Comparisons as SQL: something that yields a value, an operator, what it is held against. Every value is bound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.compare import fold
from hongyan.audience.compiler.nodes import Op, PropertyIs, Value, in_list
from hongyan.audience.compiler.times import end_instant, first_instant, shift, today
from hongyan.audience.compiler.written import DAY, LOCAL, OFFSET, PLAIN, ZONED, Span, of_times, span

Exp = exp.Expr
Get = Callable[[], Exp]  # makes the expression anew each time, for sqlglot's nodes have one parent
COMPARE: dict[Op, type[exp.Binary]] = {Op.EQ: exp.EQ, Op.GT: exp.GT, Op.GE: exp.GTE, Op.LT: exp.LT, Op.LE: exp.LTE}


def spelled(expression: Exp) -> str:
    """As PostgreSQL reads it. The dialect is handed over itself: by its name, the first two threads that ask at once
    may get one that is still being made, and spell values as another database does."""
    return expression.sql(Postgres)


@dataclass(slots=True)
class Comparisons:
    catalogue: Catalogue
    now: datetime
    params: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: object) -> Exp:
        name = f"a{len(self.params)}"
        self.params[name] = value
        return exp.Placeholder(this=name)

    # ——— fields of contacts and objects

    def of_spec(self, op: Op, value: Value, spec: FieldSpec, row: str) -> Exp:
        """``row``: alias of the row in which the field stands under its column or in ``attributes``."""
        open_json = bool(spec.attribute) and spec.digits is None
        if open_json and spec.type in {FieldType.TEXT, FieldType.CHOICE, FieldType.BOOLEAN} and op is Op.EQ:
            return self.holds(row, "attributes", spec.attribute, value)
        if open_json and spec.type is FieldType.CHOICES and op is Op.CONTAINS:
            return self.holds(row, "attributes", spec.attribute, [value])
        get = self.getter(spec, row)
        match spec.type:
            case FieldType.SEALED:
                held = exp.Array(expressions=[self.bind(spec.attribute)])
                return exp.ArrayContainsAll(this=exp.column("filled", row), expression=exp.cast(held, "text[]"))
            case FieldType.DATE:
                return self.of_date(op, value, get)
            case FieldType.TIME:
                return self.of_time(op, value, get, as_text=bool(spec.attribute))
            case _:
                return self.of_plain(op, value, get, spec.type)

    def getter(self, spec: FieldSpec, row: str) -> Get:
        if spec.digits is not None:
            minor = (lambda: exp.column(spec.column, row)) if spec.column else self.minor_units(spec, row)
            unit = exp.Literal.number(10**spec.digits)
            return lambda: exp.Div(this=exp.cast(minor(), "decimal"), expression=unit.copy())
        if spec.column:
            return lambda: exp.column(spec.column, row)
        kinds = {FieldType.NUMBER: "number", FieldType.BOOLEAN: "boolean", FieldType.CHOICES: "array"}
        kind = kinds.get(spec.type, "string")
        if spec.type is FieldType.CHOICE and all(isinstance(choice.value, int) for choice in spec.choices):
            kind = "number"
        return lambda: self.from_json(exp.column("attributes", row), spec.attribute, kind)

    def minor_units(self, spec: FieldSpec, row: str) -> Get:
        """Money in jsonb: the amount if it is in the currency of the field."""

        def get() -> Exp:
            money = exp.JSONExtract(this=exp.column("attributes", row), expression=self.bind(spec.attribute))
            currency = exp.JSONExtractScalar(this=exp.paren(money), expression=self.bind("currency"))
            same = exp.EQ(this=exp.paren(currency), expression=self.bind(spec.currency))
            amount = self.from_json(exp.paren(money.copy()), "amount_minor", "number")
            return exp.Case(ifs=[exp.If(this=same, true=amount)])

        return get

    def from_json(self, holder: Exp, key: str, kind: str) -> Exp:
        """The value under ``key`` if it is of that JSON kind, else NULL: what was stored under an earlier type of the
        field counts as missing instead of failing the whole query."""
        inner = exp.JSONExtract(this=holder, expression=self.bind(key))
        text: Exp = exp.JSONExtractScalar(this=holder.copy(), expression=self.bind(key))
        if kind == "number":
            text = exp.cast(text, "decimal")
        elif kind == "string":
            text = exp.Nullif(this=text, expression=exp.Literal.string(""))  # an empty text is as good as none
        fits = exp.EQ(this=exp.Anonymous(this="jsonb_typeof", expressions=[inner]), expression=exp.Literal.string(kind))
        return exp.Case(ifs=[exp.If(this=fits, true=text)])

    def holds(self, row: str, column: str, key: str, value: object) -> Exp:
        """Containment, which a GIN index over the jsonb column answers."""
        part = exp.cast(self.bind(orjson.dumps({key: value}).decode()), "jsonb")
        return exp.ArrayContainsAll(this=exp.column(column, row), expression=part)

    # ——— properties of events

    def of_property(self, node: PropertyIs, row: str) -> Exp:
        value: Any = node.value
        among = in_list(node.key)
        if among is not None:
            return self.of_things(node, *among, row)
        if node.op is Op.IS_SET:
            return self.property_set(node.key, row)
        if node.op is Op.EQ:
            return self.holds(row, "properties", node.key, value)
        if of_times(node.op, value):
            text = exp.JSONExtractScalar(this=exp.column("properties", row), expression=self.bind(node.key))
            return self.of_written(span(node.op, value, self.now, self.catalogue.zone), exp.paren(text))
        first = value[0] if isinstance(value, tuple) else value
        kind, of = ("string", FieldType.TEXT) if isinstance(first, str) else ("number", FieldType.NUMBER)
        return self.of_plain(node.op, value, lambda: self.from_json(exp.column("properties", row), node.key, kind), of)

    def of_things(self, node: PropertyIs, key: str, inner: str, row: str) -> Exp:
        """One of the things in a list is so."""
        if node.op is Op.EQ:
            return self.holds(row, "properties", key, [{inner: node.value}])
        held = exp.JSONExtract(this=exp.column("properties", row), expression=self.bind(key))
        kind = exp.Anonymous(this="jsonb_typeof", expressions=[held])
        there = exp.If(this=exp.EQ(this=kind, expression=exp.Literal.string("array")), true=held.copy())
        things = exp.Anonymous(this="jsonb_array_elements", expressions=[exp.Case(ifs=[there])])
        name = exp.TableAlias(this=exp.to_identifier("p"), columns=[exp.to_identifier("properties")])
        asked = self.of_property(PropertyIs(inner, node.op, node.value), "p")
        return exp.Exists(this=exp.select("1").from_(exp.Table(this=things, alias=name)).where(asked))

    def property_set(self, key: str, row: str) -> Exp:
        inner = exp.JSONExtractScalar(this=exp.column("properties", row), expression=self.bind(key))
        return exp.NEQ(this=inner, expression=exp.Literal.string(""))

    # ——— texts, numbers, yes and no

    def of_plain(self, op: Op, value: Any, get: Get, kind: FieldType) -> Exp:
        match op:
            case Op.IS_SET:
                # An empty text is as good as none; for other types only NULL is missing.
                as_text = kind is FieldType.TEXT
                return exp.NEQ(this=get(), expression=exp.Literal.string("")) if as_text else is_set(get())
            case Op.IN:
                return get().eq(self.among(value))
            case Op.BETWEEN:
                low, high = map(number, value)
                return exp.and_(
                    exp.GTE(this=get(), expression=self.bind(low)), exp.LTE(this=get(), expression=self.bind(high))
                )
            case Op.CONTAINS:
                found = exp.Anonymous(this="strpos", expressions=[_folded(get()), self.bind(fold(value))])
                return exp.GT(this=found, expression=exp.Literal.number(0))
            case Op.STARTS_WITH:
                return exp.Anonymous(this="starts_with", expressions=[_folded(get()), self.bind(fold(value))])
            case _:
                return COMPARE[op](this=get(), expression=self.bind(number(value)))

    def among(self, values: Sequence[Any]) -> Exp:
        if all(isinstance(value, str) for value in values):
            return any_of(self.bind(list(values)), "text")
        return any_of(self.bind([Decimal(str(value)) for value in values]), "decimal")

    # ——— days and instants

    def of_date(self, op: Op, value: Any, get: Get) -> Exp:
        """Days of custom fields are ISO text of fixed width: comparing them byte by byte compares the days."""

        def day() -> Exp:
            return exp.Collate(this=exp.paren(get()), expression=exp.to_identifier("C", quoted=True))

        def bound(kind: type[exp.Binary], text: object) -> Exp:
            return kind(this=day(), expression=self.bind(str(text)))

        now_on = today(self.now, self.catalogue.zone)
        match op:
            case Op.IS_SET:
                return exp.NEQ(this=get(), expression=exp.Literal.string(""))
            case Op.EQ:
                return exp.EQ(this=get(), expression=self.bind(value))
            case Op.BEFORE:
                return bound(exp.LT, value)
            case Op.AFTER:
                return bound(exp.GT, value)
            case Op.BETWEEN:
                return exp.and_(bound(exp.GTE, value[0]), bound(exp.LTE, value[1]))
            case Op.WITHIN_LAST_DAYS:
                return exp.and_(bound(exp.GTE, shift(now_on, -value)), bound(exp.LTE, now_on))
            case _:
                return exp.and_(bound(exp.GTE, now_on), bound(exp.LTE, shift(now_on, value)))

    def of_time(self, op: Op, value: Any, get: Get, *, as_text: bool) -> Exp:
        """Instants of custom fields are ISO text in UTC ("…T10:00:00+00:00", with six digits of a second or none): they
        sort byte by byte as the instants do, for "+" comes before "."."""
        zone = self.catalogue.zone

        def bound(kind: type[exp.Binary], at: datetime) -> Exp:
            if not as_text:
                return kind(this=get(), expression=self.bind(at))
            text = exp.Collate(this=exp.paren(get()), expression=exp.to_identifier("C", quoted=True))
            return kind(this=text, expression=self.bind(at.astimezone(UTC).isoformat()))

        match op:
            case Op.IS_SET:
                return is_set(get())
            case Op.BEFORE:
                return bound(exp.LT, first_instant(value, zone))
            case Op.AFTER:
                return bound(exp.GTE, end_instant(value, zone))
            case Op.BETWEEN:
                first, end = first_instant(value[0], zone), end_instant(value[1], zone)
                return exp.and_(bound(exp.GTE, first), bound(exp.LT, end))
            case Op.WITHIN_LAST_DAYS:
                return exp.and_(bound(exp.GTE, self.now - timedelta(days=value)), bound(exp.LTE, self.now))
            case _:
                return exp.and_(bound(exp.GTE, self.now), bound(exp.LTE, self.now + timedelta(days=value)))

    def of_written(self, meant: Span, text: Exp) -> Exp:
        """A time written in a text that may be anything: each way of writing it with its own test, NULL for none. Only
        what has the form of a time is converted, so nothing in the data makes the statement fail."""

        def within(value: Exp, low: object, end: object, *, days: bool = False) -> Exp:
            tests: list[Exp] = []
            if low is not None:
                tests.append((exp.GT if days else exp.GTE)(this=value.copy(), expression=self.bind(low)))
            if end is not None:
                tests.append((exp.LTE if days else exp.LT)(this=value.copy(), expression=self.bind(end)))
            return exp.and_(*tests) if tests else is_set(value)

        plain, offset = _part(text, PLAIN), _part(text, OFFSET)
        instant = exp.DPipe(this=plain.copy(), expression=offset)
        day = exp.Collate(this=text.copy(), expression=exp.to_identifier("C", quoted=True))
        cases = [
            (DAY, text, "date", within(day, meant.days_after, meant.days_to, days=True)),
            (
                LOCAL,
                plain,
                "timestamp",
                within(exp.cast(plain.copy(), "timestamp"), meant.clock_first, meant.clock_end),
            ),
            (ZONED, instant, "timestamptz", within(exp.cast(instant.copy(), "timestamptz"), meant.first, meant.end)),
        ]
        return exp.Case(
            ifs=[
                exp.If(this=exp.and_(_like(text, form), _valid(read, kind)), true=test)
                for form, read, kind, test in cases
            ]
        )


def _part(text: Exp, form: str) -> Exp:
    return exp.Anonymous(this="substring", expressions=[text.copy(), exp.Literal.string(form)])


def _like(text: Exp, form: str) -> Exp:
    return exp.RegexpLike(this=text.copy(), expression=exp.Literal.string(form))


def _valid(text: Exp, kind: str) -> Exp:
    return exp.Anonymous(this="pg_input_is_valid", expressions=[text.copy(), exp.Literal.string(kind)])


def _folded(text: Exp) -> Exp:
    return exp.Lower(this=exp.Collate(this=exp.paren(text), expression=exp.to_identifier("C", quoted=True)))


def is_set(value: Exp) -> Exp:
    return exp.Not(this=is_null(value))


def is_null(value: Exp) -> Exp:
    return exp.Is(this=value, expression=exp.Null())


def any_of(values: Exp, kind: str) -> Exp:
    return exp.Any(this=exp.paren(exp.cast(values, f"{kind}[]")))


def number(value: Any) -> Any:
    """Floats become the decimal they were written as, so that 0.1 means 0.1 against numeric columns."""
    return Decimal(str(value)) if isinstance(value, float) else value

"""Rewritten nodes to one PostgreSQL SELECT of contact ids.

Text is built from sqlglot expressions; table, column and function names come from this file and from
``FieldSpec.column``; everything a person wrote, keys of custom fields included, is a bound value.

NULL: a missing value fulfils no positive leaf. Where a leaf is negated, IS NOT TRUE makes "unknown" into true, so a
negative leaf is the exact complement of its positive one. And/or then meet two values or harmless NULLs in WHERE.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from sqlglot import exp

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType
from hongyan.audience.compiler.nodes import (
    All,
    AnyOf,
    ConsentIs,
    Did,
    Everyone,
    FieldIs,
    HasTag,
    HasTagOfGroup,
    Node,
    Not,
    OnList,
    Op,
    PropertyIs,
    Window,
)
from hongyan.audience.compiler.times import bounds, end_instant, first_instant, shift, today
from hongyan.core.sql import SQL

Exp = exp.Expr
_COMPARE: dict[Op, type[exp.Binary]] = {Op.EQ: exp.EQ, Op.GT: exp.GT, Op.GE: exp.GTE, Op.LT: exp.LT, Op.LE: exp.LTE}


def emit(node: Node, catalogue: Catalogue, *, now: datetime) -> SQL:
    """``node`` as ``rewrite`` leaves it. now: aware; what "the last 30 days" and "so far" count from."""
    emitter = _Emitter(catalogue, now)
    query = exp.select(exp.column("id", "c")).from_("contacts_contact AS c")
    if node != Everyone():
        query = query.where(emitter.condition(node))
    return SQL(query.sql("postgres"), emitter.params)


@dataclass(slots=True)
class _Emitter:
    catalogue: Catalogue
    now: datetime
    params: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: object) -> Exp:
        name = f"a{len(self.params)}"
        self.params[name] = value
        return exp.Placeholder(this=name)

    def condition(self, node: Node) -> Exp:
        match node:
            case All(items):
                return exp.and_(*map(self.condition, items))
            case AnyOf(items):
                return exp.or_(*map(self.condition, items))
            case Not(Everyone()):
                return exp.Boolean(this=False)
            case Not(item):
                return self.complement(item)
            case Everyone():
                return exp.Boolean(this=True)
            case FieldIs():
                return self.of_field(node, self.catalogue.fields[node.key])
            case PropertyIs():
                return self.of_property(node)
            case HasTag(key):
                tag = self.bind(self.catalogue.tags[key].id)
                return _exists("audience_contacttag", _column("tag_id").eq(tag))
            case HasTagOfGroup(key):
                tags = self.bind(list(self.catalogue.tag_groups[key].tag_ids))
                return _exists("audience_contacttag", _column("tag_id").eq(_any(tags, "bigint")))
            case OnList(public_id):
                which = self.bind(self.catalogue.lists[public_id].id)
                return _exists("audience_listmember", _column("list_id").eq(which))
            case ConsentIs():
                return self.of_consent(node)
            case Did():
                return self.did(node)
            case _:
                raise TypeError(type(node).__name__)

    def complement(self, node: Node) -> Exp:
        positive = self.condition(node)
        if isinstance(positive, exp.Exists):
            return exp.Not(this=positive)  # never NULL, and the planner makes an anti-join of it
        return exp.Not(this=exp.Is(this=exp.paren(positive), expression=exp.Boolean(this=True)))

    # ——— fields

    def of_field(self, node: FieldIs, spec: FieldSpec) -> Exp:
        if not spec.table:
            return self.of_value(node, spec)
        same = exp.column(spec.theirs, "m").eq(exp.column(spec.ours, "c"))
        row = exp.select("1").from_(f"{spec.table} AS m").where(same, self.of_value(node, spec))
        return exp.Exists(this=row)

    def of_value(self, node: FieldIs, spec: FieldSpec) -> Exp:
        if spec.attribute and spec.type in {FieldType.TEXT, FieldType.CHOICE, FieldType.BOOLEAN} and node.op is Op.EQ:
            return self.holds("c", "attributes", spec.attribute, node.value)
        if spec.attribute and spec.type is FieldType.CHOICES and node.op is Op.CONTAINS:
            return self.holds("c", "attributes", spec.attribute, [node.value])
        get = self.getter(spec)
        match spec.type:
            case FieldType.SEALED:
                held = exp.Array(expressions=[self.bind(spec.attribute)])
                return exp.ArrayContainsAll(this=exp.column("filled", "c"), expression=exp.cast(held, "text[]"))
            case FieldType.DATE:
                return self.of_date(node, get)
            case FieldType.TIME:
                return self.of_time(node, get, as_text=bool(spec.attribute))
            case _:
                return self.of_plain(node.op, node.value, get, spec.type)

    def getter(self, spec: FieldSpec) -> Callable[[], Exp]:
        """Makes the expression of the field's value; a fresh one each time, for sqlglot nodes have one parent."""
        if spec.digits is not None:
            unit = exp.Literal.number(10**spec.digits)
            return lambda: exp.Div(this=exp.cast(exp.column(spec.column, "m"), "decimal"), expression=unit.copy())
        if spec.column:
            return lambda: exp.column(spec.column, "m" if spec.table else "c")
        kinds = {FieldType.NUMBER: "number", FieldType.BOOLEAN: "boolean", FieldType.CHOICES: "array"}
        kind = kinds.get(spec.type, "string")
        if spec.type is FieldType.CHOICE and all(isinstance(choice.value, int) for choice in spec.choices):
            kind = "number"
        return lambda: self.from_json("c", "attributes", spec.attribute, kind)

    def from_json(self, table: str, column: str, key: str, kind: str) -> Exp:
        """The value under ``key`` if it is of that JSON kind, else NULL: what was stored under an earlier type of the
        field counts as missing instead of failing the whole query."""
        inner = exp.JSONExtract(this=exp.column(column, table), expression=self.bind(key))
        text: Exp = exp.JSONExtractScalar(this=exp.column(column, table), expression=self.bind(key))
        if kind == "number":
            text = exp.cast(text, "decimal")
        elif kind == "string":
            text = exp.Nullif(this=text, expression=exp.Literal.string(""))  # an empty text is as good as none
        fits = exp.EQ(this=exp.Anonymous(this="jsonb_typeof", expressions=[inner]), expression=exp.Literal.string(kind))
        return exp.Case(ifs=[exp.If(this=fits, true=text)])

    def holds(self, table: str, column: str, key: str, value: object) -> Exp:
        """Containment, which a GIN index over the jsonb column answers."""
        part = exp.cast(self.bind(orjson.dumps({key: value}).decode()), "jsonb")
        return exp.ArrayContainsAll(this=exp.column(column, table), expression=part)

    def of_plain(self, op: Op, value: Any, get: Callable[[], Exp], kind: FieldType) -> Exp:
        as_text = kind is FieldType.TEXT
        match op:
            case Op.IS_SET:
                # An empty text is as good as none; for other types only NULL is missing.
                return exp.NEQ(this=get(), expression=exp.Literal.string("")) if as_text else _is_set(get())
            case Op.IN:
                return get().eq(self.among(value))
            case Op.BETWEEN:
                low, high = map(_number, value)
                return exp.and_(
                    exp.GTE(this=get(), expression=self.bind(low)), exp.LTE(this=get(), expression=self.bind(high))
                )
            case Op.CONTAINS:
                found = exp.Anonymous(this="strpos", expressions=[_folded(get()), self.bind(fold(value))])
                return exp.GT(this=found, expression=exp.Literal.number(0))
            case Op.STARTS_WITH:
                return exp.Anonymous(this="starts_with", expressions=[_folded(get()), self.bind(fold(value))])
            case _:
                return _COMPARE[op](this=get(), expression=self.bind(_number(value)))

    def among(self, values: tuple[Any, ...]) -> Exp:
        if all(isinstance(value, str) for value in values):
            return _any(self.bind(list(values)), "text")
        return _any(self.bind([Decimal(str(value)) for value in values]), "decimal")

    # ——— days and instants

    def of_date(self, node: FieldIs, get: Callable[[], Exp]) -> Exp:
        """Days of custom fields are ISO text of fixed width: comparing them byte by byte compares the days."""
        value: Any = node.value

        def day() -> Exp:
            return exp.Collate(this=exp.paren(get()), expression=exp.to_identifier("C", quoted=True))

        def bound(kind: type[exp.Binary], text: object) -> Exp:
            return kind(this=day(), expression=self.bind(str(text)))

        now_on = today(self.now, self.catalogue.zone)
        match node.op:
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

    def of_time(self, node: FieldIs, get: Callable[[], Exp], *, as_text: bool) -> Exp:
        """Instants of custom fields are ISO text in UTC ("…T10:00:00+00:00", with six digits of a second or none): they
        sort byte by byte as the instants do, for "+" comes before "."."""
        value: Any = node.value
        zone = self.catalogue.zone

        def bound(kind: type[exp.Binary], at: datetime) -> Exp:
            if not as_text:
                return kind(this=get(), expression=self.bind(at))
            text = exp.Collate(this=exp.paren(get()), expression=exp.to_identifier("C", quoted=True))
            return kind(this=text, expression=self.bind(at.astimezone(UTC).isoformat()))

        match node.op:
            case Op.IS_SET:
                return _is_set(get())
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

    # ——— consent

    def of_consent(self, node: ConsentIs) -> Exp:
        """No row means that the person never said anything, the same as a row that says "none"."""
        topic = self.catalogue.topic_ids[node.topic] if node.topic else None
        which = _is_null(_column("topic_id")) if topic is None else _column("topic_id").eq(self.bind(topic))
        same = (_column("channel").eq(self.bind(node.channel)), which)
        if node.state == "none":
            spoken = exp.NEQ(this=_column("state"), expression=self.bind("none"))
            return exp.Not(this=_exists("contacts_consentstate", *same, spoken))
        return _exists("contacts_consentstate", *same, _column("state").eq(self.bind(node.state)))

    # ——— events

    def did(self, node: Did) -> Exp:
        """≥ 1 asks for one row; other counts ask a grouped list of those who did, which joins as a whole."""
        conditions = [exp.column("name", "e").eq(self.bind(node.event)), *self.window(node.window)]
        if node.where is not None:
            conditions.append(self.condition(node.where))
        same = exp.column("contact_id", "e").eq(exp.column("id", "c"))
        if node.op is Op.GE and node.count == 1:
            rows = exp.select("1").from_("events_event AS e").where(same, *conditions)
            return exp.Exists(this=rows)
        # Events of erased people have no contact; they must not form a group of their own.
        conditions.append(_is_set(exp.column("contact_id", "e")))
        how_many = _COMPARE[node.op](this=exp.Count(this=exp.Star()), expression=self.bind(node.count))
        grouped = exp.select(exp.column("contact_id", "e")).from_("events_event AS e").where(*conditions)
        grouped = grouped.group_by(exp.column("contact_id", "e")).having(how_many)
        rows = exp.select("1").from_(grouped.subquery("g"))
        return exp.Exists(this=rows.where(exp.column("contact_id", "g").eq(exp.column("id", "c"))))

    def window(self, window: Window) -> list[Exp]:

        def at() -> Exp:
            return exp.column("occurred_at", "e")

        parts: list[Exp] = []
        first, end = bounds(window, self.now, self.catalogue.zone)
        if first is not None:
            parts.append(exp.GTE(this=at(), expression=self.bind(first)))
        return [*parts, exp.LT(this=at(), expression=self.bind(end))]

    def of_property(self, node: PropertyIs) -> Exp:
        value: Any = node.value
        if node.op is Op.IS_SET:
            inner = exp.JSONExtractScalar(this=exp.column("properties", "e"), expression=self.bind(node.key))
            return exp.NEQ(this=inner, expression=exp.Literal.string(""))
        if node.op is Op.EQ:
            return self.holds("e", "properties", node.key, value)
        first = value[0] if isinstance(value, tuple) else value
        kind = "string" if isinstance(first, str) else "number"
        field_type = FieldType.TEXT if kind == "string" else FieldType.NUMBER
        return self.of_plain(node.op, value, lambda: self.from_json("e", "properties", node.key, kind), field_type)


def fold(text: str) -> str:
    """A–Z to lower case and nothing else: what ``lower`` does under the C collation on every PostgreSQL, so that the
    answer does not depend on how the database was set up."""
    return "".join(letter.lower() if "A" <= letter <= "Z" else letter for letter in text)


def _folded(text: Exp) -> Exp:
    return exp.Lower(this=exp.Collate(this=exp.paren(text), expression=exp.to_identifier("C", quoted=True)))


def _is_set(value: Exp) -> Exp:
    return exp.Not(this=_is_null(value))


def _is_null(value: Exp) -> Exp:
    return exp.Is(this=value, expression=exp.Null())


def _any(values: Exp, kind: str) -> Exp:
    return exp.Any(this=exp.paren(exp.cast(values, f"{kind}[]")))


def _number(value: Any) -> Any:
    """Floats become the decimal they were written as, so that 0.1 means 0.1 against numeric columns."""
    return Decimal(str(value)) if isinstance(value, float) else value


def _column(name: str) -> exp.Column:
    return exp.column(name, "m")


def _exists(table: str, *conditions: Exp) -> Exp:
    same = exp.column("contact_id", "m").eq(exp.column("id", "c"))
    return exp.Exists(this=exp.select("1").from_(f"{table} AS m").where(same, *conditions))

"""Rewritten nodes to one PostgreSQL SELECT of contact ids.

Text is built from sqlglot expressions; table, column and function names come from these files and from
``FieldSpec.column``; everything a person wrote, keys of custom fields included, is a bound value.

NULL: a missing value fulfils no positive leaf. Where a leaf is negated, IS NOT TRUE makes "unknown" into true, so a
negative leaf is the exact complement of its positive one. And/or then meet two values or harmless NULLs in WHERE.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from hongyan.audience.compiler import emit_events as events
from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec
from hongyan.audience.compiler.compare import fold
from hongyan.audience.compiler.emit_values import Comparisons, Exp, any_of, is_null, spelled
from hongyan.audience.compiler.nodes import (
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
    PropertyIs,
)
from hongyan.audience.compiler.nodes import (
    Sequence as Chain,
)
from hongyan.core.sql import SQL

__all__ = ["emit", "emit_among", "fold"]
Leaf = Callable[[PropertyIs], Exp]


def emit(node: Node, catalogue: Catalogue, *, now: datetime) -> SQL:
    """``node`` as ``rewrite`` leaves it. now: aware; what "the last 30 days" and "so far" count from."""
    emitter = _Emitter(catalogue, Comparisons(catalogue, now), few=False)
    query = exp.select(exp.column("id", "c")).from_("contacts_contact AS c")
    if node != Everyone():
        query = query.where(emitter.condition(node))
    return SQL(spelled(query), emitter.values.params)


def emit_among(node: Node, catalogue: Catalogue, *, now: datetime, contact_ids: Sequence[int]) -> SQL:
    """Which of these contacts are meant. Fit for some hundreds: what each did is looked up by itself. The ids are bound
    as ``ids``, so the statement can be asked again with others."""
    emitter = _Emitter(catalogue, Comparisons(catalogue, now), few=True)
    among = exp.column("id", "c").eq(any_of(exp.Placeholder(this="ids"), "bigint"))
    query = exp.select(exp.column("id", "c")).from_("contacts_contact AS c").where(among)
    if node != Everyone():
        query = query.where(emitter.condition(node))
    return SQL(spelled(query), {"ids": list(contact_ids), **emitter.values.params})


@dataclass(slots=True)
class _Emitter:
    catalogue: Catalogue
    values: Comparisons
    few: bool

    def condition(self, node: Node, leaf: Leaf | None = None) -> Exp:
        """``leaf``: inside ``where``, how a property or a field of the object is compared."""
        match node:
            case All(items):
                return exp.and_(*(self.condition(item, leaf) for item in items))
            case AnyOf(items):
                return exp.or_(*(self.condition(item, leaf) for item in items))
            case Not(Everyone()):
                return exp.Boolean(this=False)
            case Not(item):
                return _complement(self.condition(item, leaf))
            case Everyone():
                return exp.Boolean(this=True)
            case PropertyIs() if leaf is not None:
                return leaf(node)
            case Did():
                return events.did(self, node)
            case Measured():
                return events.measured(self, node)
            case Chain():
                return events.sequence(self, node)
            case HasObject():
                return events.has_object(self, node)
            case _:
                return self.standing(node)

    def standing(self, node: Node) -> Exp:
        """What is so of a contact, whatever it did."""
        bind = self.values.bind
        match node:
            case FieldIs():
                return self.of_field(node, self.catalogue.fields[node.key])
            case HasTag(key):
                return _exists("audience_contacttag", _column("tag_id").eq(bind(self.catalogue.tags[key].id)))
            case HasTagOfGroup(key):
                tags = bind(list(self.catalogue.tag_groups[key].tag_ids))
                return _exists("audience_contacttag", _column("tag_id").eq(any_of(tags, "bigint")))
            case OnList(public_id):
                which = bind(self.catalogue.lists[public_id].id)
                return _exists("audience_listmember", _column("list_id").eq(which))
            case ConsentIs():
                return self.of_consent(node)
            case _:
                raise TypeError(type(node).__name__)

    def of_field(self, node: FieldIs, spec: FieldSpec) -> Exp:
        if not spec.table:
            return self.values.of_spec(node.op, node.value, spec, "c")
        same = exp.column(spec.theirs, "m").eq(exp.column(spec.ours, "c"))
        compared = self.values.of_spec(node.op, node.value, spec, "m")
        return exp.Exists(this=exp.select("1").from_(f"{spec.table} AS m").where(same, compared))

    def of_consent(self, node: ConsentIs) -> Exp:
        """No row means that the person never said anything, the same as a row that says "none"."""
        bind = self.values.bind
        topic = self.catalogue.topic_ids[node.topic] if node.topic else None
        which = is_null(_column("topic_id")) if topic is None else _column("topic_id").eq(bind(topic))
        same = (_column("channel").eq(bind(node.channel)), which)
        if node.state == "none":
            spoken = exp.NEQ(this=_column("state"), expression=bind("none"))
            return exp.Not(this=_exists("contacts_consentstate", *same, spoken))
        return _exists("contacts_consentstate", *same, _column("state").eq(bind(node.state)))


def _complement(positive: Exp) -> Exp:
    if isinstance(positive, exp.Exists):
        return exp.Not(this=positive)  # never NULL, and the planner makes an anti-join of it
    if isinstance(positive, exp.Not) and isinstance(positive.this, exp.Exists):
        return positive.this
    return exp.Not(this=exp.Is(this=exp.paren(positive), expression=exp.Boolean(this=True)))


def _column(name: str) -> exp.Column:
    return exp.column(name, "m")


def _exists(table: str, *conditions: Exp) -> Exp:
    same = exp.column("contact_id", "m").eq(exp.column("id", "c"))
    return exp.Exists(this=exp.select("1").from_(f"{table} AS m").where(same, *conditions))

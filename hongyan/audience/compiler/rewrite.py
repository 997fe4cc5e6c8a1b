"""Steps between check and emit, run in order; each keeps the meaning."""

from collections.abc import Callable
from dataclasses import replace

from hongyan.audience.compiler.canonical import spelling
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    All,
    AnyOf,
    Did,
    Everyone,
    FieldIs,
    HasObject,
    InAudience,
    Measured,
    Node,
    Not,
    Op,
    PropertyIs,
    Sequence,
    Step,
)
from hongyan.audience.compiler.parse import parse


def rewrite(node: Node, catalogue: Catalogue) -> Node:
    """Afterwards: no InAudience, only positive operators, Not only around leaves, no group in a group of its kind."""
    node = expand(node, catalogue)
    for step in STEPS:
        node = step(node)
    return node


def expand(node: Node, catalogue: Catalogue) -> Node:
    """Saved audiences are replaced by their definitions. Checked before: they exist and form no circle."""
    match node:
        case InAudience(public_id):
            return expand(parse(catalogue.audiences[public_id].tree), catalogue)
        case All(items, path):
            return All(tuple(expand(item, catalogue) for item in items), path)
        case AnyOf(items, path):
            return AnyOf(tuple(expand(item, catalogue) for item in items), path)
        case Not(item, path):
            return Not(expand(item, catalogue), path)
        case _:
            return node


def positive(node: Node) -> Node:
    """≠, not in, is not set and counts that include zero become negations of what can be looked up."""
    match node:
        case FieldIs(key, op, value, path) if op in COMPLEMENTS:
            return Not(FieldIs(key, COMPLEMENTS[op], value, path), path)
        case PropertyIs(key, op, value, path) if op in COMPLEMENTS:
            return Not(PropertyIs(key, COMPLEMENTS[op], value, path), path)
        case Did() | HasObject():
            return _positive_count(node)
        case Measured(op=op) if op in COMPLEMENTS:
            return Not(positive(replace(node, op=COMPLEMENTS[op])), node.path)
        case Measured(where=where) if where is not None:
            return replace(node, where=rewrite_where(where))
        case Sequence(steps):
            return replace(node, steps=tuple(map(_step, steps)))
        case All(items, path):
            return All(tuple(positive(item) for item in items), path)
        case AnyOf(items, path):
            return AnyOf(tuple(positive(item) for item in items), path)
        case Not(item, path):
            return Not(positive(item), path)
        case _:
            return node


def _step(step: Step) -> Step:
    return step if step.where is None else replace(step, where=rewrite_where(step.where))


def _positive_count(node: Did | HasObject) -> Node:
    """Counts are held to ≥ n or = n with n ≥ 1, which a list of those who did answers; the rest is who is not on it."""
    where = None if node.where is None else rewrite_where(node.where)

    def did(op: Op, count: int) -> Node:
        return replace(node, op=op, count=count, where=where)

    def at_least(count: int) -> Node:
        return did(Op.GE, count)

    def exactly(count: int) -> Node:
        return did(Op.EQ, count)

    count = node.count
    match node.op:
        case Op.GE:
            return at_least(count)
        case Op.GT:
            return at_least(count + 1)
        case Op.LT:
            return Not(at_least(count))
        case Op.LE:
            return Not(at_least(count + 1))
        case Op.EQ:
            return exactly(count) if count else Not(at_least(1))
        case _:
            return Not(exactly(count)) if count else at_least(1)


def rewrite_where(node: Node) -> Node:
    for step in STEPS:
        node = step(node)
    return node


def inward(node: Node, *, negated: bool = False) -> Node:
    """De Morgan: negation stands only around leaves. Leaves are two-valued, so this loses nothing."""
    match node:
        case Not(item):
            return inward(item, negated=not negated)
        case All(items, path):
            group: type[All | AnyOf] = AnyOf if negated else All
            return group(tuple(inward(item, negated=negated) for item in items), path)
        case AnyOf(items, path):
            group = All if negated else AnyOf
            return group(tuple(inward(item, negated=negated) for item in items), path)
        case _:
            return Not(node, node.path) if negated else node


def flat(node: Node) -> Node:
    """Groups in groups of their kind dissolve, repeats go, and what everyone or nobody fulfils is folded away."""
    match node:
        case All(items, path):
            return _flat_group(All, items, path, neutral=Everyone(), decisive=Not(Everyone()))
        case AnyOf(items, path):
            return _flat_group(AnyOf, items, path, neutral=Not(Everyone()), decisive=Everyone())
        case _:
            return node


def _flat_group(kind: type[All | AnyOf], items: tuple[Node, ...], path: str, *, neutral: Node, decisive: Node) -> Node:
    merged: list[Node] = []
    for item in map(flat, items):
        merged.extend(item.items if isinstance(item, kind) else (item,))
    # Told apart by spelling: in Python 1 == True, in a condition not.
    kept = [item for item in {spelling(item): item for item in merged}.values() if item != neutral]
    if decisive in kept:
        return decisive
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else kind(tuple(kept), path)


STEPS: tuple[Callable[[Node], Node], ...] = (positive, inward, flat)

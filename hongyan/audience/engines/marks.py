"""Conditions on properties over columns in memory: which events fulfil them. As ``where.Property.test`` says it."""

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR
from functools import reduce
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hongyan.audience.compiler.compare import fold
from hongyan.audience.compiler.happened import Where as When
from hongyan.audience.compiler.nodes import COMPLEMENTS, All, AnyOf, Everyone, Node, Not, Op, PropertyIs
from hongyan.audience.compiler.written import of_times, span
from hongyan.audience.engines.cells import Array, Cell, Texts
from hongyan.audience.engines.compare import EXACT, number
from hongyan.audience.engines.written import span_marked
from hongyan.events.history.types import Held

COMPARED: Final[Mapping[Op, Callable[[Any, Any], Array]]] = {
    Op.EQ: np.equal,
    Op.GT: np.greater,
    Op.GE: np.greater_equal,
    Op.LT: np.less,
    Op.LE: np.less_equal,
}
_BEYOND: Final = 2**62 + 1  # no number of 18 digits is as long, nor a sum


def marked(node: Node, cell: Cell, held: Mapping[str, Held], count: int, when: When) -> Array:
    """count: how many events the cell has."""

    def of(part: Node) -> Array:
        match part:
            case Everyone():
                return np.ones(count, np.bool_)
            case All(items):
                return reduce(np.logical_and, map(of, items))
            case AnyOf(items):
                return reduce(np.logical_or, map(of, items))
            case Not(item):
                return ~of(item)
            case PropertyIs(key, op, value, path) if op in COMPLEMENTS:
                return ~of(PropertyIs(key, COMPLEMENTS[op], value, path))
            case PropertyIs():
                return _leaf(part, cell, held[part.key], count, when)
            case _:
                raise TypeError(type(part).__name__)

    return of(node)


def _leaf(part: PropertyIs, cell: Cell, held: Held, count: int, when: When) -> Array:
    key, op, value, kinds = part.key, part.op, part.value, held.kinds
    first = value[0] if isinstance(value, tuple) else value
    if op is Op.IS_SET:
        return _set(key, cell, kinds, count)
    if of_times(op, value):
        if "s" not in kinds:
            return np.zeros(count, np.bool_)
        return _of_texts(cell.texts(key), span_marked(cell.times(key), span(op, value, when.now, when.zone)))
    if isinstance(first, bool) and "b" in kinds:
        flags = cell.flags("b", key)
        return np.logical_and(flags.there, np.equal(flags.true, first))
    if isinstance(first, str) and "s" in kinds:
        texts = cell.texts(key)
        return _of_texts(texts, _texts_marked(texts, op, value).to_numpy(zero_copy_only=False))
    if not isinstance(first, bool | str) and "n" in kinds:
        numbers = cell.numbers(key)
        return np.logical_and(numbers.there, numbers_marked(numbers.units, held.scale, op, value))
    return np.zeros(count, np.bool_)


def _set(key: str, cell: Cell, kinds: str, count: int) -> Array:
    found = np.zeros(count, np.bool_)
    if "s" in kinds:
        texts = cell.texts(key)
        found |= _of_texts(texts, pc.not_equal(texts.values, "").to_numpy(zero_copy_only=False))
    if "n" in kinds:
        found |= cell.numbers(key).there
    for kind in "bo":
        if kind in kinds:
            found |= cell.flags(kind, key).there
    return found


def _of_texts(texts: Texts, fulfilled: Array) -> Array:
    """fulfilled: by text. Events without one point at the last place, which is none."""
    found = np.append(fulfilled.astype(np.bool_), values=False)
    return np.asarray(found[texts.codes])


def _texts_marked(texts: Texts, op: Op, value: Any) -> pa.Array:
    match op:
        case Op.IN:
            return pc.is_in(texts.values, pa.array(list(value), pa.string()))
        case Op.CONTAINS:
            return pc.match_substring(texts.folded, fold(value))
        case Op.STARTS_WITH:
            return pc.starts_with(texts.folded, fold(value))
        case _:
            return pc.equal(texts.values, pa.scalar(value, pa.string()))


def numbers_marked(units: Array, scale: int, op: Op, value: Any) -> Array:
    """Whole numbers in the last of ``scale`` digits against a number as it was written."""
    match op:
        case Op.IS_SET:
            return np.ones(len(units), np.bool_)
        case Op.IN:
            return reduce(np.logical_or, [numbers_marked(units, scale, Op.EQ, one) for one in value])
        case Op.BETWEEN:
            low, high = value
            return numbers_marked(units, scale, Op.GE, low) & numbers_marked(units, scale, Op.LE, high)
        case _:
            wanted = number(value).scaleb(scale, EXACT)
            low, high = (int(wanted.to_integral_value(way, EXACT)) for way in (ROUND_FLOOR, ROUND_CEILING))
            if op is Op.EQ and low != high:
                return np.zeros(len(units), np.bool_)
            # x ≥ v as x ≥ ⌈v⌉, x < v as x < ⌈v⌉; x > v as x > ⌊v⌋, x ≤ v as x ≤ ⌊v⌋
            edge = high if op in {Op.GE, Op.LT} else low
            return COMPARED[op](units, max(-_BEYOND, min(_BEYOND, edge)))

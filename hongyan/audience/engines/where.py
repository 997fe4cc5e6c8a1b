"""Conditions inside ``where`` as a test of one row: an event's properties or an object's fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hongyan.audience.compiler.happened import Where as When
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    All,
    AnyOf,
    Everyone,
    Node,
    Not,
    Op,
    PropertyIs,
    walk,
)
from hongyan.audience.compiler.written import of_times, span
from hongyan.audience.engines.compare import Digits, number_test, text_test
from hongyan.audience.engines.dialects import Values
from hongyan.audience.engines.written import written_test


@dataclass(frozen=True, slots=True)
class Property:
    """The columns of one property in event rows; each is NULL where the value is of another kind. digits: of the
    column of numbers."""

    text: str
    number: str
    flag: str
    other: str
    digits: Digits

    def is_set(self) -> str:
        """A JSON null and an empty text are as good as none."""
        return (
            f"({self.text} <> '' OR {self.number} IS NOT NULL OR {self.flag} IS NOT NULL OR {self.other} IS NOT NULL)"
        )

    def test(self, op: Op, value: Any, values: Values, when: When) -> str:
        """Positive operators; NULL where the value is of another kind than what it is compared with."""
        if op is Op.IS_SET:
            return self.is_set()
        if of_times(op, value):
            return written_test(self.text, span(op, value, when.now, when.zone), values)
        first = value[0] if isinstance(value, tuple) else value
        if isinstance(first, bool):
            return self.flag if first else f"NOT {self.flag}"
        if isinstance(first, str):
            return text_test(self.text, op, value, values)
        return number_test(self.number, self.digits, op, value)


def keys_of(node: Node | None) -> list[str]:
    """Keys that a ``where`` asks about, in order."""
    found = [] if node is None else [part.key for part in walk(node) if isinstance(part, PropertyIs)]
    return list(dict.fromkeys(found))


def event_test(node: Node, properties: Mapping[str, Property], values: Values, when: When) -> str:
    return row_test(node, lambda part: properties[part.key].test(part.op, part.value, values, when))


def row_test(node: Node, of_leaf: Callable[[PropertyIs], str]) -> str:
    """of_leaf: test of a positive operator, which may be NULL for "no". The whole is true or (false or NULL); negations
    turn NULL into true."""

    def test(part: Node) -> str:
        match part:
            case Everyone():
                return "TRUE"
            case All(items):
                return f"({' AND '.join(map(test, items))})"
            case AnyOf(items):
                return f"({' OR '.join(map(test, items))})"
            case Not(item):
                return f"(({test(item)}) IS NOT TRUE)"
            case PropertyIs(key, op, value, path) if op in COMPLEMENTS:
                return f"(({of_leaf(PropertyIs(key, COMPLEMENTS[op], value, path))}) IS NOT TRUE)"
            case PropertyIs():
                return f"({of_leaf(part)})"
            case _:
                raise TypeError(type(part).__name__)

    return test(node)

"""The tree after parsing. ``path`` is the JSON pointer of the part it came from; it does not count for equality."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...] | None

MAX_DEPTH: Final = 12  # of one tree; deeper ones are not read by people and cost the planner dearly
MAX_NODES: Final = 200  # of one tree
MAX_EXPANDED: Final = 1000  # after other audiences are put in place
MAX_VALUES: Final = 1000  # of one ``in``
MAX_TEXT: Final = 400  # characters of one value
MAX_DAYS: Final = 36_500
MAX_COUNT: Final = 1_000_000


class Op(StrEnum):
    EQ = "="
    NE = "!="
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    BETWEEN = "between"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_LAST_DAYS = "within_last_days"
    WITHIN_NEXT_DAYS = "within_next_days"
    IS_SET = "is_set"
    IS_NOT_SET = "is_not_set"


# A negative operator is the exact complement of its positive one, so it also holds where the value is missing.
COMPLEMENTS: Final = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.IS_NOT_SET: Op.IS_SET}
WITHOUT_VALUE: Final = frozenset({Op.IS_SET, Op.IS_NOT_SET})
WITH_LIST: Final = frozenset({Op.IN, Op.NOT_IN})
WITH_PAIR: Final = frozenset({Op.BETWEEN})
WITH_DAYS: Final = frozenset({Op.WITHIN_LAST_DAYS, Op.WITHIN_NEXT_DAYS})
COUNT_OPS: Final = (Op.GE, Op.GT, Op.EQ, Op.NE, Op.LE, Op.LT)


@dataclass(frozen=True, slots=True)
class Everyone:
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class All:
    items: tuple["Node", ...]
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AnyOf:
    items: tuple["Node", ...]
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    item: "Node"
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class FieldIs:
    key: str
    op: Op
    value: Value = None
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HasTag:
    key: str
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HasTagOfGroup:
    key: str
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class OnList:
    public_id: str
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ConsentIs:
    channel: str
    topic: str | None
    state: str
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class InAudience:
    public_id: str
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class PropertyIs:
    """Inside ``where`` of an event condition."""

    key: str
    op: Op
    value: Value = None
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Did:
    """How often an event happened to the contact. Without a window: ever, up to now."""

    event: str
    op: Op = Op.GE
    count: int = 1
    within_days: int | None = None
    since: str | None = None  # first day or instant that counts
    until: str | None = None  # last day or instant that counts
    where: "Node | None" = None
    path: str = field(default="", compare=False)


Node = (
    Everyone | All | AnyOf | Not | FieldIs | HasTag | HasTagOfGroup | OnList | ConsentIs | InAudience | PropertyIs | Did
)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case All(items) | AnyOf(items):
            return items
        case Not(item):
            return (item,)
        case Did(where=where) if where is not None:
            return (where,)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)

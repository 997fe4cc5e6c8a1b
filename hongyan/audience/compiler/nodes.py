"""The tree after parsing. ``path`` is the JSON pointer of the part it came from; it does not count for equality."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
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
MAX_HOURS: Final = 24 * 366
MAX_COUNT: Final = 1_000_000
MIN_STEPS: Final = 2  # of a sequence
MAX_STEPS: Final = 5


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
    """Inside ``where``: a property of the event, or a field of the object. The key ``products[].category`` asks the
    things of a list: one of them is so (and, of a negative operator, none)."""

    key: str
    op: Op
    value: Value = None
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Window:
    """Which times count; at most one way of saying it is used. Nothing after now ever counts. Empty: ever, up to now.
    ``times.bounds`` makes instants of it."""

    within_days: int | None = None  # the last n × 24 hours
    within_hours: int | None = None
    since: str | None = None  # first day or instant that counts
    until: str | None = None  # last day or instant that counts
    days_ago: tuple[int, int] | None = None  # (older, newer), older > newer ≥ 0: n × 24 hours back from now

    @property
    def ever(self) -> bool:
        return self == Window()


EVER: Final = Window()


@dataclass(frozen=True, slots=True)
class Did:
    """How often an event happened to the contact."""

    event: str
    op: Op = Op.GE
    count: int = 1
    window: Window = EVER
    where: "Node | None" = None
    path: str = field(default="", compare=False)


class Measure(StrEnum):
    """What is made of the events of a part, besides counting them (``Did``)."""

    SUM = "sum"  # of the numbers under the property; 0 without any
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"
    FIRST = "first"  # the property's value in the earliest event where it is set, of equal times the smallest id
    LAST = "last"  # … in the latest one, of equal times the greatest id
    FIRST_AT = "first_at"  # when the earliest event happened
    LAST_AT = "last_at"


OF_NUMBERS: Final = frozenset({Measure.SUM, Measure.MIN, Measure.MAX, Measure.AVERAGE})
OF_VALUES: Final = frozenset({Measure.FIRST, Measure.LAST})
OF_TIMES: Final = frozenset({Measure.FIRST_AT, Measure.LAST_AT})


@dataclass(frozen=True, slots=True)
class Measured:
    """A value made of the contact's events, compared. Missing when no event takes part, except a sum, which is 0."""

    event: str
    measure: Measure
    property: str | None  # None exactly for OF_TIMES
    op: Op
    value: Value = None
    window: Window = EVER
    where: "Node | None" = None
    path: str = field(default="", compare=False)


class Unit(StrEnum):
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"  # of 24 hours


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as it was written: 2 days and 48 hours last as long and read differently."""

    n: int
    unit: Unit

    @property
    def delta(self) -> timedelta:
        return timedelta(**{self.unit.value: self.n})


@dataclass(frozen=True, slots=True)
class Step:
    """``absent``: only as the last step, and then with ``within``: no such event in (t, t + within] after the step
    before at t, and t + within is not after now."""

    event: str
    where: "Node | None" = None
    within: Span | None = None  # not later than this after the step before; never of the first step
    absent: bool = False
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """There is a chain of events, each strictly later than the one before; the window is of its first step. Any chain
    suffices."""

    steps: tuple[Step, ...]
    window: Window = EVER
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HasObject:
    """How many things of a kind the contact has."""

    type_key: str
    op: Op = Op.GE
    count: int = 1
    where: "Node | None" = None
    path: str = field(default="", compare=False)


Node = (
    Everyone
    | All
    | AnyOf
    | Not
    | FieldIs
    | HasTag
    | HasTagOfGroup
    | OnList
    | ConsentIs
    | InAudience
    | PropertyIs
    | Did
    | Measured
    | Sequence
    | HasObject
)


_IN_LIST: Final = re.compile(r"(.+?)\[\]\.([^\[\]]+)")


def in_list(key: str) -> tuple[str, str] | None:
    """Of a property that asks the things of a list: the list, and what is asked of each.

    >>> in_list("products[].category"), in_list("category")
    (('products', 'category'), None)
    """
    found = _IN_LIST.fullmatch(key)
    return (found[1], found[2]) if found else None


def asks_lists(node: Node) -> bool:
    """Whether a condition inside asks the things of a list."""
    return any(isinstance(part, PropertyIs) and in_list(part.key) for part in walk(node))


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case All(items) | AnyOf(items):
            return items
        case Not(item):
            return (item,)
        case Did(where=where) | Measured(where=where) | HasObject(where=where) if where is not None:
            return (where,)
        case Sequence(steps):
            return tuple(step.where for step in steps if step.where is not None)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)

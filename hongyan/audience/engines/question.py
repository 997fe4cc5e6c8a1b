"""One question: nodes to bits, each condition asked once, however many trees it stands in."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from typing import Protocol

from hongyan.audience.compiler.canonical import spelling
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.nodes import (
    All,
    AnyOf,
    Did,
    Everyone,
    FieldIs,
    HasObject,
    Measured,
    Node,
    Not,
    Sequence,
    children,
)
from hongyan.audience.compiler.rewrite import expand
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.events import Compiler
from hongyan.audience.engines.quick import Quick
from hongyan.audience.engines.reader import Reader
from hongyan.audience.engines.types import Leaf, Unanswerable
from hongyan.audience.engines.where import keys_of


class Population(Protocol):
    """The people as one reader sees them."""

    @property
    def size(self) -> int: ...

    def everyone(self) -> Bits: ...

    def everybody(self) -> Leaf:
        """The same to be asked of the reader. Raises Unanswerable when it would not know."""

    def leaf(self, node: Node) -> Leaf:
        """What is so of a contact, whatever it did. Raises Unanswerable when its columns do not hold it."""


@dataclass(slots=True)
class Question:
    """quick: what may be in memory already, of an engine inside this process. fallback: who fulfils a leaf, from
    PostgreSQL in the same snapshot."""

    catalogue: Catalogue
    reader: Reader
    people: Population
    events: Compiler
    quick: Quick | None
    fallback: Callable[[Node, int], Bits]
    _known: dict[str, Bits] = field(default_factory=dict)
    _read: dict[str, Bits] = field(default_factory=dict)  # of leaves, as the reader said

    def bits(self, node: Node) -> Bits:
        """Raises what the reader raises when its engine fails."""
        return self._of(expand(node, self.catalogue))

    def prepare(self, nodes: Iterable[Node]) -> None:
        """Ask the reader about all conditions of these at once."""
        leaves: dict[str, Leaf] = {}
        for node in nodes:
            for part in _conditions(expand(node, self.catalogue)):
                with suppress(Unanswerable):
                    leaves.setdefault(spelling(part), self._asked(part))
        with suppress(Unanswerable):  # one of them: then each by itself
            found = self.reader.all_bits(list(leaves.values()), self.people.size) if leaves else []
            self._read = dict(zip(leaves, found, strict=True))

    def _of(self, node: Node) -> Bits:
        key = spelling(node)
        if key not in self._known:
            self._known[key] = self._make(node)
        return self._known[key]

    def _make(self, node: Node) -> Bits:
        match node:
            case Everyone():
                return self._read.get(spelling(node)) or self.people.everyone()
            case All(items):
                return reduce(Bits.__and__, map(self._of, items))
            case AnyOf(items):
                return reduce(Bits.__or__, map(self._of, items))
            case Not(item):
                return self._of(Everyone()) - self._of(item)
            case _:
                return self._leaf(node)

    def _leaf(self, node: Node) -> Bits:
        size, everyone = self.people.size, self._of(Everyone())
        if self.quick is not None and isinstance(node, Did | Measured):
            with suppress(Unanswerable):
                return everyone & self.quick.bits(node)
        try:
            leaf = self._asked(node)
            found = self._read.get(spelling(node)) or self.reader.bits(leaf, size)
        except Unanswerable:
            return everyone & self.fallback(node, size)
        return everyone - found if leaf.inverted else everyone & found

    def _asked(self, node: Node) -> Leaf:
        match node:
            case Everyone():
                return self.people.everybody()
            case Did() | Measured() | Sequence():
                return self.events.leaf(node)
            case _:
                return self.people.leaf(node)


def _conditions(node: Node) -> Iterator[Node]:
    """What is asked of people, and everyone, whom every answer needs."""
    yield Everyone()
    parts = [node]
    while parts:
        part = parts.pop()
        match part:
            case All(items) | AnyOf(items):
                parts.extend(items)
            case Not(item):
                parts.append(item)
            case _:
                yield part


@dataclass(slots=True)
class Subjects:
    """What trees speak of: events with their properties, fields, kinds of objects with their fields."""

    events: set[str] = field(default_factory=set)
    properties: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    objects: dict[str, set[str]] = field(default_factory=dict)

    def read(self, node: Node) -> None:
        """node: expanded."""
        match node:
            case Did():
                self.events.add(node.event)
                self.properties.update(keys_of(node.where))
            case Measured():
                self.events.add(node.event)
                self.properties.update([node.property] if node.property else [], keys_of(node.where))
            case Sequence(steps):
                for step in steps:
                    self.events.add(step.event)
                    self.properties.update(keys_of(step.where))
            case FieldIs():
                self.fields.add(node.key)
            case HasObject():
                self.objects.setdefault(node.type_key, set()).update(keys_of(node.where))
            case _:
                for child in children(node):
                    self.read(child)

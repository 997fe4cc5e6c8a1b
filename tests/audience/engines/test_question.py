"""One question: each condition is asked once, and of an engine to which statements are dear all together."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa

from hongyan.audience.compiler.nodes import Node
from hongyan.audience.compiler.parse import parse
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.events import Compiler
from hongyan.audience.engines.question import Question
from hongyan.audience.engines.reader import Reader
from hongyan.audience.engines.types import Ids, Leaf, Query, Unanswerable
from hongyan.events.history.store import Store
from tests.audience.catalogue import small_catalogue

CITY = {"field": "city", "op": "=", "value": "上海"}
ADULT = {"field": "custom.points", "op": ">=", "value": 3}
TREE: dict[str, Any] = {"all": [{"any": [CITY, ADULT]}, {"not": CITY}]}


class Asked(Reader):
    """Knows who has which field, and notes what it was asked. long: some sum has too many digits."""

    def __init__(self, *, long: bool = False) -> None:
        self.long, self.asked = long, list[tuple[str, ...]]()

    def files(self, _store: Store, _paths: Sequence[str]) -> str:
        raise AssertionError("nothing here lies in files")

    def table(self, _rows: pa.Table) -> str:
        raise AssertionError("nothing here has waiting rows")

    def bits(self, leaf: Leaf, size: int) -> Bits:
        self.asked.append((leaf.query.text,))
        return self._known(leaf, size)

    def all_bits(self, leaves: Sequence[Leaf], size: int) -> list[Bits]:
        self.asked.append(tuple(leaf.query.text for leaf in leaves))
        if self.long:
            raise Unanswerable("digits")
        return [self._known(leaf, size) for leaf in leaves]

    def _known(self, leaf: Leaf, size: int) -> Bits:
        held = {"everybody": [1, 2, 3, 4], "city": [1, 2], "custom.points": [2, 3]}
        return Bits.of_ids(np.array(held[leaf.query.text], np.int64), size)


class Four:
    size = 4

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def everyone(self) -> Bits:
        return self.reader.bits(self.everybody(), self.size)

    def everybody(self) -> Leaf:
        return Ids(Query("everybody"))

    def leaf(self, node: Node) -> Leaf:
        return Ids(Query(getattr(node, "key", "")))


def question(reader: Reader) -> Question:
    def nobody(_node: Node, _size: int) -> Bits:
        raise AssertionError

    return Question(small_catalogue(), reader, Four(reader), cast("Compiler", None), None, nobody)


def test_all_conditions_go_together() -> None:
    reader = Asked()
    asked, node = question(reader), parse(TREE)
    asked.prepare([node, parse(CITY)])
    assert asked.bits(node).ids().tolist() == [3]
    assert asked.bits(parse(CITY)).ids().tolist() == [1, 2]
    assert [sorted(one) for one in reader.asked] == [["city", "custom.points", "everybody"]]


def test_when_one_cannot_be_said_each_is_asked_by_itself() -> None:
    reader = Asked(long=True)
    asked, node = question(reader), parse(TREE)
    asked.prepare([node])
    assert asked.bits(node).ids().tolist() == [3]
    assert sorted(reader.asked[1:]) == [("city",), ("custom.points",), ("everybody",)]

"""``ask`` for modules that every process imports: DuckDB and Arrow, 150 MB, come along when somebody first asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.engines.types import Engine

if TYPE_CHECKING:
    from hongyan.audience.engines.answers import Answer


def ask(
    node: Node, *, catalogue: Catalogue | None = None, now: datetime | None = None, engine: Engine | str = Engine.AUTO
) -> "Answer":
    return ask_many([node], catalogue=catalogue, now=now, engine=engine)[0]


def ask_many(
    nodes: Sequence[Node],
    *,
    catalogue: Catalogue | None = None,
    now: datetime | None = None,
    engine: Engine | str = Engine.AUTO,
) -> "list[Answer]":
    from hongyan.audience.engines import ask as found

    return found.ask_many(nodes, catalogue=catalogue, now=now, engine=engine)


def routed(engine: Engine | str = Engine.AUTO) -> Engine:
    from hongyan.audience.engines import ask as found

    return found.routed(engine)

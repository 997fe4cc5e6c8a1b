"""Who belongs to an audience, as a statement and as a set of numbers."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.engines.door import ask, ask_many, routed
from hongyan.audience.engines.types import Engine
from hongyan.audience.errors import BadTree
from hongyan.audience.segments import checked, compile_members
from hongyan.core import clock
from hongyan.core.sql import SQL

Ids = NDArray[np.int64]
Bits = NDArray[np.bool_]
_NAMES = re.compile(r"%\((\w+)\)s")


def members_sql(tree: Any, *, catalogue: Catalogue, now: datetime | None = None) -> SQL:
    """A SELECT of their ids. Raises BadTree."""
    return compile_members(tree, catalogue=catalogue, now=now)


def member_ids(tree: Any, *, catalogue: Catalogue, now: datetime | None = None) -> Ids:
    """Their ids, ascending. Raises BadTree."""
    answer = ask(checked(tree, catalogue=catalogue), catalogue=catalogue, now=now)
    return np.asarray(answer.ids().to_numpy(zero_copy_only=False), dtype=np.int64)


def member_sets(trees: Sequence[Any], *, catalogue: Catalogue) -> list[Ids | None]:
    """The members of each, all as of one moment; None where a stored definition is no longer right."""
    if routed() is not Engine.POSTGRES:
        return _from_columns(trees, catalogue)
    texts: list[str] = []
    params: dict[str, Any] = {}
    places: list[int] = []
    now = clock.now()
    for number, tree in enumerate(trees):
        try:
            members = members_sql(tree, catalogue=catalogue, now=now)
        except BadTree:
            continue
        places.append(number)
        # Each statement has its values under names of its own.
        own = _NAMES.sub(rf"%(s{number}_\1)s", members.text)
        texts.append(f"(SELECT array_agg(id) FROM ({own}) m{number})")
        params |= {f"s{number}_{name}": value for name, value in members.params.items()}
    found: list[Ids | None] = [None] * len(trees)
    if texts:
        for place, ids in zip(places, rows.query(f"SELECT {', '.join(texts)}", params)[0], strict=True):
            found[place] = np.sort(np.array(ids or [], dtype=np.int64))
    return found


def _from_columns(trees: Sequence[Any], catalogue: Catalogue) -> list[Ids | None]:
    found: list[Ids | None] = [None] * len(trees)
    nodes: dict[int, Node] = {}
    for place, tree in enumerate(trees):
        with suppress(BadTree):
            nodes[place] = checked(tree, catalogue=catalogue)
    for place, answer in zip(nodes, ask_many(list(nodes.values()), catalogue=catalogue), strict=True):
        found[place] = np.asarray(answer.ids().to_numpy(zero_copy_only=False), dtype=np.int64)
    return found


def as_bits(sets: Sequence[Ids]) -> list[Bits]:
    """The sets as rows of equally many bits, so that shared members are counted by ``and``."""
    width = max((int(ids[-1]) + 1 for ids in sets if ids.size), default=1)
    made = []
    for ids in sets:
        bits = np.zeros(width, dtype=np.bool_)
        bits[ids] = True
        made.append(bits)
    return made

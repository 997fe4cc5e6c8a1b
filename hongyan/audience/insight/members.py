"""Who belongs to an audience, as a statement and as a set of numbers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.segments import compile_members
from hongyan.core.sql import SQL

Ids = NDArray[np.int64]
Bits = NDArray[np.bool_]


def members_sql(tree: Any, *, catalogue: Catalogue, now: datetime | None = None) -> SQL:
    """A SELECT of their ids. Raises BadTree."""
    return compile_members(tree, catalogue=catalogue, now=now)


def member_ids(tree: Any, *, catalogue: Catalogue, now: datetime | None = None) -> Ids:
    """Their ids, ascending. Raises BadTree."""
    members = members_sql(tree, catalogue=catalogue, now=now)
    # One array instead of a row each: a million ids arrive as one value.
    found = rows.query(f"SELECT array_agg(id) FROM ({members.text}) members", members.params)[0][0]
    return np.sort(np.array(found or [], dtype=np.int64))


def as_bits(sets: Sequence[Ids]) -> list[Bits]:
    """The sets as rows of equally many bits, so that shared members are counted by ``and``."""
    width = max((int(ids[-1]) + 1 for ids in sets if ids.size), default=1)
    made = []
    for ids in sets:
        bits = np.zeros(width, dtype=np.bool_)
        bits[ids] = True
        made.append(bits)
    return made

"""How many people audiences share."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from hongyan.audience.insight.members import Ids, as_bits

MOST: Final = 20  # audiences in one matrix: more no longer fit on a page, nor in a reader's head


@dataclass(frozen=True, slots=True)
class Overlap:
    """sizes: of each; shared[i][j]: people in both, the diagonal holding the sizes; union: people in any of them."""

    sizes: tuple[int, ...]
    shared: tuple[tuple[int, ...], ...]
    union: int

    def share(self, i: int, j: int) -> float:
        """Which part of audience i is in audience j as well."""
        return self.shared[i][j] / self.sizes[i] if self.sizes[i] else 0.0


@dataclass(frozen=True, slots=True)
class Region:
    """People who are in exactly these audiences (by number) and in no other of those compared."""

    inside: tuple[int, ...]
    size: int


def overlap(sets: Sequence[Ids]) -> Overlap:
    bits = as_bits(sets)
    shared = [[0] * len(sets) for _ in sets]
    for i, ids in enumerate(sets):
        shared[i][i] = int(ids.size)
    for i, j in combinations(range(len(sets)), 2):
        shared[i][j] = shared[j][i] = int(np.count_nonzero(bits[i] & bits[j]))
    union = int(np.count_nonzero(np.logical_or.reduce(bits))) if bits else 0
    return Overlap(tuple(int(ids.size) for ids in sets), tuple(map(tuple, shared)), union)


def regions(sets: Sequence[Ids]) -> list[Region]:
    """The parts of a Venn diagram of two or three sets: alone first, then what two share, then what all share."""
    if not 2 <= len(sets) <= 3:
        raise ValueError(len(sets))
    bits = as_bits(sets)
    code = sum((row.astype(np.int8) << place for place, row in enumerate(bits)), np.zeros_like(bits[0], dtype=np.int8))
    counts = np.bincount(code, minlength=2 ** len(sets))
    inside = [tuple(place for place in range(len(sets)) if mask >> place & 1) for mask in range(1, 2 ** len(sets))]
    found = [Region(places, int(counts[sum(1 << place for place in places)])) for places in inside]
    return sorted(found, key=lambda region: (len(region.inside), region.inside))

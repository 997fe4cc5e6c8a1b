"""Sets of dense contact ids as bits. A million people are 125 kB, and and/or/not over them take microseconds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Bits:
    """Bit ``id - 1``, the lowest of a byte first: the order of Spark's bitmaps. All sets of one question are equally
    long; ids beyond are dropped, for nobody there is in the population."""

    data: Bytes

    @classmethod
    def of_ids(cls, ids: Numbers, size: int) -> "Bits":
        """size: the greatest id. ids: in any order, repeats allowed."""
        held = np.zeros(size + 1, np.bool_)
        if len(ids) and (int(ids.max()) > size or int(ids.min()) < 1):
            ids = ids[(ids <= size) & (ids >= 1)]
        held[ids] = True
        return cls.of_flags(held[1:])

    @classmethod
    def of_flags(cls, held: NDArray[np.bool_]) -> "Bits":
        return cls(np.packbits(held, bitorder="little"))

    @classmethod
    def of_tally(cls, ids: Numbers, values: NDArray[Any], size: int, test: Callable[[Any], Any]) -> "Bits":
        """test: over the array of sums; it holds for no zero. Sums are exact below 2**53."""
        if len(ids) and (int(ids.max()) > size or int(ids.min()) < 1):
            kept = (ids <= size) & (ids >= 1)
            ids, values = ids[kept], values[kept]
        return cls.of_flags(test(np.bincount(ids, weights=values, minlength=size + 1)[1:]))

    @classmethod
    def of_extremes(
        cls, ids: Numbers, times: Numbers, size: int, *, earliest: bool, low: int | None, end: int | None
    ) -> "Bits":
        """Whose earliest (or latest) time is in [low, end)."""
        if len(ids) and (int(ids.max()) > size or int(ids.min()) < 1):
            kept = (ids <= size) & (ids >= 1)
            ids, times = ids[kept], times[kept]
        limits = np.iinfo(np.int64)
        nothing = limits.max if earliest else limits.min
        found = np.full(size + 1, nothing, np.int64)
        (np.minimum if earliest else np.maximum).at(found, ids, times)
        held = found != nothing
        if low is not None:
            held &= found >= low
        if end is not None:
            held &= found < end
        return cls.of_flags(held[1:])

    @classmethod
    def none(cls, size: int) -> "Bits":
        return cls(np.zeros((size + 7) // 8, np.uint8))

    def __and__(self, other: "Bits") -> "Bits":
        return Bits(self.data & other.data)

    def __or__(self, other: "Bits") -> "Bits":
        return Bits(self.data | other.data)

    def __sub__(self, other: "Bits") -> "Bits":
        return Bits(self.data & ~other.data)

    @property
    def nbytes(self) -> int:
        return int(self.data.nbytes)

    def count(self) -> int:
        return int(np.bitwise_count(self.data).sum(dtype=np.int64))

    def ids(self) -> Numbers:
        """Ascending."""
        return np.flatnonzero(np.unpackbits(self.data, bitorder="little")) + 1

    def last(self, n: int) -> list[int]:
        """The greatest ids, descending; looks only as far down as it must."""
        found: list[int] = []
        end = len(self.data)
        while end > 0 and len(found) < n:
            begin = max(0, end - 65_536)
            some = np.flatnonzero(np.unpackbits(self.data[begin:end], bitorder="little")) + begin * 8 + 1
            found.extend(int(one) for one in some[::-1][: n - len(found)])
            end = begin
        return found

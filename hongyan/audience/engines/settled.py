"""Sums of a property over the files of months gone by: added up once for all questions whose window holds them whole.

A window slides over its oldest month and over the newest one, whose files are replaced by the minute; what lies between
is the same from one question to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hongyan.audience.engines.cells import Array, Numbers
from hongyan.audience.engines.kept import Kept
from hongyan.audience.engines.sources import EVER, FileSource, Span, cut_to
from hongyan.audience.engines.types import Unanswerable

MOST: Final = 2**62  # sums stay below
FEWEST: Final = 3  # files; of fewer the sums are made as quickly as they are copied
_DENSE: Final = 8  # a contact takes a place whether it has events or not: no more places than so many an event
_HALF: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Sums:
    """units: by contact id, in the last of ``scale`` digits. most: no sum of some is greater, whatever its sign."""

    units: Array
    scale: int
    most: int

    @property
    def nbytes(self) -> int:
        return int(self.units.nbytes)


def settled(files: Sequence[FileSource], window: Span) -> list[FileSource]:
    """Of files with numbers of a property, those worth adding up once; perhaps none."""
    newest = max((source.cell.file.month for source in files), default=None)
    found = [
        source for source in files if source.cell.file.month != newest and cut_to(window, source.cell.whole) == EVER
    ]
    places = max((source.cell.file.high for source in found), default=0)
    return found if len(found) >= FEWEST and places <= _DENSE * sum(one.cell.file.events for one in found) else []


def added_up(files: Sequence[FileSource], key: str, kept: Kept) -> Sums:
    """files: not empty. Raises Unanswerable."""
    name = (files[0].cell.store.root, tuple(source.cell.file.path for source in files), f"sum:{key}")
    found: Sums | None = kept.find(name)
    if found is None:  # files are read before: whoever makes a piece must not wait for another one
        scale = max(source.held[key].scale for source in files)
        parts = [
            (source.cell.moments().ids, source.cell.numbers(key), 10 ** (scale - source.held[key].scale))
            for source in files
        ]
        found = kept.get(name, lambda: _added(parts, scale))
    return found


def _added(parts: Sequence[tuple[Array, Numbers, int]], scale: int) -> Sums:
    """parts: whose, how much, and by what that is multiplied to be in the last of ``scale`` digits."""
    most = sum(numbers.most * finer * len(ids) for ids, numbers, finer in parts)
    if most > MOST:
        raise Unanswerable("digits")
    units: NDArray[np.int64] = np.zeros(max(int(ids.max(initial=0)) for ids, _, _ in parts) + 1, np.int64)
    for ids, numbers, finer in parts:
        np.add.at(units, ids, numbers.units if finer == 1 else numbers.units * finer)
    return Sums(units.astype(np.int32) if most <= _HALF else units, scale, most)

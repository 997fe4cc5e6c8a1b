"""What has events of one name: the files whose columns this process keeps, and the tail; which of their events lie in a
window and fulfil conditions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from hongyan.audience.compiler.happened import Where as When
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.engines.cells import Array, Cell, Columns, FileCell
from hongyan.audience.engines.kept import Kept
from hongyan.audience.engines.marks import marked
from hongyan.audience.engines.reader import Events
from hongyan.audience.engines.types import Unanswerable
from hongyan.events.history.types import Held, HistoryFile

Span = tuple[int | None, int | None]  # [low, end) in µs; None: without end
_LONGEST: Final = 18  # digits of a number in 64 bits
EVER: Final[Span] = (None, None)


@dataclass(frozen=True, slots=True)
class Source:
    """held: of the properties a question asks about."""

    cell: Cell
    held: Mapping[str, Held]


@dataclass(frozen=True, slots=True)
class FileSource(Source):
    cell: FileCell


@dataclass(frozen=True, slots=True)
class Sources:
    """What has events of one name in a window. Rows of stale contacts in files do not count; in the tail all do."""

    files: Sequence[FileSource]
    tail: Source | None

    @property
    def counting(self) -> Iterator[tuple[Source, bool]]:
        """With: whether stale contacts are in it."""
        yield from ((source, True) for source in self.files)
        if self.tail is not None:
            yield self.tail, False


@dataclass(slots=True)
class Opened:
    """size: no contact has a greater id."""

    events: Events
    kept: Kept
    now: datetime
    zone: ZoneInfo
    size: int
    _stale: Array | None = field(default=None, kw_only=True)

    def sources(self, name: str, keys: Sequence[str], window: Span) -> Sources:
        files = list(self._files(name, window))
        held = [{key: self.events.held(file, key) for key in keys} for file in files]
        self._fits(files, keys)
        found = [
            FileSource(FileCell(file, self.events.store, self.kept), properties)
            for file, properties in zip(files, held, strict=True)
        ]
        tail = self.events.tail(name, tuple(keys))
        return Sources(found, None if tail is None else Source(Columns.of(tail.rows), tail.held))

    def _files(self, name: str, window: Span) -> Iterator[HistoryFile]:
        low, end = window
        for file in self.events.snapshot.files:
            within = (low is None or file.last >= low) and (end is None or file.first < end)
            if file.name == name and file.rows and within:  # all its people may be such that no file holds
                yield file

    def _fits(self, files: Sequence[HistoryFile], keys: Sequence[str]) -> None:
        """What would push itself out of memory is better read by the engine that spills."""
        if sum(file.events * (12 + 9 * len(keys)) if keys else file.rows * 5 for file in files) > self.kept.room:
            raise Unanswerable("memory")

    def chosen(self, source: Source, where: Node | None, window: Span) -> Array | None:
        """Which events are in the window and as the conditions say; None: all."""
        inside = cut_to(window, source.cell.whole)
        times = source.cell.moments().times
        chosen = None if inside == EVER else within(times, inside)
        if where is None:
            return chosen
        for held in source.held.values():
            self.refuse_long(held)
        return both_of(chosen, marked(where, source.cell, source.held, len(times), When(self.now, self.zone)))

    def counting(self, ids: Array, *, stale: bool) -> Array | None:
        """Which of these are not stale, nor beyond the population; None: all."""
        known = None if ids.max(initial=0) <= self.size else ids <= self.size
        return both_of(known, ~np.isin(ids, self.stale_ids())) if stale and len(self.stale_ids()) else known

    def refuse_long(self, held: Held) -> None:
        if "n" in held.kinds and held.precision > _LONGEST:
            raise Unanswerable("digits")

    def stale_ids(self) -> Array:
        if self._stale is None:
            stale = self.events.snapshot.stale.to_numpy(zero_copy_only=False)
            self._stale = stale[stale <= self.size]
        return self._stale


def cut_to(window: Span, whole: tuple[int, int]) -> Span:
    """The window without the ends that cut nothing off."""
    low, end = window
    return (None if low is None or low <= whole[0] else low), (None if end is None or end > whole[1] else end)


def within(times: Array, window: Span) -> Array:
    low, end = window
    after = None if low is None else np.greater_equal(times, low)
    before = None if end is None else np.less(times, end)
    found = both_of(after, before)
    return np.ones(len(times), np.bool_) if found is None else found


def ids_within(cell: Cell, window: Span) -> Array:
    moments, inside = cell.moments(), cut_to(window, cell.whole)
    return moments.ids if inside == EVER else picked(moments.ids, within(moments.times, inside))


def both_of(one: Array | None, other: Array | None) -> Array | None:
    if one is None or other is None:
        return other if one is None else one
    return np.logical_and(one, other)


def picked(values: Array, which: Array | None) -> Array:
    """Places first, then values: a sixth of the time of a mask, wherever the true ones lie."""
    return values if which is None else values.take(np.flatnonzero(which))


def overlap(one: Span, other: Span) -> Span:
    lows = [low for low, _ in (one, other) if low is not None]
    ends = [end for _, end in (one, other) if end is not None]
    return max(lows, default=None), min(ends, default=None)

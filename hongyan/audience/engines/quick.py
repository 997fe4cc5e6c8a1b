"""Counts, times and measures of events from columns this process holds in memory: what ``events.Compiler`` says as
statements, in a tenth of the time. The same answer to the last digit, or none at all: then the statement is asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import reduce
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hongyan.audience.compiler.happened import Where as When
from hongyan.audience.compiler.nodes import (
    COMPLEMENTS,
    OF_NUMBERS,
    OF_TIMES,
    Did,
    Measure,
    Measured,
    Node,
    Op,
    asks_lists,
)
from hongyan.audience.compiler.times import bounds
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.cells import Array, Cell, Columns, Counts, FileCell
from hongyan.audience.engines.compare import instant_bounds, micros, number
from hongyan.audience.engines.events import asked
from hongyan.audience.engines.kept import Kept
from hongyan.audience.engines.marks import COMPARED, marked, numbers_marked
from hongyan.audience.engines.reader import Events
from hongyan.audience.engines.types import Unanswerable
from hongyan.audience.engines.where import keys_of
from hongyan.events.history.types import Held, HistoryFile

Span = tuple[int | None, int | None]  # [low, end) in µs; None: without end
_LONGEST: Final = 18  # digits of a number in 64 bits
_EVER: Final[Span] = (None, None)
_MOST: Final = 2**62  # sums stay below


@dataclass(frozen=True, slots=True)
class _Source:
    """held: of the properties a question asks about."""

    cell: Cell
    held: Mapping[str, Held]


@dataclass(frozen=True, slots=True)
class _Sources:
    """What has events of one name in a window. Rows of stale contacts in files do not count; in the tail all do."""

    files: Sequence[_Source]
    tail: _Source | None

    @property
    def counting(self) -> Iterator[tuple[_Source, bool]]:
        """With: whether stale contacts are in it."""
        yield from ((source, True) for source in self.files)
        if self.tail is not None:
            yield self.tail, False


@dataclass(slots=True)
class Quick:
    """size: no contact has a greater id."""

    events: Events
    kept: Kept
    now: datetime
    zone: ZoneInfo
    size: int
    _stale: Array | None = field(default=None)

    def bits(self, node: Did | Measured) -> Bits:
        """Raises Unanswerable: ask the statement."""
        if asks_lists(node):
            raise Unanswerable("list")
        first, end = bounds(node.window, self.now, self.zone)
        window = None if first is None else micros(first), micros(end)
        if isinstance(node, Did):
            op, count, inverted = asked(node.op, node.count)
            found = self._did(node, window, op, count)
        else:
            inverted, op = node.op in COMPLEMENTS, COMPLEMENTS.get(node.op, node.op)
            found = self._measured(node, window, op)
        return self._others(found) if inverted else found

    def _others(self, found: Bits) -> Bits:
        """Of all ids there may be; whoever asks takes those who exist."""
        return Bits(~found.data)

    # ——— counts

    def _did(self, node: Did, window: Span, op: Op, count: int) -> Bits:
        once = op is Op.GE and count == 1
        if node.where is None:
            return self._ever(node.event, window) if once else self._often(node.event, window, op, count)
        sources = self._sources(node.event, keys_of(node.where), window)
        tally: NDArray[np.int64] = np.zeros(self.size + 1, np.int64)
        for source in sources.files:
            self._tally(tally, self._those(source, node.where, window))
        tally[self._stale_ids()] = 0
        if sources.tail is not None:
            self._tally(tally, self._those(sources.tail, node.where, window))
        return _flags(COMPARED[op](tally, count))

    def _those(self, source: _Source, where: Node | None, window: Span) -> Array:
        """Whose the events are, once for each."""
        return picked(source.cell.moments().ids, self._chosen(source, where, window))

    def _tally(self, tally: Array, ids: Array) -> None:
        np.add.at(tally, ids if len(tally) > ids.max(initial=0) else ids[ids < len(tally)], tally.dtype.type(1))

    def _ever(self, name: str, window: Span) -> Bits:
        held: NDArray[np.uint8] = np.zeros((self.size + 7) // 8, np.uint8)
        sources = self._sources(name, (), window)
        for source in sources.files:
            self._add(held, self._who(source.cell, window))
        if len(self._stale_ids()):
            held &= ~Bits.of_ids(self._stale_ids(), self.size).data
        if sources.tail is not None:
            self._add(held, self._who(sources.tail.cell, window))
        return Bits(held)

    def _who(self, cell: Cell, window: Span) -> Bits:
        low, end = _inside(window, cell.whole)
        if low is None and end is None:
            return cell.who()
        if low is None or end is None:
            edges = cell.edges()
            kept = edges.last >= low if end is None else edges.first < end
            return Bits.of_ids(picked(edges.ids, kept), self.size)
        moments = cell.moments()
        return Bits.of_ids(picked(moments.ids, _within(moments.times, (low, end))), self.size)

    def _add(self, held: NDArray[np.uint8], more: Bits) -> None:
        length = min(len(held), len(more.data))
        held[:length] |= more.data[:length]

    def _often(self, name: str, window: Span, op: Op, count: int) -> Bits:
        sources = self._sources(name, (), window)
        cells = [source.cell for source in sources.files]
        counts = [cell.counts() for cell in cells]
        tail = 0 if sources.tail is None else sources.tail.cell.counts().most
        # Bytes are added up many times as fast as long numbers.
        tally = np.zeros(self.size + 1, np.min_scalar_type(sum(one.most for one in counts) + tail))
        for cell, held in zip(cells, counts, strict=True):
            if _inside(window, cell.whole) == _EVER:
                self._add_up(tally, held)
            else:
                self._tally(tally, _ids_within(cell, window))
        tally[self._stale_ids()] = 0
        if sources.tail is not None:
            self._tally(tally, _ids_within(sources.tail.cell, window))
        return _flags(COMPARED[op](tally, count))

    def _add_up(self, tally: Array, counts: Counts) -> None:
        if counts.by_contact:
            low, high = int(counts.ids[0]), min(int(counts.ids[0]) + len(counts.n), self.size + 1)
            tally[low:high] += counts.n[: max(0, high - low)]
        else:
            kept = slice(0, int(np.searchsorted(counts.ids, self.size, side="right")))
            tally[counts.ids[kept]] += counts.n[kept]

    # ——— measures

    def _measured(self, node: Measured, window: Span, op: Op) -> Bits:
        if node.measure in OF_NUMBERS:
            return self._numbers(node, window, op)
        if node.measure in OF_TIMES:
            meant = instant_bounds(op, node.value, self.now, self.zone)
            return self._edge(node, window, meant) if node.where is None else self._times(node, window, meant)
        raise Unanswerable("values")

    def _edge(self, node: Measured, window: Span, meant: Span) -> Bits:
        """The latest time is in a span when something happened in it and nothing after it."""
        there = self._ever(node.event, _both(window, meant))
        low, end = meant
        beyond = (None, low) if node.measure is Measure.FIRST_AT else (end, None)
        if beyond == _EVER:
            return there
        return there - self._ever(node.event, _both(window, beyond))

    def _times(self, node: Measured, window: Span, meant: Span) -> Bits:
        ids, times = [], []
        keys = keys_of(node.where)
        for source, stale in self._sources(node.event, keys, window).counting:
            moments = source.cell.moments()
            chosen = _and(self._chosen(source, node.where, window), self._counting(moments.ids, stale=stale))
            ids.append(picked(moments.ids, chosen))
            times.append(picked(moments.times, chosen))
        earliest, (low, end) = node.measure is Measure.FIRST_AT, meant
        return Bits.of_extremes(_joined(ids), _joined(times), self.size, earliest=earliest, low=low, end=end)

    def _numbers(self, node: Measured, window: Span, op: Op) -> Bits:
        if op is Op.IS_SET and node.measure is Measure.SUM:
            return Bits(~Bits.none(self.size).data)
        values, scale = self._values(node, window)
        if node.measure in {Measure.MIN, Measure.MAX}:
            return self._extreme(node, op, values, scale)
        sums: NDArray[np.int64] = np.zeros(self.size + 1, np.int64)
        for ids, units in values:
            np.add.at(sums, ids, units)
        if node.measure is Measure.SUM:
            return _flags(numbers_marked(sums, scale, op, node.value))
        n: NDArray[np.int64] = np.zeros(self.size + 1, np.int64)
        for ids, _units in values:
            np.add.at(n, ids, 1)
        return _flags((n > 0) & _average(sums, n, op, node.value, scale))

    def _values(self, node: Measured, window: Span) -> tuple[list[tuple[Array, Array]], int]:
        """Whose and which, of all numbers that take part, and the digits behind their point. They add up in 64 bits."""
        key = str(node.property)
        keys = list(dict.fromkeys([key, *keys_of(node.where)]))
        sources = [one for one in self._sources(node.event, keys, window).counting if "n" in one[0].held[key].kinds]
        for source, _stale in sources:
            self._short(source.held[key])
        scale = max((source.held[key].scale for source, _stale in sources), default=0)
        found, most = [], 0
        for source, stale in sources:
            values, moments = source.cell.numbers(key), source.cell.moments()
            chosen = _and(self._chosen(source, node.where, window), self._counting(moments.ids, stale=stale))
            chosen = chosen if values.everywhere else _and(chosen, values.there)
            ids, units = picked(moments.ids, chosen), picked(values.units, chosen)
            finer = 10 ** (scale - source.held[key].scale)
            most += values.most * finer * len(ids)
            if most > _MOST:
                raise Unanswerable("digits")
            found.append((ids, units if finer == 1 else units * finer))
        return found, scale

    def _extreme(self, node: Measured, op: Op, values: Sequence[tuple[Array, Array]], scale: int) -> Bits:
        limits = np.iinfo(np.int64)
        nothing, pick = (limits.max, np.minimum) if node.measure is Measure.MIN else (limits.min, np.maximum)
        found: NDArray[np.int64] = np.full(self.size + 1, nothing, np.int64)
        for ids, units in values:
            pick.at(found, ids, units)
        return _flags((found != nothing) & numbers_marked(found, scale, op, node.value))

    # ——— events

    def _sources(self, name: str, keys: Sequence[str], window: Span) -> _Sources:
        files = list(self._files(name, window))
        held = [{key: self.events.held(file, key) for key in keys} for file in files]
        self._fits(files, keys)
        found = [
            _Source(FileCell(file, self.events.store, self.kept), properties)
            for file, properties in zip(files, held, strict=True)
        ]
        tail = self.events.tail(name, tuple(keys))
        return _Sources(found, None if tail is None else _Source(Columns.of(tail.rows), tail.held))

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

    def _chosen(self, source: _Source, where: Node | None, window: Span) -> Array | None:
        """Which events are in the window and as the conditions say; None: all."""
        inside = _inside(window, source.cell.whole)
        times = source.cell.moments().times
        chosen = None if inside == _EVER else _within(times, inside)
        if where is None:
            return chosen
        for held in source.held.values():
            self._short(held)
        return _and(chosen, marked(where, source.cell, source.held, len(times), When(self.now, self.zone)))

    def _counting(self, ids: Array, *, stale: bool) -> Array | None:
        """Which of these are not stale, nor beyond the population; None: all."""
        known = None if ids.max(initial=0) <= self.size else ids <= self.size
        return _and(known, ~np.isin(ids, self._stale_ids())) if stale and len(self._stale_ids()) else known

    def _short(self, held: Held) -> None:
        if "n" in held.kinds and held.precision > _LONGEST:
            raise Unanswerable("digits")

    def _stale_ids(self) -> Array:
        if self._stale is None:
            stale = self.events.snapshot.stale.to_numpy(zero_copy_only=False)
            self._stale = stale[stale <= self.size]
        return self._stale


def _inside(window: Span, whole: tuple[int, int]) -> Span:
    """The window without the ends that cut nothing off."""
    low, end = window
    return (None if low is None or low <= whole[0] else low), (None if end is None or end > whole[1] else end)


def _within(times: Array, window: Span) -> Array:
    low, end = window
    after = None if low is None else np.greater_equal(times, low)
    before = None if end is None else np.less(times, end)
    found = _and(after, before)
    return np.ones(len(times), np.bool_) if found is None else found


def _ids_within(cell: Cell, window: Span) -> Array:
    moments, inside = cell.moments(), _inside(window, cell.whole)
    return moments.ids if inside == _EVER else picked(moments.ids, _within(moments.times, inside))


def _and(one: Array | None, other: Array | None) -> Array | None:
    if one is None or other is None:
        return other if one is None else one
    return np.logical_and(one, other)


def picked(values: Array, which: Array | None) -> Array:
    """Places first, then values: a sixth of the time of a mask, wherever the true ones lie."""
    return values if which is None else values.take(np.flatnonzero(which))


def _both(one: Span, other: Span) -> Span:
    lows = [low for low, _ in (one, other) if low is not None]
    ends = [end for _, end in (one, other) if end is not None]
    return max(lows, default=None), min(ends, default=None)


def _flags(found: Array) -> Bits:
    """found: by contact id; there is nobody with the number 0."""
    return Bits.of_flags(found[1:])


def _joined(parts: Sequence[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _average(sums: Array, n: Array, op: Op, value: Any, scale: int) -> Array:
    """avg ≥ v as sum × q ≥ n × p where v is p / q, in whole numbers."""
    if op is Op.IS_SET:
        return np.ones(len(sums), np.bool_)
    if op is Op.IN:
        return reduce(np.logical_or, [_average(sums, n, Op.EQ, one, scale) for one in value])
    if op is Op.BETWEEN:
        low, high = value
        return _average(sums, n, Op.GE, low, scale) & _average(sums, n, Op.LE, high, scale)
    wanted = Fraction(number(value)) * 10**scale
    if int(np.abs(sums).max(initial=0)) * wanted.denominator > _MOST:
        raise Unanswerable("digits")
    if abs(wanted.numerator) * int(n.max(initial=0)) > _MOST:
        raise Unanswerable("digits")
    return COMPARED[op](sums * wanted.denominator, n * wanted.numerator)

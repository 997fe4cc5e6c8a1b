"""Counts, times and measures of events from columns this process holds in memory: what ``events.Compiler`` says as
statements, in a tenth of the time. The same answer to the last digit, or none at all: then the statement is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from hongyan.audience.engines.cells import Array, Cell, Counts
from hongyan.audience.engines.compare import instant_bounds, micros, number
from hongyan.audience.engines.events import asked
from hongyan.audience.engines.marks import COMPARED, numbers_marked
from hongyan.audience.engines.settled import MOST, added_up, settled
from hongyan.audience.engines.sources import (
    EVER,
    Opened,
    Source,
    Sources,
    Span,
    both_of,
    cut_to,
    ids_within,
    overlap,
    picked,
    within,
)
from hongyan.audience.engines.types import Unanswerable
from hongyan.audience.engines.where import keys_of


@dataclass(slots=True)
class Quick(Opened):
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
        sources = self.sources(node.event, keys_of(node.where), window)
        tally: NDArray[np.int64] = np.zeros(self.size + 1, np.int64)
        for source in sources.files:
            self._tally(tally, self._those(source, node.where, window))
        tally[self.stale_ids()] = 0
        if sources.tail is not None:
            self._tally(tally, self._those(sources.tail, node.where, window))
        return _flags(COMPARED[op](tally, count))

    def _those(self, source: Source, where: Node | None, window: Span) -> Array:
        """Whose the events are, once for each."""
        return picked(source.cell.moments().ids, self.chosen(source, where, window))

    def _tally(self, tally: Array, ids: Array) -> None:
        np.add.at(tally, ids if len(tally) > ids.max(initial=0) else ids[ids < len(tally)], tally.dtype.type(1))

    def _ever(self, name: str, window: Span) -> Bits:
        held: NDArray[np.uint8] = np.zeros((self.size + 7) // 8, np.uint8)
        sources = self.sources(name, (), window)
        for source in sources.files:
            self._add(held, self._who(source.cell, window))
        if len(self.stale_ids()):
            held &= ~Bits.of_ids(self.stale_ids(), self.size).data
        if sources.tail is not None:
            self._add(held, self._who(sources.tail.cell, window))
        return Bits(held)

    def _who(self, cell: Cell, window: Span) -> Bits:
        low, end = cut_to(window, cell.whole)
        if low is None and end is None:
            return cell.who()
        if low is None or end is None:
            edges = cell.edges()
            kept = edges.last >= low if end is None else edges.first < end
            return Bits.of_ids(picked(edges.ids, kept), self.size)
        moments = cell.moments()
        return Bits.of_ids(picked(moments.ids, within(moments.times, (low, end))), self.size)

    def _add(self, held: NDArray[np.uint8], more: Bits) -> None:
        length = min(len(held), len(more.data))
        held[:length] |= more.data[:length]

    def _often(self, name: str, window: Span, op: Op, count: int) -> Bits:
        sources = self.sources(name, (), window)
        cells = [source.cell for source in sources.files]
        counts = [cell.counts() for cell in cells]
        tail = 0 if sources.tail is None else sources.tail.cell.counts().most
        # Bytes are added up many times as fast as long numbers.
        tally = np.zeros(self.size + 1, np.min_scalar_type(sum(one.most for one in counts) + tail))
        for cell, held in zip(cells, counts, strict=True):
            if cut_to(window, cell.whole) == EVER:
                self._add_up(tally, held)
            else:
                self._tally(tally, ids_within(cell, window))
        tally[self.stale_ids()] = 0
        if sources.tail is not None:
            self._tally(tally, ids_within(sources.tail.cell, window))
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
        there = self._ever(node.event, overlap(window, meant))
        low, end = meant
        beyond = (None, low) if node.measure is Measure.FIRST_AT else (end, None)
        if beyond == EVER:
            return there
        return there - self._ever(node.event, overlap(window, beyond))

    def _times(self, node: Measured, window: Span, meant: Span) -> Bits:
        ids, times = [], []
        keys = keys_of(node.where)
        for source, stale in self.sources(node.event, keys, window).counting:
            moments = source.cell.moments()
            chosen = both_of(self.chosen(source, node.where, window), self.counting(moments.ids, stale=stale))
            ids.append(picked(moments.ids, chosen))
            times.append(picked(moments.times, chosen))
        earliest, (low, end) = node.measure is Measure.FIRST_AT, meant
        return Bits.of_extremes(_joined(ids), _joined(times), self.size, earliest=earliest, low=low, end=end)

    def _numbers(self, node: Measured, window: Span, op: Op) -> Bits:
        if op is Op.IS_SET and node.measure is Measure.SUM:
            return Bits(~Bits.none(self.size).data)
        sources = self._with_numbers(node, window)
        if node.measure is Measure.SUM:
            sums, scale = self._sums(node, window, sources)
            return _flags(numbers_marked(sums, scale, op, node.value))
        scale = self._scale(node, sources)
        values = list(self._values(node, window, sources, scale))
        if node.measure in {Measure.MIN, Measure.MAX}:
            return self._extreme(node, op, values, scale)
        sums = np.zeros(self.size + 1, np.int64)
        for ids, units in values:
            np.add.at(sums, ids, units)
        n: NDArray[np.int64] = np.zeros(self.size + 1, np.int64)
        for ids, _units in values:
            np.add.at(n, ids, 1)
        return _flags((n > 0) & _average(sums, n, op, node.value, scale))

    def _with_numbers(self, node: Measured, window: Span) -> Sources:
        """Those in which the property is a number now and then."""
        key = str(node.property)
        found = self.sources(node.event, list(dict.fromkeys([key, *keys_of(node.where)])), window)
        files = [source for source in found.files if "n" in source.held[key].kinds]
        tail = found.tail if found.tail is not None and "n" in found.tail.held[key].kinds else None
        for source in [*files, *([] if tail is None else [tail])]:
            self.refuse_long(source.held[key])
        return Sources(files, tail)

    def _scale(self, node: Measured, sources: Sources) -> int:
        """How many digits behind the point these numbers have together."""
        return max((source.held[str(node.property)].scale for source, _stale in sources.counting), default=0)

    def _sums(self, node: Measured, window: Span, sources: Sources) -> tuple[NDArray[np.int64], int]:
        """By contact. What many questions add up alike is taken as it was added up before."""
        key, scale = str(node.property), self._scale(node, sources)
        sums: NDArray[np.int64] = np.zeros(self.size + 1, np.int64)
        most = 0
        before = [] if node.where is not None else settled(sources.files, window)
        if before:
            held = added_up(before, key, self.kept)
            finer, length = 10 ** (scale - held.scale), min(len(held.units), len(sums))
            most = held.most * finer
            if most > MOST:
                raise Unanswerable("digits")
            sums[:length] = held.units[:length] if finer == 1 else held.units[:length].astype(np.int64) * finer
            sums[self.stale_ids()] = 0
        rest = Sources([source for source in sources.files if source not in before], sources.tail)
        for ids, units in self._values(node, window, rest, scale, most):
            np.add.at(sums, ids, units)
        return sums, scale

    def _values(
        self, node: Measured, window: Span, sources: Sources, scale: int, most: int = 0
    ) -> Iterator[tuple[Array, Array]]:
        """Whose and which, of all numbers that take part, in the last of ``scale`` digits. They add up in 64 bits, even
        to a sum of ``most``."""
        key = str(node.property)
        for source, stale in sources.counting:
            values, moments = source.cell.numbers(key), source.cell.moments()
            chosen = both_of(self.chosen(source, node.where, window), self.counting(moments.ids, stale=stale))
            chosen = chosen if values.everywhere else both_of(chosen, values.there)
            ids, units = picked(moments.ids, chosen), picked(values.units, chosen)
            finer = 10 ** (scale - source.held[key].scale)
            most += values.most * finer * len(ids)
            if most > MOST:
                raise Unanswerable("digits")
            yield ids, units if finer == 1 else units * finer

    def _extreme(self, node: Measured, op: Op, values: Sequence[tuple[Array, Array]], scale: int) -> Bits:
        limits = np.iinfo(np.int64)
        nothing, pick = (limits.max, np.minimum) if node.measure is Measure.MIN else (limits.min, np.maximum)
        found: NDArray[np.int64] = np.full(self.size + 1, nothing, np.int64)
        for ids, units in values:
            pick.at(found, ids, units)
        return _flags((found != nothing) & numbers_marked(found, scale, op, node.value))


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
    if int(np.abs(sums).max(initial=0)) * wanted.denominator > MOST:
        raise Unanswerable("digits")
    if abs(wanted.numerator) * int(n.max(initial=0)) > MOST:
        raise Unanswerable("digits")
    return COMPARED[op](sums * wanted.denominator, n * wanted.numerator)

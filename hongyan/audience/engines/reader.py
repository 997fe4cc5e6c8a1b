"""What leaves need of an engine, and the sources of events they read through it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.dialects import Dialect
from hongyan.audience.engines.types import Leaf, Unanswerable
from hongyan.events.history.arrays import Grouped
from hongyan.events.history.store import Store
from hongyan.events.history.types import Held, HistoryFile, HistorySnapshot


class Reader(ABC):
    """Runs statements of one question on one engine."""

    dialect: Dialect
    beside_us: bool  # in this process, whose memory may hold columns already

    @abstractmethod
    def files(self, store: Store, paths: Sequence[str]) -> str:
        """What to write after FROM to read them all; they have the columns asked for in common, of the same types."""

    @abstractmethod
    def table(self, rows: pa.Table) -> str:
        """What to write after FROM to read these rows."""

    @abstractmethod
    def bits(self, leaf: Leaf, size: int) -> Bits:
        """Who fulfils the leaf, ids up to ``size``. Does not look at ``inverted``. Raises Unanswerable where an exact
        sum is too long for the engine."""

    def all_bits(self, leaves: Sequence[Leaf], size: int) -> list[Bits]:
        """Of each; in one statement where statements are dear."""
        return [self.bits(leaf, size) for leaf in leaves]


@dataclass(frozen=True, slots=True)
class Scan:
    """Rows of the layout of ``events.history.types``. whole: every event of it is in the window asked about.
    filtered: rows of stale contacts are in it and do not count."""

    source: str
    held: Mapping[str, Held]
    whole: bool
    filtered: bool


@dataclass(slots=True)
class Events:
    """The events of one snapshot, read through one engine."""

    reader: Reader
    snapshot: HistorySnapshot
    store: Store
    missing: set[tuple[str, str]] = field(default_factory=set)  # (name, key) that some file does not hold
    _tails: dict[tuple[str, tuple[str, ...]], Grouped | None] = field(default_factory=dict)
    _scans: dict[tuple[str, tuple[str, ...]], Scan] = field(default_factory=dict)
    _stale: str = ""

    def scans(self, name: str, keys: Sequence[str], low: int | None, end: int) -> list[Scan]:
        """Everything with events of that name in [low, end), in as few portions as files of one kind allow."""
        found = [file for file in self.snapshot.files if file.name == name and file.first < end]
        if low is not None:
            found = [file for file in found if file.last >= low]
        portions: dict[tuple[object, ...], list[HistoryFile]] = {}
        for file in found:
            whole = file.last < end and (low is None or file.first >= low)
            kinds = tuple(self.held(file, key) for key in keys)
            portions.setdefault((whole, *kinds), []).append(file)
        scans = [
            Scan(
                self.reader.files(self.store, [file.path for file in files]),
                {key: self.held(files[0], key) for key in keys},
                bool(whole),
                self._any_stale,
            )
            for (whole, *_), files in portions.items()
        ]
        tail = self.tail(name, tuple(keys))
        return scans if tail is None else [*scans, self._scan(name, tuple(keys), tail)]

    def fresh(self, scan: Scan) -> str:
        """Condition that passes over stale contacts; "" where there are none."""
        if not scan.filtered:
            return ""
        if not self._stale:
            self._stale = self.reader.table(pa.table({"contact_id": self.snapshot.stale}))
        return f"contact_id NOT IN (SELECT contact_id FROM {self._stale})"

    @property
    def _any_stale(self) -> bool:
        return len(self.snapshot.stale) > 0

    def tail(self, name: str, keys: tuple[str, ...]) -> Grouped | None:
        """What of this name is in no file; None when there is nothing. Raises Unanswerable."""
        if not self.snapshot.tail.num_rows:
            return None
        if (name, keys) not in self._tails:
            found = self.snapshot.tail_of(name, keys)
            if found.odd:
                raise Unanswerable("digits")
            self._tails[name, keys] = found if found.rows.num_rows else None
        return self._tails[name, keys]

    def _scan(self, name: str, keys: tuple[str, ...], tail: Grouped) -> Scan:
        if (name, keys) not in self._scans:
            self._scans[name, keys] = Scan(self.reader.table(tail.rows), tail.held, whole=False, filtered=False)
        return self._scans[name, keys]

    def held(self, file: HistoryFile, key: str) -> Held:
        held = file.properties.get(key)
        if held is None:
            self.missing.add((file.name, key))
            raise Unanswerable("property")
        # Readers know names only without case: of two keys that differ by case alone one would be taken for the other.
        if held.kinds and sum(1 for other in file.properties if other.lower() == key.lower()) > 1:
            raise Unanswerable("case")
        return held

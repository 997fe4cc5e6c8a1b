"""Columns of a history's file (or of the tail) as numpy arrays, each decoded when it is first asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hongyan.audience.compiler.compare import fold
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.kept import Kept, T
from hongyan.audience.engines.written import Times, times_of
from hongyan.events.history.store import Store
from hongyan.events.history.types import HistoryFile, column

Array = NDArray[Any]
# A contact without a row costs a byte where counts stand by contact, one with a row some five where they stand by row.
_SPARSE: Final = 8


@dataclass(frozen=True, slots=True)
class Counts:
    """How many events each contact has. by_contact: ``n[i]`` is of contact ``ids[0] + i``, else of ``ids[i]``."""

    ids: Array
    n: Array
    by_contact: bool
    most: int

    @property
    def nbytes(self) -> int:
        return int(self.ids.nbytes + self.n.nbytes)


@dataclass(frozen=True, slots=True)
class Edges:
    """The earliest and latest time of each contact."""

    ids: Array
    first: Array
    last: Array

    @property
    def nbytes(self) -> int:
        return int(self.ids.nbytes + self.first.nbytes + self.last.nbytes)


@dataclass(frozen=True, slots=True)
class Moments:
    """A place an event: whose, and when (µs); by contact, then time, then event id. Columns of properties stand in the
    same order."""

    ids: Array
    times: Array

    @property
    def nbytes(self) -> int:
        return int(self.ids.nbytes + self.times.nbytes)


@dataclass(frozen=True, slots=True)
class Texts:
    """codes: a place an event, -1 where there is no text; into ``values``, each text once."""

    codes: Array
    values: pa.Array
    folded: pa.Array

    @property
    def nbytes(self) -> int:
        return int(self.codes.nbytes + self.values.nbytes + self.folded.nbytes)


@dataclass(frozen=True, slots=True)
class Numbers:
    """units: in the last digit of the column's decimals; 0 where there is none. everywhere: each event has one.
    most: the greatest, without its sign."""

    units: Array
    there: Array
    everywhere: bool
    most: int

    @property
    def nbytes(self) -> int:
        return int(self.units.nbytes + self.there.nbytes)


@dataclass(frozen=True, slots=True)
class Flags:
    true: Array
    there: Array

    @property
    def nbytes(self) -> int:
        return int(self.true.nbytes + self.there.nbytes)


class Cell(Protocol):
    """Events of one name: a file's, or the tail's."""

    @property
    def whole(self) -> tuple[int, int]:
        """The earliest and latest event."""

    def who(self) -> Bits: ...

    def counts(self) -> Counts: ...

    def edges(self) -> Edges: ...

    def moments(self) -> Moments: ...

    def texts(self, key: str) -> Texts: ...

    def times(self, key: str) -> Times: ...

    def numbers(self, key: str) -> Numbers: ...

    def flags(self, kind: str, key: str) -> Flags: ...


@dataclass(frozen=True, slots=True)
class Columns:
    """Decoded at every question. read: the table with these columns."""

    read: Callable[[list[str]], pa.Table]
    whole: tuple[int, int]

    @classmethod
    def of(cls, rows: pa.Table) -> "Columns":
        """rows: in the schema of files; not empty."""
        return cls(rows.select, (int(pc.min(rows["first"]).as_py()), int(pc.max(rows["last"]).as_py())))

    def who(self) -> Bits:
        """Bits from contact 1 to the last there is."""
        ids = self._ids(self.read(["contact_id"]))
        return Bits.of_ids(ids, int(ids[-1]) if len(ids) else 0)

    def counts(self) -> Counts:
        table = self.read(["contact_id", "n"])
        ids, n = self._ids(table), table["n"].to_numpy()
        most = int(n.max(initial=0))
        n = n.astype(np.min_scalar_type(most))
        span = int(ids[-1] - ids[0]) + 1 if len(ids) else 0
        if span > _SPARSE * len(ids):
            return Counts(ids, n, by_contact=False, most=most)
        by_contact = np.zeros(span, n.dtype)
        by_contact[ids - ids[:1]] = n
        return Counts(ids[:1].copy(), by_contact, by_contact=True, most=most)

    def edges(self) -> Edges:
        table = self.read(["contact_id", "first", "last"])
        return Edges(_narrow(self._ids(table)), table["first"].to_numpy(), table["last"].to_numpy())

    def moments(self) -> Moments:
        table = self.read(["contact_id", "n", "times"])
        ids = np.repeat(_narrow(self._ids(table)), table["n"].to_numpy())
        return Moments(ids, pc.list_flatten(table["times"]).to_numpy())

    def texts(self, key: str) -> Texts:
        coded = self._flat(column("s", key)).dictionary_encode()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        values = coded.dictionary
        return Texts(codes, values, pa.array([fold(text) for text in values.to_pylist()], pa.string()))

    def times(self, key: str) -> Times:
        return times_of(self.texts(key).values)

    def numbers(self, key: str) -> Numbers:
        values = self._flat(column("n", key))
        there = values.is_valid().to_numpy(zero_copy_only=False)
        units = _units(values)
        units[~there] = 0
        return Numbers(units, there, bool(there.all()), int(np.abs(units).max(initial=0)))

    def flags(self, kind: str, key: str) -> Flags:
        values = self._flat(column(kind, key))
        there = values.is_valid().to_numpy(zero_copy_only=False)
        return Flags(pc.fill_null(values, fill_value=False).to_numpy(zero_copy_only=False), there)

    @staticmethod
    def _ids(table: pa.Table) -> Array:
        return np.asarray(table["contact_id"].to_numpy())

    def _flat(self, name: str) -> pa.Array:
        found = pc.list_flatten(self.read([name])[name]).combine_chunks()
        return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _narrow(ids: Array) -> Array:
    """Ascending."""
    return ids.astype(np.int32) if not len(ids) or ids[-1] <= np.iinfo(np.int32).max else ids


def _units(values: pa.Array) -> Array:
    """Decimals of up to 18 digits: the lower half of their 128 bits says it all."""
    wide = values.cast(pa.decimal128(38, values.type.scale))
    halves = np.frombuffer(wide.buffers()[1], np.int64)[2 * wide.offset : 2 * (wide.offset + len(wide))]
    return halves[::2].copy()


@dataclass(frozen=True, slots=True)
class FileCell:
    """What is asked for stays with the process."""

    file: HistoryFile
    store: Store
    kept: Kept

    @property
    def whole(self) -> tuple[int, int]:
        return self.file.first, self.file.last

    def who(self) -> Bits:
        return self._get("who", Columns.who)

    def counts(self) -> Counts:
        return self._get("counts", Columns.counts)

    def edges(self) -> Edges:
        return self._get("edges", Columns.edges)

    def moments(self) -> Moments:
        return self._get("moments", Columns.moments)

    def texts(self, key: str) -> Texts:
        return self._get(f"s:{key}", lambda columns: columns.texts(key))

    def times(self, key: str) -> Times:
        return self._get(f"t:{key}", lambda _columns: times_of(self.texts(key).values))

    def numbers(self, key: str) -> Numbers:
        return self._get(f"n:{key}", lambda columns: columns.numbers(key))

    def flags(self, kind: str, key: str) -> Flags:
        return self._get(f"{kind}:{key}", lambda columns: columns.flags(kind, key))

    def _get(self, piece: str, make: Callable[[Columns], T]) -> T:
        columns = Columns(lambda names: self.store.read(self.file.path, names), self.whole)
        return self.kept.get((self.store.root, self.file.path, piece), lambda: make(columns))

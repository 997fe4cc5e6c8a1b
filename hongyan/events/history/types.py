"""What a file of the history holds, and what a question gets to read.

Schema of a file (Parquet; one row a contact, ascending ``contact_id``, each contact once):

    contact_id  int64
    n           int32                how many events; the length of every list below
    first last  int64                µs since 1970 UTC of the earliest and latest
    times       list<int64>          µs, ascending; equal times by event id
    ids         list<int64>          event ids, in the same order
    s:<key>     list<string>         the property where it is a JSON string, else null
    n:<key>     list<decimal(p, s)>  where it is a number: exact
    b:<key>     list<bool>           where it is true or false
    o:<key>     list<bool>           true where an object or a list stands, else null; a JSON null counts as absent

A list column is there only when some value of its kind is in the file: ``HistoryFile.properties`` tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from hongyan.events.history.arrays import Grouped

KINDS = "snbo"  # string, number, boolean, other: the prefixes of property columns


def column(kind: str, key: str) -> str:
    return f"{kind}:{key}"


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds of a property. kinds: which of ``KINDS`` have a column; "" means: nobody has a value.

    precision, scale: of the ``n:`` column; 0 when there is none."""

    kinds: str
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """One file that counts. ``path`` is relative to the store; ``store.local(file)`` and ``store.url(file)`` open it.

    properties: by key; a key that is not here is not in the file, so only PostgreSQL can answer for it.
    """

    id: int
    path: str
    name: str
    month: date  # the first day, UTC
    rows: int  # contacts
    events: int
    bytes: int
    first: int  # µs, earliest and latest event
    last: int
    low: int  # smallest and greatest contact id
    high: int
    properties: Mapping[str, Held] = field(default_factory=dict)


# Columns of a tail; besides these one ``v:<key>`` for every property that was asked for: its JSON text as PostgreSQL
# writes jsonb, null where it is absent.
TAIL_SCHEMA = pa.schema(
    [("contact_id", pa.int64()), ("name", pa.string()), ("at_us", pa.int64()), ("event_id", pa.int64())]
)


@dataclass(frozen=True, slots=True)
class HistorySnapshot:
    """All that is needed to answer exactly, as of one PostgreSQL snapshot.

    Rows of ``stale`` contacts in files do not count; all their events are in ``tail``. Files and tail never hold the
    same event of anybody else twice.
    """

    files: Sequence[HistoryFile]
    stale: pa.Int64Array  # ascending, unique
    tail: pa.Table  # TAIL_SCHEMA and the properties asked for; no order
    tx: int  # events of transactions below are in files
    lag_s: float  # age of the oldest fact that is not in files; 0: everything is

    def tail_of(self, name: str, keys: Sequence[str] = ()) -> "Grouped":
        """The tail of one event name in the schema of files (``.rows``; a list column is there only when the tail has
        such values). ``.odd`` are contacts with a number that no decimal of 38 digits holds; they are left out of
        ``.rows``: PostgreSQL has to answer for them (``members_among``)."""
        from hongyan.events.history.arrays import of_tail

        return of_tail(self.tail, name, keys)


@dataclass(frozen=True, slots=True)
class HistoryStatus:
    """For people: how far the copy is."""

    built: bool
    files: int
    events: int
    bytes: int
    waiting: int  # events in PostgreSQL that are not in files yet, counted up to 200,000
    stale: int  # contacts read from PostgreSQL because their rows in files are out of date
    lag_s: float
    retired: int  # files that no longer count and will be deleted
    place: str  # without credentials
    writer_at: Any = None  # when the writer last looked: aware datetime or None

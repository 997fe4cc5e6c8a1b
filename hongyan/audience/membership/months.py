"""In which months somebody has facts that count from long ago.

Asked what a few contacts ever did, PostgreSQL either looks into every month for each of them or reads all such facts of
everybody. The lane knows better: it keeps one number for each contact, a bit for each month, and looks only where
there is something. Bits are never too few, but may be too many: of facts that are gone, or went to somebody else.

They are read once, month by month, beside the passes; from the moment they begin to be read the lane notes what is new.
"""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hongyan.audience import rows
from hongyan.core.sql import statement, texts

_BITS: Final = 64
_BACK: Final = 60  # months before the present one have a bit of their own; the first bit is of all before as well
Span = tuple[int, str, str]  # contact, from, to; as PostgreSQL reads times


class Months:
    """names: of the facts. whole: read to the end; before that nothing may be concluded from a missing bit."""

    def __init__(self, names: frozenset[str] = frozenset(), *, now: datetime) -> None:
        self.names = self._missing = names
        self.whole = not names
        self._first = _number(now) - _BACK
        self._ends = ["-infinity", *(_begin(self._first + bit) for bit in range(1, _BITS)), "infinity"]
        self._masks: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._joined: list[tuple[int, int]] = []  # while they are read
        self._lock = threading.Lock()

    def ask(self, names: frozenset[str]) -> None:
        """From now on about these; what is known of them already is not read again."""
        if names == self.names:
            return
        with self._lock:
            self._missing = names - self.names if self.whole else names
            self.names, self.whole = names, not self._missing

    def note(self, contact: int, at: datetime) -> None:
        bit = min(max(_number(at) - self._first, 0), _BITS - 1)
        with self._lock:
            self._reach(contact)
            self._masks[contact] |= np.uint64(1 << bit)

    def join(self, one: int, other: int) -> None:
        """Facts of one may be the other's now: of a merge, or of its undoing."""
        with self._lock:
            self._join(one, other)
            if not self.whole:
                self._joined.append((one, other))

    def read(self) -> None:
        """What is in the log. From a thread of its own."""
        names = self._missing
        for bit in range(_BITS):
            bound = {"names": texts(names), "low": self._ends[bit], "high": self._ends[bit + 1]}
            found = rows.query(statement("hongyan.audience", "membership.sql", "contacts_of_span"), bound)[0][0]
            contacts = np.frombuffer(found or b"", ">i8").astype(np.int64)
            if contacts.size:
                with self._lock:
                    self._reach(int(contacts.max()))
                    self._masks[contacts] |= np.uint64(1 << bit)
        with self._lock:
            for one, other in self._joined:  # a month may have been read before they were joined, and set after
                self._join(one, other)
            if self._missing is names:  # nobody asks about others by now
                self._joined.clear()
                self.whole = True

    def spans(self, contacts: Iterable[int]) -> list[Span]:
        """Where to look, in runs of months."""
        found: list[Span] = []
        with self._lock:
            for contact in contacts:
                mask = int(self._masks[contact]) if contact < len(self._masks) else 0
                bit = 0
                while mask >> bit:
                    if not mask >> bit & 1:
                        bit += 1
                        continue
                    low = bit
                    while mask >> bit & 1:
                        bit += 1
                    found.append((contact, self._ends[low], self._ends[bit]))
        return found

    def _join(self, one: int, other: int) -> None:
        self._reach(max(one, other))
        both = self._masks[one] | self._masks[other]
        self._masks[one] = self._masks[other] = both

    def _reach(self, contact: int) -> None:
        if contact >= len(self._masks):
            grown = np.zeros(max(contact + 1, len(self._masks) * 5 // 4), np.uint64)
            grown[: len(self._masks)] = self._masks
            self._masks = grown


def _number(at: datetime) -> int:
    """Months are those of the log's partitions."""
    day = at.astimezone(UTC)
    return day.year * 12 + day.month - 1


def _begin(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}-01 00:00+00"

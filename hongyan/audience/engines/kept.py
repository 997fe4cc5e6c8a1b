"""What this process keeps in memory of files, decoded. Files never change, so what was read once stays right; what was
not asked about for longest goes first when the room is used up."""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, Final, Protocol, TypeVar

from django.conf import settings

_LOCKS: Final = 32


class Piece(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Piece)


class Kept:
    """room: bytes. Threads may ask at once; a piece that two of them want is made by the first. Making one must not ask
    for another: it might wait for itself."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._held: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()  # with: when it was asked for last
        self._used = 0
        self._lock = threading.Lock()
        self._making = [threading.Lock() for _ in range(_LOCKS)]

    @property
    def used(self) -> int:
        return self._used

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        found: T | None = self.find(key)
        if found is None:
            with self._making[hash(key) % _LOCKS]:
                found = self.find(key)
                if found is None:
                    found = make()
                    self._keep(key, found)
        return found

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._used = 0

    def drop_idle(self, idle_s: float) -> None:
        """What nobody has asked for so long: of files that were replaced nothing shall stay."""
        with self._lock:
            while self._held and next(iter(self._held.values()))[1] < time.monotonic() - idle_s:
                self._drop_oldest()

    def find(self, key: Hashable) -> Any:
        """None: it is not there."""
        with self._lock:
            if key not in self._held:
                return None
            piece = self._held[key][0]
            self._held[key] = piece, time.monotonic()
            self._held.move_to_end(key)
            return piece

    def _keep(self, key: Hashable, piece: Piece) -> None:
        if piece.nbytes > self.room // 2:
            return
        with self._lock:
            self._held[key] = piece, time.monotonic()
            self._used += piece.nbytes
            while self._used > self.room:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        _key, (piece, _at) = self._held.popitem(last=False)
        self._used -= piece.nbytes


def kept() -> Kept:
    return _own(os.getpid(), settings.HONGYAN_HISTORY_MEMORY_MB << 20)


@cache
def _own(_process: int, room: int) -> Kept:
    """A child process begins with nothing: locks do not outlive a fork."""
    return Kept(room)

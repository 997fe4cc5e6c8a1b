"""How many calls a write key may send: a token bucket for each key, in this process."""

import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from hongyan.ingest.intake import limits
from hongyan.ingest.intake.write_keys import KnownKey

BURST_S: Final = 10  # a key that was quiet may send this many seconds' worth at once


class Rates:
    """Not shared between web processes: the limit keeps a runaway client from filling the inbox, it is no account."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left: dict[int, tuple[float, float]] = {}  # key → calls it may still send, as of when
        self.refused: Counter[int] = Counter()  # calls turned away, until they are written down

    def wait_s(self, key: KnownKey, calls: int) -> int:
        """0: they may come, and are counted. Else whole seconds until they may; then nothing is counted."""
        rate = key.rate_limit
        if not rate:
            return 0
        most = max(rate * BURST_S, limits.BATCH_CALLS)  # any batch that is allowed at all gets through
        at = self._now()
        left, seen = self._left.get(key.id, (most, at))
        left = min(most, left + (at - seen) * rate)
        if left < calls:
            self._left[key.id] = (left, at)
            self.refused[key.id] += calls
            return max(1, math.ceil((calls - left) / rate))
        self._left[key.id] = (left - calls, at)
        return 0

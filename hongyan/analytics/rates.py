"""Rates with their denominators and intervals. Pure: counts in, numbers out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

Z_95 = 1.959963984540054  # standard normal quantile of 0.975


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of ``of``; value and bounds are in 0..1, and None when there is nothing to divide by."""

    count: int
    of: int
    value: float | None
    low: float | None
    high: float | None


def rate(count: int, of: int) -> Rate:
    """Share with its 95 % Wilson score interval (E. B. Wilson, JASA 22 (1927), 209-212; no continuity correction).

    Raises ValueError when count exceeds of: a share above 1 means that two figures do not count the same thing.

    >>> r = rate(12, 100); round(r.low, 3), round(r.high, 3)
    (0.07, 0.198)
    >>> rate(0, 0)
    Rate(count=0, of=0, value=None, low=None, high=None)
    """
    if not 0 <= count <= of:
        raise ValueError("a count must lie between 0 and its denominator")
    if of == 0:
        return Rate(0, 0, None, None, None)
    share = count / of
    square = Z_95 * Z_95
    centre = (share + square / (2 * of)) / (1 + square / of)
    half = Z_95 / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == of else min(1.0, centre + half)
    return Rate(count, of, share, low, high)


@dataclass(frozen=True, slots=True)
class AgainstHistory:
    """This rate beside the median of earlier ones. verdict: above | below | usual | unknown (too little history)."""

    now: Rate
    median: float | None
    earlier: int
    verdict: str


MINIMUM_HISTORY = 3  # a median of fewer campaigns says more about them than about this one


def against_history(now: Rate, earlier: Sequence[float]) -> AgainstHistory:
    """Above or below is said only when the median lies outside this campaign's own interval.

    >>> against_history(rate(300, 1000), [0.2, 0.21, 0.19]).verdict
    'above'
    >>> against_history(rate(30, 100), [0.28, 0.31, 0.33]).verdict
    'usual'
    """
    middle = median(earlier) if earlier else None
    if middle is None or now.low is None or now.high is None or len(earlier) < MINIMUM_HISTORY:
        verdict = "unknown"
    elif middle < now.low:
        verdict = "above"
    elif middle > now.high:
        verdict = "below"
    else:
        verdict = "usual"
    return AgainstHistory(now, middle, len(earlier), verdict)

"""Times that stand as texts in properties of events: what is one, and which of them a comparison means.

A text is a time when it is written as ISO 8601 does, from the year 1000 on: an instant with its offset
("2026-11-22T10:00:00+08:00", "…Z"), a clock time without one, or a day. Anything else is no time and fulfils no
comparison of times. Clock times and days are those of the organisation's zone. A clock time that comes twice, when
clocks go back, is the first of the two; one that is skipped is the instant at which it is skipped; so a later clock
time is never an earlier instant, and engines compare clock times with clock times and need no rules of zones.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.nodes import WITH_DAYS, Op
from hongyan.audience.compiler.times import LAST, end_instant, first_instant, shift, today

# The same characters mean the same in Python, PostgreSQL, RE2 and Java: no backslashes, no classes but these.
_DATE: Final = "[1-9][0-9]{3}-[01][0-9]-[0-3][0-9]"
_CLOCK: Final = "[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
DAY: Final = f"^{_DATE}$"
LOCAL: Final = f"^{_DATE}{_CLOCK}$"
ZONED: Final = f"^{_DATE}{_CLOCK}(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$"
# What of a clock time or instant is read as a plain timestamp: all but the offset and what is finer than microseconds.
PLAIN: Final = "^[0-9-]+[T ][0-9:]+(?:[.][0-9]{1,6})?"
OFFSET: Final = "(?:Z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})$"

_DAY, _LOCAL, _ZONED, _PLAIN, _OFFSET = map(re.compile, (DAY, LOCAL, ZONED, PLAIN, OFFSET))
_OF_TIMES: Final = frozenset({Op.BEFORE, Op.AFTER, *WITH_DAYS})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = LAST.replace(tzinfo=None)
_TICK: Final = timedelta(microseconds=1)
_MOST_BACK: Final = timedelta(hours=26)  # a clock is never set back so far


def of_times(op: Op, value: object) -> bool:
    """Whether a property is compared as a time: "between" is of times when it stands between texts."""
    if op is Op.BETWEEN:
        return isinstance(value, tuple) and any(isinstance(one, str) for one in value)
    return op in _OF_TIMES


class Kind(StrEnum):
    INSTANT = "instant"
    CLOCK = "clock"  # a clock time in the organisation's zone
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Written:
    """at: of an instant in UTC, else what the clock shows; without a zone."""

    kind: Kind
    at: datetime


def read(text: object) -> Written | None:
    """None: no time.

    >>> read("2026-11-22T10:00:00.1234567+08:00")
    Written(kind=<Kind.INSTANT: 'instant'>, at=datetime.datetime(2026, 11, 22, 2, 0, 0, 123456))
    >>> read("2026-02-30") is read("20261122") is read("2026-11-22T23:59:60Z") is None
    True
    """
    if not isinstance(text, str):
        return None
    try:
        if _DAY.fullmatch(text):
            return Written(Kind.DAY, datetime.fromisoformat(text))
        if _LOCAL.fullmatch(text):
            return Written(Kind.CLOCK, _plain(text))
        if _ZONED.fullmatch(text):
            return Written(Kind.INSTANT, _less(_plain(text), _offset(text)))
    except ValueError:  # a day that no month has
        return None
    return None


def _plain(text: str) -> datetime:
    found = _PLAIN.match(text)
    return datetime.fromisoformat(found[0] if found else "")


def _offset(text: str) -> timedelta:
    found = _OFFSET.search(text)
    digits = "" if found is None else found[0].replace(":", "")
    if digits == "Z":
        return timedelta(0)
    size = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5] or 0))
    return -size if digits.startswith("-") else size


def _less(at: datetime, offset: timedelta) -> datetime:
    """The year 9999 has no end: many write "for ever" so."""
    return at - offset if at < _END + min(offset, timedelta(0)) else _END


def instant(at: datetime, zone: ZoneInfo) -> datetime:
    """When the clocks of the zone first show this, or pass over it; in UTC without saying so."""
    first, second = (at.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0) for fold in (0, 1))
    if first >= second:
        return _less(at, first)
    # Skipped: the offset changes somewhere between the two ways of reading it.
    return _change(at - second, at - first, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant with the offset that holds ``after``."""
    old = _offset_at(before, zone)
    while after - before > _TICK:
        middle = before + (after - before) // 2
        before, after = (middle, after) if _offset_at(middle, zone) == old else (before, middle)
    return after


def _offset_at(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta(0)


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """The least clock time that is not before the instant: ``instant(x) < at`` is ``x < wall(at)``. Without a zone."""
    before = at.astimezone(UTC).replace(tzinfo=None) - _TICK
    try:
        shown = before.replace(tzinfo=UTC).astimezone(zone)
    except OverflowError:
        return _END
    if shown.fold:  # set back: clocks have shown all of this before, up to the instant of the change
        before = _change(before - _MOST_BACK, before, zone) - _TICK
        shown = before.replace(tzinfo=UTC).astimezone(zone)
    return shown.replace(tzinfo=None, fold=0) + _TICK


@dataclass(frozen=True, slots=True)
class Span:
    """Which times a comparison means: instants in [first, end), clock times likewise, days after one and up to another,
    as ISO text. None: without end."""

    first: datetime | None
    end: datetime | None
    clock_first: datetime | None
    clock_end: datetime | None
    days_after: str | None
    days_to: str | None


def span(op: Op, value: Any, now: datetime, zone: ZoneInfo) -> Span:
    """op: one of ``of_times``, positive. Days that stand as values are in a window as fields of days are: today is in
    it, and as many whole days."""
    first, end = _instants(op, value, now, zone)
    end = None if end == LAST else end
    clock_first, clock_end = (None if at is None else wall(at, zone) for at in (first, end))
    days_after, days_to = _day_before(clock_first), _day_before(clock_end)
    if op in WITH_DAYS:
        on = today(now, zone)
        low, high = (shift(on, -value), on) if op is Op.WITHIN_LAST_DAYS else (on, shift(on, value))
        days_after, days_to = shift(low, -1).isoformat(), high.isoformat()
    return Span(first, end, clock_first, clock_end, days_after, days_to)


def _instants(op: Op, value: Any, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    match op:
        case Op.BEFORE:
            return None, first_instant(value, zone)
        case Op.AFTER:
            return end_instant(value, zone), None
        case Op.BETWEEN:
            return first_instant(value[0], zone), end_instant(value[1], zone)
        case Op.WITHIN_LAST_DAYS:
            return now - timedelta(days=value), now + _TICK
        case _:
            return now, now + timedelta(days=value) + _TICK


def _day_before(at: datetime | None) -> str | None:
    """The last day that begins before this clock time."""
    return None if at is None else (at - _TICK).date().isoformat()


def micros(at: datetime) -> int:
    """µs since 1970; of what says no zone, as if it were in UTC."""
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _TICK

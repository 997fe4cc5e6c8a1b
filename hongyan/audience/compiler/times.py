"""Days and instants as conditions write them. A day begins and ends in the organisation's zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.nodes import Window
from hongyan.audience.compiler.shape import is_day

_TICK = timedelta(microseconds=1)  # resolution of PostgreSQL's timestamps
LAST = datetime.max.replace(tzinfo=UTC)  # nothing is later


def first_instant(text: str, zone: ZoneInfo) -> datetime:
    """Of the day, or the instant itself."""
    if is_day(text):
        return _midnight(date.fromisoformat(text), zone)
    return datetime.fromisoformat(text)


def end_instant(text: str, zone: ZoneInfo) -> datetime:
    """First instant that no longer belongs to the day or instant."""
    try:
        if is_day(text):
            return _midnight(date.fromisoformat(text) + timedelta(days=1), zone)
        return datetime.fromisoformat(text) + _TICK
    except OverflowError:  # behind the year 9999
        return LAST


def bounds(window: Window, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime]:
    """(first instant that counts, first one that no longer does). Nothing after now counts: a clock that ran ahead must
    not fulfil a condition before its time. ``days_ago`` of (60, 30) and of (30, 0) meet without sharing an instant."""
    first, end = None, now + _TICK
    if window.within_days is not None:
        first = now - timedelta(days=window.within_days)
    elif window.within_hours is not None:
        first = now - timedelta(hours=window.within_hours)
    elif window.days_ago is not None:
        older, newer = window.days_ago
        first = now - timedelta(days=older)
        end = now - timedelta(days=newer) if newer else end
    else:
        first = first_instant(window.since, zone) if window.since else None
        end = min(end, end_instant(window.until, zone)) if window.until else end
    return first, end


def today(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def shift(day: date, days: int) -> date:
    """Days later (or earlier), held within what a date can say."""
    low, high = date(1, 1, 1), date(9999, 12, 31)
    return date.fromordinal(max(low.toordinal(), min(high.toordinal(), day.toordinal() + days)))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)

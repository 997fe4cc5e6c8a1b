"""Days and instants as conditions write them. A day begins and ends in the organisation's zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.parse import is_day

_TICK = timedelta(microseconds=1)  # resolution of PostgreSQL's timestamps


def first_instant(text: str, zone: ZoneInfo) -> datetime:
    """Of the day, or the instant itself."""
    if is_day(text):
        return _midnight(date.fromisoformat(text), zone)
    return datetime.fromisoformat(text)


def end_instant(text: str, zone: ZoneInfo) -> datetime:
    """First instant that no longer belongs to the day or instant."""
    if is_day(text):
        return _midnight(date.fromisoformat(text) + timedelta(days=1), zone)
    return datetime.fromisoformat(text) + _TICK


def today(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def shift(day: date, days: int) -> date:
    """Days later (or earlier), held within what a date can say."""
    low, high = date(1, 1, 1), date(9999, 12, 31)
    return date.fromordinal(max(low.toordinal(), min(high.toordinal(), day.toordinal() + days)))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)

"""When a source runs next. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hongyan.ingest.sources.types import Every, Schedule

LONGEST_BACKOFF = timedelta(hours=6)
PERMANENT = timedelta(hours=1)  # a wrong password does not mend itself
_GRACE = timedelta(minutes=10)


def next_run(schedule: Schedule, after: datetime, zone: str) -> datetime | None:
    """The first planned time later than ``after``."""
    if schedule.every == Every.HAND:
        return None
    if schedule.every == Every.MINUTES:
        return after + timedelta(minutes=schedule.minutes)
    if schedule.every == Every.HOUR:
        at = after.replace(minute=schedule.minutes, second=0, microsecond=0)
        return at if at > after else at + timedelta(hours=1)
    local = after.astimezone(ZoneInfo(zone))
    for days in (0, 1, 2):
        day = (local + timedelta(days=days)).date()
        at = datetime(day.year, day.month, day.day, schedule.hour, schedule.minute, tzinfo=ZoneInfo(zone))
        if at > after:
            return at.astimezone(after.tzinfo)
    return None


def after_failure(failures: int, after: datetime, *, permanent: bool) -> datetime:
    """1, 2, 4 … minutes, at most six hours; a fault that another try cannot mend is not tried within the hour."""
    pause = min(timedelta(minutes=2 ** min(failures - 1, 12)), LONGEST_BACKOFF)
    return after + (max(pause, PERMANENT) if permanent else pause)


def late_at(schedule: Schedule, last_success: datetime) -> datetime | None:
    """From when on what a source brings is older than anybody expects: a whole round was missed."""
    seconds = schedule.seconds
    return None if seconds is None else last_success + timedelta(seconds=2 * seconds) + _GRACE

"""Monthly partitions of the fact log. Events outside the prepared months land in the default partition, never lost."""

import logging
import re
from datetime import date

from django.db import OperationalError, connection, transaction

log = logging.getLogger("hongyan.events")
_NAME = re.compile(r"events_event_(\d{4})_(\d{2})")
_LOCK_WAIT = "200ms"  # whoever writes meanwhile waits as long at most; then it is left for the next night
_TRIES = 5


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def ensure_months(*, first: date, last: date) -> int:
    """Create the partitions of all months from ``first`` to ``last``; returns how many were missing.

    A month whose rows already wait in the default partition is left there: PostgreSQL refuses to attach over them.
    """
    made = 0
    month = month_of(first)
    while month <= last:
        made += _ensure(month)
        month = next_month(month)
    return made


def _ensure(month: date) -> int:
    name = f"events_event_{month:%Y_%m}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        row = cursor.fetchone()
        if row is not None and row[0]:
            return 0
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM events_event_default WHERE occurred_at >= %s AND occurred_at < %s)",
            [month, next_month(month)],
        )
        row = cursor.fetchone()
        if row is not None and row[0]:
            return 0
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF events_event "
            f"FOR VALUES FROM ('{month:%Y-%m-%d} 00:00+00') TO ('{next_month(month):%Y-%m-%d} 00:00+00')"
        )
    return 1


def drop_emptied(*, before: date) -> list[date]:
    """Drop the partitions of months that ended before this day and hold nothing any more. Returns the months.

    Dropping one needs the whole log for an instant. Its pages are given back first, so that looking whether it is
    empty takes no time while the lock is held; a late fact that came in meanwhile keeps its month.
    """
    dropped = []
    for name, month in _months():
        if next_month(month) <= before and not _holds_facts(name):
            _give_pages_back(name)
            if _drop(name):
                dropped.append(month)
    return dropped


def _months() -> list[tuple[str, date]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'events_event'::regclass ORDER BY c.relname"
        )
        names = [str(name) for (name,) in cursor.fetchall()]
    return [(name, date(int(found[1]), int(found[2]), 1)) for name in names if (found := _NAME.fullmatch(name))]


def _holds_facts(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {name})")
        row = cursor.fetchone()
    return row is None or bool(row[0])


def _give_pages_back(name: str) -> None:
    if connection.in_atomic_block:
        return  # only said of commands that run by themselves
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (TRUNCATE) {name}")


def _drop(name: str) -> bool:
    for _ in range(_TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
                cursor.execute("LOCK TABLE events_event IN ACCESS EXCLUSIVE MODE")
                if _holds_facts(name):
                    return False
                cursor.execute(f"ALTER TABLE events_event DETACH PARTITION {name}")
                cursor.execute(f"DROP TABLE {name}")
        except OperationalError as error:  # somebody reads or writes longer than we wait
            log.info("partition not dropped yet", extra={"partition": name, "why": type(error).__name__})
        else:
            return True
    return False

"""Monthly partitions of the fact log. Events outside the prepared months land in the default partition, never lost."""

from datetime import date

from django.db import connection


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

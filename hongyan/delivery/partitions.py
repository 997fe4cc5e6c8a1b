"""Monthly partitions of the outbox, named by the month of their origins."""

from datetime import date

from django.db import connection

from hongyan.core.sql import statement

_LOCK = 7_105_201  # advisory lock: one process makes a missing partition


def name_of(month: date) -> str:
    return f"delivery_message_{month:%Y_%m}"


def month_of(name: str) -> date:
    """The month of a partition's name."""
    year, month = name.removeprefix("delivery_message_").split("_")
    return date(int(year), int(month), 1)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def ensure_month(month: date) -> str:
    """The partition's name; made when it is missing.

    It is built apart and attached (a share-update-exclusive lock): ``CREATE … PARTITION OF`` would lock the whole
    outbox until the caller's transaction ends, and that may be a dispatch of a million rows.
    """
    name = name_of(month)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone() == (True,):
            return name
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone() == (True,):
            return name
        template = statement("hongyan.delivery", "partitions.sql", "make_partition")
        cursor.execute(template.format(name=name, first=month.isoformat(), after=next_month(month).isoformat()))
    return name


def ensure_upcoming(today: date) -> None:
    """This month's and the next one's partition, so that no send has to wait for one."""
    first = today.replace(day=1)
    ensure_month(first)
    ensure_month(next_month(first))


def existing() -> list[str]:
    """Names of all partitions, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.delivery", "partitions.sql", "list_partitions"))
        return [row[0] for row in cursor.fetchall()]

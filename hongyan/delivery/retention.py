"""How long the send log is kept: whole months, at least a year."""

from datetime import date

from django.conf import settings
from django.db import connection, transaction

from hongyan.accounts.types import system_actor
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.delivery.partitions import existing, month_of

_PATIENCE = "5s"  # dropping takes a lock that every send wants: rather tomorrow than make them wait


def drop_old() -> dict[str, int]:
    """Drop partitions of months that are too old and in which nothing waits or has happened since. Returns how many
    messages each held. One transaction a partition, so what was dropped is on record."""
    keep_from = _months_back(clock.now().date(), settings.HONGYAN_OUTBOX_KEEP_MONTHS)
    dropped = {}
    for name in existing():
        if month_of(name) < keep_from and (count := _drop(name, keep_from)) is not None:
            dropped[name] = count
    return dropped


def _drop(name: str, keep_from: date) -> int | None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        cursor.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
        text = statement("hongyan.delivery", "partitions.sql", "is_past").replace("{name}", name)
        cursor.execute(text, {"keep_from": keep_from})
        count, living = cursor.fetchone()
        if living:
            return None
        cursor.execute(f"ALTER TABLE delivery_message DETACH PARTITION {name}")
        cursor.execute(f"DROP TABLE {name}")
        record(
            actor=system_actor("retention"),
            action="delivery.month_dropped",
            subject_kind="outbox",
            subject_id=f"{month_of(name):%Y-%m}",
            data={"messages": count},
        )
        return int(count)


def _months_back(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)

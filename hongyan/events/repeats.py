"""Message ids that clients have sent: of two calls with one id the first counts.

Kept for a window, unlike the dedupe keys of our own facts: clients repeat what they sent within hours, and there are as
many ids as events. Ids lie in partitions of 30 days; the present and the one before are looked at, older ones are
dropped whole. So an id is known for 30 days at least, and for 60 at most.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from django.db import connection, transaction

from hongyan.core import clock
from hongyan.core.sql import statement, texts

WINDOW: Final = timedelta(days=30)
_EPOCH: Final = date(1970, 1, 1)


def period_of(day: date) -> int:
    return (day - _EPOCH) // WINDOW


def unseen(keys: Iterable[bytes]) -> set[bytes]:
    """Which of these were not seen before. They count as seen from now on, if the caller's transaction commits."""
    literal = texts(["\\x" + key.hex() for key in dict.fromkeys(keys)])
    if literal == "{}":
        return set()
    now = period_of(clock.now().date())
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "events.sql", "unseen"), {"keys": literal, "now": now, "before": now - 1}
        )
        return {bytes(key) for (key,) in cursor.fetchall()}


def ensure_periods(*, first: date, last: date) -> None:
    """Ids of a period without a partition lie in the default one, where they count as well."""
    for period in range(period_of(first), period_of(last) + 1):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM events_message_default WHERE period = %s)", [period])
            found = cursor.fetchone()
            if found is None or not found[0]:
                cursor.execute(
                    f"CREATE TABLE IF NOT EXISTS events_message_{period} "
                    f"PARTITION OF events_message FOR VALUES IN ({int(period)})"
                )


def forget_periods(*, today: date) -> int:
    """Drop what is out of the window. Returns how many partitions that were."""
    oldest = period_of(today) - 1
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "message_partitions"))
        old = [int(number) for (number,) in cursor.fetchall() if int(number) < oldest]
        for period in old:
            cursor.execute(f"DROP TABLE events_message_{period}")
        cursor.execute("DELETE FROM events_message_default WHERE period < %s", [oldest])
    return len(old)

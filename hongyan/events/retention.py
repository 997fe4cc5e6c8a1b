"""How long facts are kept: by name, else by the policy for all; visitors nobody recognised lose their thread sooner."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from hongyan.core.sql import statement, texts
from hongyan.events.models_catalogue import EventName
from hongyan.events.partitions import drop_emptied
from hongyan.events.repeats import forget_periods
from hongyan.events.tracked import forget_visitors
from hongyan.events.tracking_plan import policy

_BITE = 10_000


def forget_old(*, at: datetime, advance: Callable[[int], None] = lambda _done: None) -> dict[str, int]:
    """Deletes what is too old, in short transactions: facts, then what is left of them (keys that recognise repeats,
    months without facts). Returns how many facts by name, "*" for the rest, and
    "visitors". advance is told how many are gone and may raise to stop."""
    rule, gone = policy(), dict[str, int]()
    own = dict(EventName.objects.exclude(keep_days=None).values_list("name", "keep_days"))
    for name, days in sorted(own.items()):
        gone[name] = _bites("expired", {"name": name, "before": at - timedelta(days=days or 0)}, gone, advance)
    rest = {"before": at - timedelta(days=rule.keep_days), "except": texts(own)}
    gone["*"] = _bites("expired_others", rest, gone, advance)
    gone["visitors"] = forget_visitors(before=at - timedelta(days=rule.keep_anonymous_days))
    longest = timedelta(days=max([rule.keep_days, *(days or 0 for days in own.values())]))
    _bites("old_keys", {"before": at - longest}, gone, advance, file="events.sql")
    forget_periods(today=at.astimezone(UTC).date())
    drop_emptied(before=(at - longest).astimezone(UTC).date())
    return {name: count for name, count in gone.items() if count}


def _bites(
    name: str,
    values: dict[str, Any],
    gone: dict[str, int],
    advance: Callable[[int], None],
    *,
    file: str = "catalogue.sql",
) -> int:
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement("hongyan.events", file, name), {**values, "limit": _BITE})
            count = int(cursor.rowcount)
        total += count
        advance(sum(gone.values()) + total)
        if count < _BITE:
            return total

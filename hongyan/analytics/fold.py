"""Adding up the fact log as it grows. Every event counts exactly once: sums and cursor move in one transaction."""

from django.db import connection, transaction

from hongyan.core.sql import statement
from hongyan.events.models import ReaderCursor
from hongyan.events.names import EmailEvent

READER = "analytics.fold"
BATCH = 20_000  # about half a second of work on one core: short enough to hold the cursor row
NAMES = [
    EmailEvent.SENT,
    EmailEvent.OPENED,
    EmailEvent.CLICKED,
    EmailEvent.UNSUBSCRIBED,
    EmailEvent.COMPLAINED,
]
# Reasons (given by the edge) that do not prove a machine: a fetch that says nothing of itself.
UNKNOWN = ["no_agent", "unknown"]


def fold(*, batches: int = 50) -> int:
    """Add up what is new, at most so many batches; returns how many events were read. 0 also when another one folds."""
    ReaderCursor.objects.get_or_create(name=READER)
    total = 0
    for _ in range(batches):
        read = _fold_batch()
        total += read
        if read < BATCH:
            break
    return total


def rebuild() -> int:
    """Forget every sum and add up the whole log again."""
    with transaction.atomic():
        ReaderCursor.objects.get_or_create(name=READER)
        cursor_row = ReaderCursor.objects.select_for_update().get(name=READER)
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE analytics_messagemark, analytics_figure, analytics_slot")
        cursor_row.tx = cursor_row.event_id = 0
        cursor_row.save()
    total = 0
    while read := fold():
        total += read
    return total


def _fold_batch() -> int:
    with transaction.atomic():
        at = ReaderCursor.objects.select_for_update(skip_locked=True).filter(name=READER).first()
        if at is None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                statement("hongyan.analytics", "fold.sql", "fold"),
                {
                    "tx": str(at.tx),
                    "id": at.event_id,
                    "limit": BATCH,
                    "names": [name.value for name in NAMES],
                    "unknown": UNKNOWN,
                },
            )
            row = cursor.fetchone()
        if row is None or not row[0]:
            return 0
        at.tx, at.event_id = row[1], row[2]
        at.save()
        return int(row[0])

"""How the outbox and the send log follow when two records of one person become one.

Nobody gets the same mail twice: where both records have a message of one origin, what has left stays and what has
not is cancelled. The row that cannot stand beside the survivor's (one message a person and origin) keeps the number of
the record that was merged away, and is found through ``contacts.merging.ids_of``.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from hongyan.contacts.owned import Pairs
from hongyan.core import clock
from hongyan.core.sql import numbers, statement
from hongyan.delivery.types import MessageState

# Undone later than this, what the merge cancelled stays cancelled: the mail has gone stale.
FRESH: Final = timedelta(days=1)


def move_many(pairs: Pairs) -> dict[int, dict[str, Any]]:
    """Many pairs at once; nobody is in two of them."""
    arrays = {"losers": numbers(loser for loser, _ in pairs), "survivors": numbers(survivor for _, survivor in pairs)}
    cancelled: dict[int, list[dict[str, Any]]] = {}
    parked: dict[int, list[list[Any]]] = {}
    for loser, *row in _rows("twice", arrays):
        lost, kept = _Half(*row[:5]), _Half(*row[5:10])
        if lost.has_left and kept.waits:
            cancelled.setdefault(loser, []).append(_cancel(kept))
            parked.setdefault(loser, []).append([*kept.key, *lost.key])
        elif lost.waits:
            cancelled.setdefault(loser, []).append(_cancel(lost))
    for row in (row for rows in parked.values() for row in rows):
        _do("assign", {"id": row[0], "month": row[1], "contact_id": None})
    moved: dict[int, list[list[Any]]] = {}
    for loser, number, month in _rows("hand_over", arrays):
        moved.setdefault(loser, []).append([number, month.isoformat()])
    for loser, rows in parked.items():
        for row in rows:
            _do("assign", {"id": row[0], "month": row[1], "contact_id": loser})
    at = clock.now().isoformat()
    return {
        loser: {
            "moved": moved.get(loser, []),
            "cancelled": cancelled.get(loser, []),
            "parked": parked.get(loser, []),
            "at": at,
        }
        for loser in moved.keys() | cancelled.keys()
    }


def restore(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    for kept_id, month, *_ in data["parked"]:
        _do("assign", {"id": kept_id, "month": month, "contact_id": None})
    ids, months = [number for number, _ in data["moved"]], sorted({month for _, month in data["moved"]})
    _do("hand_back", {"ids": ids, "months": months, "loser": loser_id, "survivor": survivor_id})
    for kept_id, month, *_ in data["parked"]:
        _do("assign", {"id": kept_id, "month": month, "contact_id": survivor_id})
    if clock.now() - datetime.fromisoformat(data["at"]) < FRESH:
        for before in data["cancelled"]:
            _do("wait_again", before)


class _Half:
    """One of two messages of the same origin."""

    __slots__ = ("id", "month", "reason", "state", "wake_at")

    def __init__(self, number: int, month: Any, state: int, reason: str, wake_at: datetime | None) -> None:
        self.id, self.month, self.reason, self.wake_at = number, month, reason, wake_at
        self.state = MessageState(state)

    @property
    def key(self) -> list[Any]:
        return [self.id, self.month.isoformat()]

    @property
    def waits(self) -> bool:
        """A claimed one has not left either: its worker asks for the row before the final dot and finds it changed."""
        return self.state in (MessageState.QUEUED, MessageState.DEFERRED, MessageState.CLAIMED)

    @property
    def has_left(self) -> bool:
        return self.state in (MessageState.DOTTED, MessageState.SENT, MessageState.UNCERTAIN)


def _cancel(half: _Half) -> dict[str, Any]:
    _do("cancel_merged", {"id": half.id, "month": half.month, "now": clock.now()})
    claimed = half.state is MessageState.CLAIMED  # its worker has let it go
    return {
        "id": half.id,
        "month": half.month.isoformat(),
        "state": int(MessageState.QUEUED if claimed else half.state),
        "reason": half.reason,
        "wake_at": (clock.now() if claimed or half.wake_at is None else half.wake_at).isoformat(),
    }


def _rows(name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.delivery", "merging.sql", name), params)
        return list(cursor.fetchall())


def _do(name: str, params: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.delivery", "merging.sql", name), params)

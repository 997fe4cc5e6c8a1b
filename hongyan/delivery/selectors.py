"""Reads of this room."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.core.sql import statement
from hongyan.delivery.models import OriginHold, Sender, Throttle
from hongyan.delivery.types import MessageKey, MessageState, Origin, OriginProgress, RecipientRow


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What the public pages need to know about the mail a link came from."""

    key: MessageKey
    contact_id: int | None
    origin_kind: str
    origin_id: int
    content_version_id: int | None
    sender_id: int
    topic_id: int | None
    variant: int
    transactional: bool
    state: MessageState
    finished_at: datetime | None

    @property
    def origin(self) -> Origin:
        return Origin(self.origin_kind, self.origin_id, self.key.month)


@dataclass(frozen=True, slots=True)
class QueueLevel:
    """How many messages of a priority wait, and since when the oldest could have gone."""

    priority: int
    waiting: int
    oldest_at: datetime


def progress(origin: Origin) -> OriginProgress:
    """Exact counts. Reads every message of the origin: 1 M take about half a second."""
    states: dict[MessageState, int] = {}
    reasons: dict[tuple[MessageState, str], int] = {}
    codes: dict[int, int] = {}
    sent: list[tuple[datetime, datetime]] = []
    for number, reason, code, count, first, last in _rows("progress", _origin_params(origin)):
        state = MessageState(number)
        states[state] = states.get(state, 0) + count
        codes[code] = codes.get(code, 0) + count
        if reason:
            reasons[state, reason] = reasons.get((state, reason), 0) + count
        if state is MessageState.SENT and first is not None:
            sent.append((first, last))
    return OriginProgress(
        total=sum(states.values()),
        states=states,
        reasons=reasons,
        codes=codes,
        held=held(origin),
        first_sent_at=min((first for first, _ in sent), default=None),
        last_sent_at=max((last for _, last in sent), default=None),
    )


def held(origin: Origin) -> str | None:
    """ "pause", "cancel" or None."""
    return (
        OriginHold.objects.filter(origin_kind=origin.kind, origin_id=origin.id, ended_at=None)
        .values_list("action", flat=True)
        .first()
    )


def recipients(
    *,
    actor: Actor,
    origin: Origin,
    states: Sequence[MessageState] | None = None,
    reason: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[RecipientRow]:
    """Messages of an origin by contact id, keyset-paged: pass the last row's ``contact_id`` as ``after``."""
    actor.require(Permission.REPORT_PEOPLE)
    numbers = None if states is None else [int(state) for state in states]
    params = {**_origin_params(origin), "states": numbers, "reason": reason, "after": after, "limit": limit}
    return [_recipient(row) for row in _rows("recipients", params)]


def messages_of_contact(*, actor: Actor, contact_id: int, limit: int = 100) -> list[RecipientRow]:
    """Newest first."""
    actor.require(Permission.CONTACT_VIEW)
    return [_recipient(row) for row in _rows("of_contact", {"contact_id": contact_id, "limit": limit})]


def message_facts(keys: Sequence[MessageKey]) -> dict[MessageKey, MessageFacts]:
    """System use (public pages, reports by token); one statement however many."""
    if not keys:
        return {}
    params = {"ids": [key.id for key in keys], "months": sorted({key.month for key in keys})}
    found: dict[MessageKey, MessageFacts] = {}
    for row in _rows("facts", params):
        key = MessageKey(row[0], row[1])
        found[key] = MessageFacts(*(key, *row[2:10], MessageState(row[10]), row[11]))
    return {key: found[key] for key in keys if key in found}


def senders(*, archived: bool = False) -> list[Sender]:
    """Default first, then by name."""
    return list(Sender.objects.filter(archived_at__isnull=not archived).order_by("-is_default", "from_name", "id"))


def queue_levels(*, actor: Actor) -> list[QueueLevel]:
    actor.require(Permission.SYSTEM_VIEW)
    return [QueueLevel(*row) for row in _rows("queue_by_priority", {})]


def throttles(*, actor: Actor) -> list[Throttle]:
    """Recipient domains that are held back now, longest first."""
    actor.require(Permission.SYSTEM_VIEW)
    from hongyan.core import clock

    return list(Throttle.objects.filter(until__gt=clock.now()).order_by("-until"))


def _recipient(row: tuple[Any, ...]) -> RecipientRow:
    number: int = row[0]
    month: date = row[1]
    return RecipientRow(number, month, row[2], MessageState(row[3]), *row[4:12])


def _origin_params(origin: Origin) -> dict[str, Any]:
    return {"kind": origin.kind, "origin_id": origin.id, "month": origin.month}


def _rows(name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.delivery", "outbox.sql", name), params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows

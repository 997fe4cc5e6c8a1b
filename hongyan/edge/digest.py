"""Hits become events once their neighbours have arrived too, so that scanners are told from people."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from hongyan.contacts.activity import mark_active
from hongyan.contacts.consent import tracking_allowed
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.delivery.services import uncertain_proved_sent
from hongyan.delivery.types import MessageKey, MessageState
from hongyan.edge.machines import machine_hit
from hongyan.edge.models import Hit
from hongyan.events.names import EmailEvent
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.jobs.lanes import keep_turning

SETTLE = timedelta(seconds=4)  # longer than the burst that gives a scanner away
_KEPT = timedelta(minutes=1)
_BATCH = 2_000
_REST_S = 1.0

Clicks = dict[int, list[tuple[datetime, int | None]]]


@dataclass(frozen=True, slots=True)
class SettledHit:
    id: int
    at: datetime
    kind: int
    message_id: int
    month: date
    link: int | None
    user_agent: str
    contact_id: int | None
    origin_kind: str | None
    origin_id: int | None
    topic_id: int | None
    finished_at: datetime | None
    state: int | None


async def run_digest(stop: asyncio.Event) -> None:
    """The lane: digest until there is nothing, rest, again."""
    await keep_turning(lambda: digest_hits() == _BATCH, stop, rest_s=_REST_S)


def digest_hits(*, settled_before: datetime | None = None) -> int:
    """Turn settled hits into events, in one transaction. Returns how many hits were taken.

    A hit after the person withdrew tracking consent leaves nothing behind, also for mails sent before.
    """
    before = settled_before or clock.now() - SETTLE
    with transaction.atomic():
        hits = _take(before)
        if not hits:
            return 0
        clicks = _clicks_of({hit.message_id for hit in hits if hit.kind == Hit.Kind.CLICK})
        allowed = _allowed(hits)
        kept = [hit for hit in hits if (hit.contact_id, hit.kind) in allowed]
        facts = [_event(hit, clicks) for hit in kept]
        append(facts)
        mark_active(_clicked(facts))
        # Whoever fetched it, person or machine: the mail has arrived.
        doubted = {MessageKey(hit.message_id, hit.month) for hit in kept if hit.state == MessageState.UNCERTAIN}
        uncertain_proved_sent(sorted(doubted, key=lambda key: key.id))
        with connection.cursor() as cursor:
            cursor.execute(statement("hongyan.edge", "edge.sql", "mark_digested"), {"ids": [hit.id for hit in hits]})
            cursor.execute(statement("hongyan.edge", "edge.sql", "forget_hits"), {"before": before - _KEPT})
    return len(hits)


def _clicked(facts: Sequence[NewEvent]) -> dict[int, datetime]:
    """Who followed a link themselves, and when last. An open says less: many are not the person's doing."""
    latest: dict[int, datetime] = {}
    for fact in facts:
        if fact.name == EmailEvent.CLICKED and fact.contact_id is not None and not fact.properties["machine"]:
            latest[fact.contact_id] = max(fact.occurred_at, latest.get(fact.contact_id, fact.occurred_at))
    return latest


def _take(before: datetime) -> list[SettledHit]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.edge", "edge.sql", "settled_hits"), {"settled_before": before, "limit": _BATCH}
        )
        return [SettledHit(*row) for row in cursor.fetchall()]


def _clicks_of(message_ids: set[int]) -> Clicks:
    found: Clicks = defaultdict(list)
    if message_ids:
        with connection.cursor() as cursor:
            cursor.execute(statement("hongyan.edge", "edge.sql", "neighbours"), {"message_ids": list(message_ids)})
            for message_id, link, at in cursor.fetchall():
                found[message_id].append((at, link))
    return found


def _allowed(hits: Sequence[SettledHit]) -> set[tuple[int | None, int]]:
    """(contact, kind) pairs whose hits may be kept. Hits without a contact belong to test mails: nobody to ask."""
    allowed: set[tuple[int | None, int]] = set()
    for kind, channel in ((Hit.Kind.OPEN, "tracking_open"), (Hit.Kind.CLICK, "tracking_click")):
        contact_ids = {hit.contact_id for hit in hits if hit.kind == kind and hit.contact_id is not None}
        if contact_ids:
            allowed |= {(contact_id, int(kind)) for contact_id in tracking_allowed(contact_ids, channel=channel)}
    return allowed


def _event(hit: SettledHit, clicks: Clicks) -> NewEvent:
    opened = hit.kind == Hit.Kind.OPEN
    properties: dict[str, Any] = {
        "origin_kind": hit.origin_kind,
        "origin_id": hit.origin_id,
        "message_id": hit.message_id,
        "machine": machine_hit(
            user_agent=hit.user_agent,
            at=hit.at,
            accepted_at=hit.finished_at,
            burst=() if opened else clicks[hit.message_id],
        ),
    }
    if not opened:
        properties["link"] = hit.link
    return NewEvent(
        contact_id=hit.contact_id,
        name=EmailEvent.OPENED if opened else EmailEvent.CLICKED,
        occurred_at=hit.at,
        source="edge",
        properties=properties,
        dedupe_key=f"hit:{hit.id}",
    )

"""Batches and their leases. Runs on Django's connection of the thread that calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from hongyan.core import clock
from hongyan.core.sql import numbers, statement
from hongyan.delivery.facts import About, bounced_event, deferred_event, sent_event
from hongyan.delivery.lane.aftermath import Bounce, bounces_of, forget_direct, suppress_bounced
from hongyan.delivery.lane.work import Claimed, Result
from hongyan.delivery.types import MessageState
from hongyan.events.services import append
from hongyan.events.types import NewEvent


@dataclass(frozen=True, slots=True)
class GateRefusal:
    """A message that does not go out (final), or not yet (``wake_at``)."""

    row: Claimed
    state: MessageState
    reason: str
    wake_at: datetime | None = None


def claim_take(*, worker: str, limit: int, lease: timedelta) -> list[Claimed]:
    """Up to ``limit`` due messages, ours until the lease ends."""
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        # Losing a claim in a crash of the database only means that its rows still wait.
        cursor.execute("SET LOCAL synchronous_commit = off; SET LOCAL enable_seqscan = off")
        cursor.execute(_statement("pick"), {"now": now, "limit": limit})
        picked = cursor.fetchall()
        if not picked:
            return []
        ids, months = [row[0] for row in picked], sorted({row[1] for row in picked})
        numbered = numbers(ids)
        opened: dict[str, Any] = {
            "worker": worker,
            "now": now,
            "lease_until": now + lease,
            "ids": numbered,
            "months": months,
        }
        cursor.execute(_statement("open_claim"), opened)
        (fence,) = cursor.fetchone()
        cursor.execute(_statement("take"), {"fence": fence, "now": now, "ids": numbered, "months": months})
        return [Claimed(*row) for row in cursor.fetchall()]


def claim_renew(*, fences: Sequence[int], lease: timedelta) -> set[int]:
    """The claims that are still ours."""
    with connection.cursor() as cursor:
        cursor.execute(_statement("renew"), {"fences": list(fences), "lease_until": clock.now() + lease})
        return {row[0] for row in cursor.fetchall()}


def claim_refuse(*, fence: int, refusals: Sequence[GateRefusal]) -> None:
    if not refusals:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _statement("refuse"),
            {
                "fence": fence,
                "now": clock.now(),
                "ids": [refusal.row.id for refusal in refusals],
                "months": [refusal.row.month for refusal in refusals],
                "states": [int(refusal.state) for refusal in refusals],
                "reasons": [refusal.reason for refusal in refusals],
                "wakes": [refusal.wake_at for refusal in refusals],
            },
        )


def claim_put_off(*, rows: Sequence[Claimed], reason: str) -> None:
    """All of a claim waits some minutes."""
    wake_at = clock.now() + timedelta(minutes=3)
    refusals = [GateRefusal(row, MessageState.QUEUED, reason, wake_at=wake_at) for row in rows]
    claim_refuse(fence=rows[0].fence, refusals=refusals)


def claim_close(*, fence: int, results: Sequence[Result]) -> None:
    """Tell the facts and give the claim back, together: a claim that is gone has been told.

    Whoever deletes the claim tells, so nobody else can have told what was sent, and its facts need no key to compare.
    When the lease was over and somebody took the claim apart, the keys keep what they told from being told again.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_statement("close_claim"), {"fence": fence})
        keyed = cursor.rowcount != 1
        forget_direct([result.work.row for result in results if result.outcome.wake_at is None])
        suppress_bounced(bounces_of(results))
        append([event for result in results if (event := _fact_of(result, keyed=keyed)) is not None])


def claim_return(*, fence: int, ids: Sequence[int], months: Sequence[date]) -> None:
    """Messages that were claimed and not dotted go back to the queue at once (the worker is ending)."""
    params: dict[str, Any] = {"fence": fence, "ids": list(ids), "months": list(months), "now": clock.now()}
    with connection.cursor() as cursor:
        cursor.execute(_statement("give_back"), params)


def claims_recover() -> int:
    """Take apart the batches of workers that died: what had not left goes back to the queue, what may have left is
    parked as uncertain (transactional mail is sent again under the same Message-ID). Returns how many batches."""
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_statement("dead_claims"), {"now": now})
        dead = cursor.fetchall()
        for fence, ids, months in dead:
            params = {"fence": fence, "ids": ids, "months": months, "now": now}
            for step in ("give_back", "doubt"):
                cursor.execute(_statement(step), params)
            cursor.execute(_statement("untold"), params)
            untold = cursor.fetchall()
            append([event for row in untold if (event := _fact_of_row(row)) is not None])
            suppress_bounced(
                [Bounce(row[1], row[5], f"{row[7] or ''} {row[8]}".strip()) for row in untold if _bounced(row)]
            )
        return len(dead)


def _bounced(row: tuple[Any, ...]) -> bool:
    return row[1] is not None and row[4] == MessageState.BOUNCED


def _fact_of(result: Result, *, keyed: bool) -> NewEvent | None:
    outcome, about = result.outcome, result.work.row.about
    if outcome.state is MessageState.SENT and about.contact_id is not None:
        return sent_event(about, result.at, keyed=keyed)
    details = {"reason": outcome.reason, "smtp_code": outcome.code, "smtp_enhanced": outcome.enhanced}
    return _fact(outcome.state, about, result.at, result.work.attempts, details)


def _fact_of_row(row: tuple[Any, ...]) -> NewEvent | None:
    number, contact_id, kind, origin_id, state, reason, attempts, code, enhanced, at = row
    details = {"reason": reason, "smtp_code": code, "smtp_enhanced": enhanced}
    return _fact(MessageState(state), About(number, contact_id, kind, origin_id), at, attempts, details)


def _fact(state: MessageState, about: About, at: datetime, attempt: int, details: dict[str, Any]) -> NewEvent | None:
    if about.contact_id is None:
        return None  # mail to staff is nobody's timeline
    if state is MessageState.SENT:
        return sent_event(about, at)
    if state is MessageState.BOUNCED:
        return bounced_event(about, at, details)
    if state is MessageState.DEFERRED:
        return deferred_event(about, at, attempt, details)
    return None


def _statement(name: str) -> str:
    return statement("hongyan.delivery", "claims.sql", name)

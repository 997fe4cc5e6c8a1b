"""Counting what the outbox has done for a campaign, and recording when it is finished."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from hongyan.accounts.types import system_actor
from hongyan.campaigns.models import Campaign, Progress
from hongyan.campaigns.states import Act, State, may
from hongyan.campaigns.transitions import locked, move
from hongyan.core import clock
from hongyan.delivery import selectors as delivery
from hongyan.delivery.types import MessageState, Origin, OriginProgress

# Counting a million messages takes about half a second; a tenth of one core is enough for it.
COST_FACTOR = 10
RESTING = timedelta(minutes=1)  # between counts of a finished campaign that still has uncertain messages
GIVE_UP = timedelta(days=30)  # an uncertain message this old stays uncertain
SMOOTHING = 0.4  # weight of the newest rate


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts of messages at ``at``. seconds_left: at the present rate; None when nothing moves."""

    total: int
    states: Mapping[MessageState, int]
    reasons: Mapping[tuple[MessageState, str], int]
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    per_second: float | None
    at: datetime | None

    def count(self, *states: MessageState) -> int:
        return sum(self.states.get(state, 0) for state in states)

    @property
    def waiting(self) -> int:
        return self.count(MessageState.QUEUED, MessageState.DEFERRED, MessageState.CLAIMED, MessageState.DOTTED)

    @property
    def done(self) -> int:
        return self.total - self.waiting

    @property
    def seconds_left(self) -> int | None:
        return round(self.waiting / self.per_second) if self.per_second and self.waiting else None


EMPTY = Snapshot(0, {}, {}, None, None, None, None)


def origin_of(campaign: Campaign) -> Origin | None:
    """None before recipients were frozen."""
    return Origin("campaign", campaign.pk, campaign.origin_month) if campaign.origin_month is not None else None


def snapshot(campaign: Campaign) -> Snapshot:
    """The latest count; no permission needed: counts without people."""
    row = Progress.objects.filter(campaign=campaign).first()
    return snapshot_of(row) if row is not None else EMPTY


def snapshot_of(row: Progress) -> Snapshot:
    states = {MessageState(int(number)): count for number, count in row.states.items()}
    reasons = {(MessageState(number), reason): count for number, reason, count in row.reasons}
    return Snapshot(
        sum(states.values()), states, reasons, row.first_sent_at, row.last_sent_at, row.per_second, row.counted_at
    )


def follow() -> int:
    """Count every campaign that may have moved; returns how many were counted. Periodic."""
    counted = 0
    now = clock.now()
    for campaign in Campaign.objects.filter(origin_month__isnull=False).exclude(progress__settled=True):
        if campaign.state != State.FREEZING and _due(campaign, now):
            count_now(campaign)
            counted += 1
    return counted


def _due(campaign: Campaign, now: datetime) -> bool:
    row = Progress.objects.filter(campaign=campaign).first()
    if row is None:
        return True
    resting = campaign.state == State.FINISHED
    wait = RESTING if resting else timedelta(milliseconds=row.cost_ms * COST_FACTOR)
    return now - row.counted_at >= wait


def count_now(campaign: Campaign) -> Snapshot:
    """Count exactly, keep the count, and finish the campaign when every message has a final state."""
    origin = origin_of(campaign)
    if origin is None:
        return EMPTY
    began = time.monotonic()
    progress = delivery.progress(origin)
    row = _store(campaign, progress, cost_ms=round((time.monotonic() - began) * 1000))
    if progress.finished:
        _finish(campaign.pk, progress)
    return snapshot_of(row)


def _store(campaign: Campaign, progress: OriginProgress, *, cost_ms: int) -> Progress:
    now = clock.now()
    with transaction.atomic():
        before = Progress.objects.select_for_update().filter(campaign=campaign).first()
        row, _ = Progress.objects.update_or_create(
            campaign=campaign,
            defaults={
                "states": {str(int(state)): count for state, count in progress.states.items()},
                "reasons": [[int(state), reason, count] for (state, reason), count in progress.reasons.items()],
                "first_sent_at": progress.first_sent_at,
                "last_sent_at": progress.last_sent_at,
                "per_second": _per_second(before, progress, now),
                "counted_at": now,
                "cost_ms": cost_ms,
                "settled": _settled(campaign, progress, now),
            },
        )
    return row


def _per_second(before: Progress | None, progress: OriginProgress, now: datetime) -> float | None:
    """Messages that reached a final state per second, smoothed over the last few counts."""
    if before is None or progress.finished or progress.held is not None:
        return None
    earlier = snapshot_of(before)
    elapsed = (now - before.counted_at).total_seconds()
    if elapsed < 0.5:
        return before.per_second
    newest = max(0, (progress.total - progress.waiting) - earlier.done) / elapsed
    if before.per_second is None:
        return newest or None
    return SMOOTHING * newest + (1 - SMOOTHING) * before.per_second or None


def _settled(campaign: Campaign, progress: OriginProgress, now: datetime) -> bool:
    if not progress.finished:
        return False
    old = campaign.started_at is not None and now - campaign.started_at > GIVE_UP
    return old or progress.count(MessageState.UNCERTAIN) == 0


def _finish(campaign_id: int, progress: OriginProgress) -> None:
    """Only when everybody who was frozen has a final state: a message missing from the outbox keeps it open."""
    with transaction.atomic():
        campaign = locked(campaign_id)
        if not may(State(campaign.state), Act.COMPLETE) or progress.total != campaign.recipients:
            return
        move(
            campaign,
            Act.COMPLETE,
            actor=system_actor("campaigns"),
            data=exact_counts(progress),
            changes={"finished_at": clock.now()},
        )


def exact_counts(progress: OriginProgress) -> dict[str, int]:
    """For the record of a step: state name -> messages, at that moment."""
    return {state.name.lower(): count for state, count in sorted(progress.states.items()) if count}

"""What an answer leads to: next attempt, bounce, throttle. Pure but for the random spread, which is passed in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hongyan.delivery.lane.work import Outcome, Work
from hongyan.delivery.replies import Action, classify, safe_text
from hongyan.delivery.transports.smtp import Stage
from hongyan.delivery.transports.wire import Reply
from hongyan.delivery.types import MessageState, Reason

MARKETING_TTL = timedelta(hours=72)
TRANSACTIONAL_TTL = timedelta(hours=24)  # a sign-in code of yesterday helps nobody
_BACKOFF_MINUTES = (2, 5, 15, 30, 60, 120, 240)
_THROTTLE_MINUTES = (2, 10, 60, 360, 1440)


@dataclass(frozen=True, slots=True)
class DomainPause:
    """A request to hold a recipient domain back."""

    domain: str
    reason: Reason
    text: str


def accepted(work: Work, reply: Reply) -> Outcome:
    """The relay's words are kept: they hold its own number for the mail."""
    text = reply.text
    if "@" in text or not text.isprintable() or len(text) > 100:
        text = safe_text(text, work.recipient)
    return Outcome(MessageState.SENT, code=reply.code, enhanced=reply.enhanced, text=text)


def refused(
    work: Work, reply: Reply, stage: Stage, *, now: datetime, spread: Callable[[], float]
) -> tuple[Outcome, DomainPause | None]:
    """spread: 0..1, so that retries of one moment do not come back in one moment."""
    verdict = classify(reply, stage)
    text = safe_text(reply.text, work.recipient)
    kept = {"code": reply.code, "enhanced": reply.enhanced, "text": text}
    pause = None
    if verdict.action is Action.THROTTLE or verdict.reason in {Reason.SENDER_FAULT, Reason.IP_BLOCKED}:
        pause = DomainPause(work.domain, verdict.reason, text)
    if verdict.action in {Action.BOUNCE, Action.SOFT_BOUNCE}:
        return Outcome(MessageState.BOUNCED, verdict.reason, **kept), pause  # type: ignore[arg-type]
    if verdict.action is Action.FAIL:
        return Outcome(MessageState.FAILED, verdict.reason, **kept), pause  # type: ignore[arg-type]
    wake_at = next_attempt(work, now=now, spread=spread)
    exhausted = verdict.retries is not None and work.attempts > verdict.retries
    if wake_at is None or exhausted:
        return _given_up(verdict.reason, kept, exhausted=exhausted), pause
    return Outcome(MessageState.DEFERRED, verdict.reason, wake_at=wake_at, **kept), pause  # type: ignore[arg-type]


def answer_lost(work: Work, *, now: datetime, spread: Callable[[], float]) -> Outcome:
    """Cut between our dot and the answer. Marketing is parked: never mailed twice. Transactional mail goes again under
    the same Message-ID: twice is better than never."""
    if not work.row.transactional:
        return Outcome(MessageState.UNCERTAIN, Reason.ANSWER_LOST)
    wake_at = next_attempt(work, now=now, spread=spread)
    if wake_at is None:
        return Outcome(MessageState.UNCERTAIN, Reason.ANSWER_LOST)
    return Outcome(MessageState.DEFERRED, Reason.ANSWER_LOST, wake_at=wake_at)


def next_attempt(work: Work, *, now: datetime, spread: Callable[[], float]) -> datetime | None:
    """None when the time to live ends before it."""
    minutes = _BACKOFF_MINUTES[min(work.attempts, len(_BACKOFF_MINUTES)) - 1]
    at = now + timedelta(minutes=minutes * (1 + spread() / 2))
    life = TRANSACTIONAL_TTL if work.row.transactional else MARKETING_TTL
    return at if at <= work.row.due_at + life else None


def throttle_until(level: int, *, now: datetime) -> datetime:
    """level 1 is the first complaint; each repeat while the last one is fresh goes one step up."""
    return now + timedelta(minutes=_THROTTLE_MINUTES[min(level, len(_THROTTLE_MINUTES)) - 1])


def _given_up(reason: Reason, kept: dict[str, object], *, exhausted: bool) -> Outcome:
    if reason in {Reason.MAILBOX_FULL, Reason.RECIPIENT_FLOODED}:
        return Outcome(MessageState.BOUNCED, reason, **kept)  # type: ignore[arg-type]
    return Outcome(MessageState.FAILED, reason if exhausted else Reason.EXPIRED, **kept)  # type: ignore[arg-type]

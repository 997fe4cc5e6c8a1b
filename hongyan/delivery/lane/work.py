"""What moves through the lane."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from hongyan.delivery.facts import About
from hongyan.delivery.mime.message import Built
from hongyan.delivery.transports.smtp import Peer
from hongyan.delivery.types import MessageKey, MessageState


class Claimed(NamedTuple):
    """A claimed outbox row, in the order of the columns that ``claim_take`` returns."""

    id: int
    month: date
    origin_kind: str
    origin_id: int
    contact_id: int | None
    content_version_id: int | None
    sender_id: int
    topic_id: int | None
    transactional: bool
    attempts: int
    message_id: str
    due_at: datetime
    fence: int

    @property
    def key(self) -> MessageKey:
        return MessageKey(self.id, self.month)

    @property
    def about(self) -> About:
        return About(self.id, self.contact_id, self.origin_kind, self.origin_id)


class BuildRefused(Exception):
    """This person's mail cannot be made; others' can."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Work:
    """One mail on its way. ``build`` makes its bytes when a connection is ready for it."""

    row: Claimed
    batch: "Batch"
    recipient: str  # as on the wire; lives in memory only
    domain: str
    mail_from: str
    message_id: str
    build: Callable[[], Built]
    attempts: int  # this one included
    cuts: int = 0  # connections that ended on it before its dot
    dotted: bool = False  # journalled; its dot need not have been given


class Outcome(NamedTuple):
    """How an attempt ended. text is already safe for the log."""

    state: MessageState
    reason: str = ""
    wake_at: datetime | None = None
    code: int | None = None
    enhanced: str = ""
    text: str = ""
    counts_as_attempt: bool = True


class Result(NamedTuple):
    work: Work
    outcome: Outcome
    at: datetime
    peer: Peer | None


@dataclass(slots=True)
class Batch:
    """What one claim holds. Facts are told, and the claim given back, when everything in it has an outcome."""

    fence: int
    open: int = 0
    doubtful: bool = False  # a dot's commit failed: what is in the table is not known, the lease decides
    results: list[Result] = field(default_factory=list)

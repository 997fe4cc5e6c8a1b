"""Values that cross this room's border."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import IntEnum, StrEnum

from hongyan.core import clock

_KIND = re.compile(r"^[a-z][a-z_]{0,31}$")


class MessageState(IntEnum):
    QUEUED = 0  # waits for its time and a worker
    CLAIMED = 1  # a worker holds it; nothing has left us
    DOTTED = 2  # committed just before the final dot: from here on the relay may have it
    SENT = 3  # the relay accepted it
    DEFERRED = 4  # temporary refusal, next attempt planned
    BOUNCED = 5  # the reply says that the recipient cannot be reached
    FAILED = 6  # given up for a reason that is not the recipient's
    UNCERTAIN = 7  # the answer to the final dot was lost
    REFUSED = 8  # the gate refused it, with a reason
    CANCELLED = 9  # its origin was cancelled before it left


WAITING = (MessageState.QUEUED, MessageState.DEFERRED)
IN_FLIGHT = (MessageState.CLAIMED, MessageState.DOTTED)
FINAL = (
    MessageState.SENT,
    MessageState.BOUNCED,
    MessageState.FAILED,
    MessageState.UNCERTAIN,
    MessageState.REFUSED,
    MessageState.CANCELLED,
)


class Reason(StrEnum):
    """Why a message was refused, failed, bounced, or waits. Stored as text; words for people are in ``words``."""

    # refused by the gate; consent and suppression speak in contacts' own words (``MailRefusal``)
    NO_CONTACT = "no_contact"  # erased or merged away since the audience was frozen
    UNSENDABLE_EAI = "unsendable_eai"  # local part outside ASCII and the relay does not announce SMTPUTF8
    BAD_ADDRESS = "bad_address"
    RENDER_FAILED = "render_failed"
    EMPTY_VALUE = "empty_value"  # a merge field without fallback is empty for this person
    BAD_LINK = "bad_link"  # a link made from this person's data leads nowhere
    BAD_HEADER = "bad_header"
    TOO_LARGE = "too_large"  # larger than a mail should be, or than the relay's SIZE
    CONTENT_GONE = "content_gone"  # the sealed text of a single mail was deleted before it left
    ORIGIN_CANCELLED = "origin_cancelled"
    MERGED = "merged"  # the same person gets it under the record that this one was merged with
    # the relay's answer
    UNKNOWN_RECIPIENT = "unknown_recipient"
    DISABLED_RECIPIENT = "disabled_recipient"
    NULL_MX = "null_mx"
    MAILBOX_FULL = "mailbox_full"
    THROTTLED = "throttled"
    GREYLISTED = "greylisted"
    RECIPIENT_FLOODED = "recipient_flooded"  # QQ: this person got too much just now
    CONTENT_REFUSED = "content_refused"
    SENDER_FAULT = "sender_fault"  # SPF, DKIM, DMARC, PTR or TLS of ours
    IP_BLOCKED = "ip_blocked"
    MESSAGE_FAULT = "message_fault"  # size, MIME, capability
    TEMPORARY = "temporary"
    UNKNOWN_REPLY = "unknown_reply"
    # ours
    RELAY_DOWN = "relay_down"
    PREPARATION_FAILED = "preparation_failed"  # a fault of the product: see its log; tried again
    EXPIRED = "expired"  # tried until its time to live ended
    ANSWER_LOST = "answer_lost"  # cut between our final dot and the answer
    WORKER_DIED = "worker_died"  # the worker ended between the final dot and the recorded answer
    RESOLVED = "resolved"  # an uncertain message settled by a person or by a later fact


class Priority(IntEnum):
    """Lower is sooner."""

    DIRECT = 0  # double opt-in, staff mail, test mails
    TRANSACTIONAL = 10
    URGENT = 30
    NORMAL = 50
    BULK = 70


@dataclass(frozen=True, slots=True)
class Origin:
    """Why a message exists. ``month`` is the first day of the month in which the origin began sending and never changes
    afterwards: it is part of the uniqueness that keeps anybody from being mailed twice."""

    kind: str
    id: int
    month: date

    def __post_init__(self) -> None:
        if not _KIND.match(self.kind):
            raise ValueError("an origin kind is lower-case letters and underscores")
        if self.month.day != 1:
            raise ValueError("the month of an origin is a first day")

    @classmethod
    def starting(cls, kind: str, origin_id: int, at: datetime | None = None) -> "Origin":
        """The origin of something that begins now (or at an aware time). Keep its month beside the thing itself."""
        day = (at or clock.now()).astimezone(UTC).date()
        return cls(kind, origin_id, day.replace(day=1))


@dataclass(frozen=True, slots=True)
class MessageKey:
    """What a token in a mail holds."""

    id: int
    month: date


@dataclass(frozen=True, slots=True)
class OriginProgress:
    """Exact counts of an origin's messages. reasons: by (state, reason). codes: by SMTP code."""

    total: int
    states: Mapping[MessageState, int]
    reasons: Mapping[tuple[MessageState, str], int]
    codes: Mapping[int, int]
    held: str | None  # "pause" | "cancel" | None
    first_sent_at: datetime | None
    last_sent_at: datetime | None

    def count(self, *states: MessageState) -> int:
        return sum(self.states.get(state, 0) for state in states)

    @property
    def waiting(self) -> int:
        return self.count(*WAITING, *IN_FLIGHT)

    @property
    def finished(self) -> bool:
        """Everybody has a final state: sent, bounced, failed, uncertain, refused or cancelled."""
        return self.waiting == 0


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """One message of an origin, for lists of people by outcome."""

    message_id: int
    month: date
    contact_id: int | None
    state: MessageState
    reason: str
    variant: int
    smtp_code: int | None
    smtp_enhanced: str
    smtp_text: str
    attempts: int
    due_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class DirectMail:
    """A single mail whose text is already final: test mails, double opt-in, mail to staff."""

    subject: str
    html: str | None
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

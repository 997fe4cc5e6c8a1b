"""Values that cross this room's border."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hongyan.content.types import MailType


class Stage(StrEnum):
    """Lifecycle stage a campaign is filed under (product S1)."""

    AWARENESS = "awareness"
    ATTRACTION = "attraction"
    CONVERSION = "conversion"
    RETENTION = "retention"


class Timing(StrEnum):
    NOW = "now"  # as soon as a person presses send
    AT = "at"


class EmptyChoice(StrEnum):
    """What happens to people who have nothing in a field the mail prints."""

    FALLBACK = "fallback"  # they read another text
    EXCLUDE = "exclude"  # they are left out, counted
    # The third choice, to fix the data, is no decision of the campaign.


class Level(StrEnum):
    BLOCK = "block"  # must be mended before sending
    WARN = "warn"
    INFO = "info"


class Step(StrEnum):
    """Where in the editor a finding is mended."""

    AUDIENCE = "audience"
    CONTENT = "content"
    SENDER = "sender"
    REVIEW = "review"


class Outside(StrEnum):
    """Why somebody of the audience gets no mail; in the order in which the reasons are asked."""

    EXCLUDED = "excluded"  # named by the exclusions of the campaign
    EMPTY_FIELD = "empty_field"  # left out by choice, because the mail prints a field they do not have
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"  # bounced hard, complained, erased, or listed by hand
    UNSUBSCRIBED = "unsubscribed"
    PENDING = "pending"  # asked to confirm, has not done so
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """text is the fallback, and empty for EXCLUDE."""

    choice: EmptyChoice
    text: str = ""


@dataclass(frozen=True, slots=True)
class CampaignValues:
    """What people may set. Every field is optional, so that a draft can always be saved; preflight asks for the rest.

    audience, exclusions: trees of the audience room; None: not chosen yet, or no exclusions.
    choices: by field path as content names it ("contact.given_name").
    """

    name: str = ""
    stage: Stage = Stage.CONVERSION
    mail_type: MailType = MailType.PROMOTION
    goal: str = ""
    audience: Mapping[str, Any] | None = None
    exclusions: Mapping[str, Any] | None = None
    topic_id: int | None = None
    sender_id: int | None = None
    template_id: int | None = None
    subject: str = ""  # empty: the template's
    preheader: str = ""
    choices: Mapping[str, FieldChoice] = field(default_factory=dict)
    timing: Timing = Timing.NOW
    send_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something preflight has to say. code is stable (API, tests); title and remedy are in the active language."""

    level: Level
    code: str
    step: Step
    place: str  # a field, a line of the source, a link; empty for the whole
    title: str
    remedy: str = ""
    count: int | None = None  # people concerned


@dataclass(frozen=True, slots=True)
class EmptyField:
    """A field the mail prints, and how many of the whole audience have nothing in it."""

    field: str
    label: str
    empty: int
    total: int
    choice: EmptyChoice | None  # None: nothing decided, which blocks when empty > 0
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The way from the audience to the mailboxes. matched = sum of outside + will_receive."""

    matched: int
    outside: Mapping[Outside, int]
    will_receive: int


@dataclass(frozen=True, slots=True)
class Preflight:
    findings: tuple[Finding, ...]
    empty_fields: tuple[EmptyField, ...]
    counts: Counts | None  # None: no usable audience yet
    content_hash: str  # empty: no mail that could be sent yet
    audience_hash: str
    at: datetime

    @property
    def blocks(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level is Level.BLOCK)

    @property
    def clear(self) -> bool:
        return not self.blocks

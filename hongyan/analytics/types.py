"""Values that cross this room's border."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from hongyan.analytics.rates import AgainstHistory, Rate


class Mark(IntEnum):
    """What one message reached. Stored; numbers never change meaning."""

    OPENED_PERSON = 1
    OPENED_MACHINE = 2  # privacy proxies that load everything, scanners
    OPENED_UNKNOWN = 3  # an image proxy that hides whether a person looked
    CLICKED_PERSON = 4
    CLICKED_MACHINE = 5  # link scanners
    UNSUBSCRIBED = 6
    COMPLAINED = 7
    SENT = 9  # figures and slots only: the outbox knows each message
    OPENED_NOT_MACHINE = 10  # by a person or unknown; with OPENED_ANY it keeps "machine only" exact
    OPENED_ANY = 11
    CLICKED_ANY = 12


class Outcome(StrEnum):
    """A list of people behind a figure."""

    ALL = "all"
    SENT = "sent"
    WAITING = "waiting"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    OPENED = "opened"
    OPENED_MACHINE = "opened_machine"
    OPENED_UNKNOWN = "opened_unknown"
    CLICKED = "clicked"
    CLICKED_MACHINE = "clicked_machine"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link of the mail. people: contacts who clicked it themselves; hits: their clicks; machine_*: scanners'."""

    index: int
    url: str
    label: str
    people: Rate  # of delivered
    hits: int
    machine_people: int
    machine_hits: int


@dataclass(frozen=True, slots=True)
class HourRow:
    """One hour of a zone. Opens and clicks are of people; each message counts once, in its first hour."""

    at: datetime
    sent: int
    opened: int
    clicked: int
    machine: int


@dataclass(frozen=True, slots=True)
class Report:
    """How a campaign did. Counts of messages; rates are of ``delivered``.

    delivered: accepted by the receiving side. reasons: everything but sent, by (state, reason).
    """

    recipients: int
    waiting: int
    sent: int
    delivered: int
    bounced: int
    failed: int
    uncertain: int
    refused: int
    cancelled: int
    reasons: Mapping[tuple[str, str], int]
    opened: Rate
    opened_machine_only: Rate
    opened_unknown_only: Rate
    not_opened: Rate
    clicked: Rate
    clicked_machine_only: Rate
    clicked_of_opened: Rate
    unsubscribed: Rate
    complained: Rate
    bounce: Rate  # of those the relay was asked to take
    opens_history: AgainstHistory
    clicks_history: AgainstHistory
    links: Sequence[LinkRow]
    hours: Sequence[HourRow]
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    folded_at: datetime | None  # events up to about here are counted


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """One line of the table over campaigns; rates of delivered."""

    campaign_id: int
    recipients: int
    delivered: int
    opened: Rate
    clicked: Rate
    unsubscribed: Rate


@dataclass(frozen=True, slots=True)
class MonthRow:
    """Campaigns of one month, stage and mail type. month: "2026-11" in the organisation's zone."""

    month: str
    stage: str
    mail_type: str
    campaigns: int
    delivered: int
    opened: Rate
    clicked: Rate
    unsubscribed: Rate

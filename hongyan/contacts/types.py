"""What crosses this room's border."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from hongyan.contacts.models import ConsentRecord, ConsentState, Suppression
from hongyan.core.sql import SQL

ConsentAction = ConsentRecord.Action
ConsentStanding = ConsentState.State
SuppressionReason = Suppression.Reason
T = TypeVar("T")


class Channel(StrEnum):
    """What a consent is about. Tracking asks for a consent of its own."""

    EMAIL = "email"
    TRACKING_OPEN = "tracking_open"
    TRACKING_CLICK = "tracking_click"


@dataclass(frozen=True, slots=True)
class Identity:
    """Identifying data, normalised; an empty text means unknown. birth_date: ISO 8601 date. extra: sensitive custom
    fields by key, in the text form of their type."""

    given_name: str = ""
    family_name: str = ""
    full_name: str = ""
    email: str = ""
    phone: str = ""  # E.164
    street: str = ""
    postal_code: str = ""
    birth_date: str = ""
    notes: str = ""
    company: str = ""
    external_id: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


IDENTITY_FIELDS: Final = tuple(item.name for item in fields(Identity) if item.name != "extra")
PLAIN_FIELDS: Final = ("sex", "language", "country", "region", "city", "time_zone")
# Longest value accepted, in characters; notes are the only long one.
LIMITS: Final[Mapping[str, int]] = {
    "given_name": 120,
    "family_name": 120,
    "full_name": 200,
    "street": 300,
    "postal_code": 20,
    "notes": 4000,
    "company": 200,
    "external_id": 120,
    "region": 120,
    "city": 120,
}


@dataclass(frozen=True, slots=True)
class ContactValues:
    """Raw values as a person or a program gave them, by field key; custom fields as ``custom.<key>``.

    Keys are those of ``IDENTITY_FIELDS`` and ``PLAIN_FIELDS``. Services normalise; an empty value clears the field.
    """

    values: Mapping[str, Any]


ContactChanges = ContactValues  # only the fields named are touched


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the value of the order column (None: those without one come last) and the id."""

    at: datetime | None
    id: int


class Order(StrEnum):
    NEWEST = "created"
    CHANGED = "updated"
    ACTIVE = "activity"


@dataclass(frozen=True, slots=True)
class ContactFilters:
    """All that is set must hold. search: words of a name, an address or a phone. custom: key → exact value.

    consent: (channel, topic key or "", state). within: a further ``SELECT id`` of an upper room (tag, list, audience).
    """

    search: str = ""
    country: str = ""
    city: str = ""
    language: str = ""
    source: str = ""
    sex: int | None = None
    created_from: date | None = None
    created_to: date | None = None
    consent: tuple[str, str, str] | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)
    demo: bool | None = None
    owner_id: int | None = None
    company_id: int | None = None
    within: SQL | None = None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One line of a list. name, email, phone are masked unless the actor may see identities."""

    id: int
    public_id: UUID
    name: str
    email: str
    phone: str
    company: str
    masked: bool
    sex: int
    language: str
    country: str
    region: str
    city: str
    source: str
    is_demo: bool
    attributes: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime | None
    consent: str  # standing of the e-mail channel as a whole: the best of channel and topics
    suppressed: tuple[str, ...]  # reasons
    company_id: int | None = None  # of the company the person is linked to; ``company`` is what the profile says
    owner_id: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    rows: list[T]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Count:
    """exact: else ``value`` is a lower bound (capped) or, without filters, the planner's estimate."""

    value: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    source: str
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a consent came about. ip and user_agent are kept sealed. occurred_at: None means now."""

    method: str  # form | confirmation | import | staff | preferences | one_click | api
    legal_basis: str = ""
    wording: str = ""
    wording_version: str = ""
    source_url: str = ""
    form_id: int | None = None
    ip: str = ""
    user_agent: str = ""
    requested_at: datetime | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One entry of the ledger as staff see it; ip and user agent only for those who may see identities."""

    record_id: UUID
    channel: str
    topic_key: str
    action: str
    method: str
    legal_basis: str
    wording: str
    wording_version: str
    source_url: str
    requested_at: datetime | None
    occurred_at: datetime
    recorded_by: str
    ip: str
    user_agent: str


class MailRefusal(StrEnum):
    """Why a mail may not go to somebody. Suppressions are ``suppressed_<reason>``."""

    NO_EMAIL = "no_email"
    UNSUBSCRIBED = "unsubscribed"
    PENDING_CONFIRMATION = "pending_confirmation"
    NO_CONSENT = "no_consent"
    SUPPRESSED_UNSUBSCRIBED = "suppressed_unsubscribed"
    SUPPRESSED_COMPLAINED = "suppressed_complained"
    SUPPRESSED_HARD_BOUNCE = "suppressed_hard_bounce"
    SUPPRESSED_MANUAL = "suppressed_manual"
    SUPPRESSED_ERASED = "suppressed_erased"
    SUPPRESSED_IMPORT = "suppressed_import"


@dataclass(frozen=True, slots=True)
class TopicChoice:
    key: str
    name: str
    about: str
    standing: str  # pending | given | withdrawn | none


@dataclass(frozen=True, slots=True)
class Preferences:
    contact_id: int
    masked_email: str
    language: str
    topics: tuple[TopicChoice, ...]
    tracking_open: bool
    tracking_click: bool
    unsubscribed_all: bool


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What was removed, by table; counts only. digest: SHA-256 over these lines, also written to the audit log."""

    public_id: UUID
    erased_at: datetime
    removed: Mapping[str, int]
    digest: str

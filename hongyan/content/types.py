"""What crosses the border of this room."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class SourceKind(StrEnum):
    MJML = "mjml"
    HTML = "html"
    TEXT = "text"  # no HTML part at all


class MailType(StrEnum):
    PRODUCT_UPDATE = "product_update"
    PROMOTION = "promotion"
    GREETING = "greeting"
    CARE = "care"
    SERVICE_REMINDER = "service_reminder"
    NEWSLETTER = "newsletter"
    TRANSACTIONAL = "transactional"

    @property
    def commercial(self) -> bool:
        """Whether law asks for an unsubscribe link in it."""
        return self is not MailType.TRANSACTIONAL


class Level(StrEnum):
    ERROR = "error"  # must not go out
    WARNING = "warning"
    NOTE = "note"


class Part(StrEnum):
    """Where in a draft something is."""

    SUBJECT = "subject"
    PREHEADER = "preheader"
    SOURCE = "source"
    TEXT = "text"
    MAIL = "mail"  # the whole


@dataclass(frozen=True, slots=True)
class MailDraft:
    """What a person wrote. fallbacks: field path ("contact.given_name") → text used where its value is empty."""

    subject: str
    kind: SourceKind
    source: str
    preheader: str = ""
    text_source: str = ""  # empty: generated from the HTML
    language: str = "zh-hans"
    mail_type: MailType = MailType.PROMOTION
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    utm_campaign: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a draft cannot become a mail. line and column count from 1 in what the author wrote; 0: no place."""

    part: Part
    line: int
    column: int
    code: str
    message: str  # in the language active when it was found


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know before sending. place: "source:12", an image's address, a field …; empty for the whole mail."""

    level: Level
    code: str
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Link:
    """A static link of a mail. index: its number in click addresses; url: as opened, campaign parameters included."""

    index: int
    url: str
    label: str


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """html is empty for a text-only mail."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class MailBytes:
    """The same ready for a message: UTF-8, lines end with CRLF, no NUL. html is empty for a text-only mail."""

    subject: str
    html: bytes
    text: bytes


class LinkMaker(Protocol):
    """Addresses for one message, made by delivery. Only URL-safe text comes back."""

    tracks_clicks: bool  # False: links stay as written (no consent to tracking)

    def click_start(self) -> str:
        """What stands before the number of a link."""

    def dynamic_click_url(self, url: str) -> str: ...

    def open_pixel_url(self) -> str | None: ...

    def unsubscribe_url(self) -> str: ...

    def preferences_url(self) -> str: ...

    def view_url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class EmptyCount:
    """How many of an audience have nothing in a field the mail prints. fallback: what they read instead, if any."""

    field: str
    label: str
    empty: int
    total: int
    fallback: str | None


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """What a template's version holds."""

    subject: str = ""
    preheader: str = ""
    source: str = ""
    text_source: str = ""
    fallbacks: Mapping[str, str] = field(default_factory=dict)

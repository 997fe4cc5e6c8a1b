"""One timeline of many sources, newest first, by keyset: each source says how far it has looked, and a page ends where
the first of them stopped looking. A search for something rare reads a bounded piece a request and goes on."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import orjson
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from hongyan.accounts.types import Actor
from hongyan.contacts.models import Contact
from hongyan.contacts.timeline import NEWEST, Position

PER_PAGE = 30
SEARCHED = 200  # rows of a small source looked through in one request


@dataclass(frozen=True, slots=True)
class Kind:
    label: Promise
    icon: str


KINDS: dict[str, Kind] = {
    "mails": Kind(gettext_lazy("Mails"), "mail"),
    "orders": Kind(gettext_lazy("Orders"), "shopping-cart"),
    "activity": Kind(pgettext_lazy("timeline", "Activity"), "activity"),
    "notes": Kind(gettext_lazy("Notes"), "note"),
    "objects": Kind(gettext_lazy("Objects"), "box"),
    "consent": Kind(pgettext_lazy("timeline", "Consent"), "shield-check"),
    "tags": Kind(gettext_lazy("Tags and lists"), "tag"),
    "profile": Kind(pgettext_lazy("timeline", "Record"), "user-edit"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What came of a mail."""

    label: str
    at: datetime
    tone: str = ""
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """link: (address, words) beside the title. facts, more: (name, value). note_id: for whoever wrote the note."""

    position: Position
    title: str
    icon: str = "point"
    tone: str = ""
    link: tuple[str, str] = ("", "")
    by: str = ""
    lines: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    more: list[tuple[str, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    state: tuple[str, str] = ("", "")
    open_url: str = ""
    quiet: bool = False
    text: str = ""
    masked: bool = False
    note_id: str = ""
    edited: bool = False

    @property
    def at(self) -> datetime:
        return self.position.at

    def says(self, words: Sequence[str]) -> bool:
        parts = [self.title, self.text, self.by, self.link[1], *self.lines, *(step.label for step in self.steps)]
        whole = " ".join([*parts, *(f"{name} {value}" for name, value in (*self.facts, *self.more))]).casefold()
        return all(word in whole for word in words)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader wants: everything before a position, of a kind, with words."""

    actor: Actor
    contact: Contact
    contact_ids: list[int]  # with those merged into it
    public_ids: list[str]
    clear: bool
    before: Position = NEWEST
    kind: str = ""
    words: tuple[str, ...] = ()

    @property
    def limit(self) -> int:
        return SEARCHED if self.words else PER_PAGE + 1

    def wants(self, *kinds: str) -> bool:
        return not self.kind or self.kind in kinds


@dataclass(frozen=True, slots=True)
class Answer:
    """horizon None: the source has nothing earlier."""

    items: list[Item]
    horizon: Position | None = None


Source = Callable[[Asked], Answer]


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    items: list[Item]
    again: bool = False  # the day began on the page before


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """cursor: "" at the end. searched_to: nothing (more) found back to then; there is more to look through."""

    days: list[Day]
    cursor: str
    searched_to: datetime | None
    count: int


def timeline_page(asked: Asked, sources: Sequence[Source]) -> TimelinePage:
    answers = [source(asked) for source in sources]
    horizon = max((answer.horizon for answer in answers if answer.horizon is not None), default=None)
    found = [item for answer in answers for item in answer.items if horizon is None or item.position >= horizon]
    if asked.words:
        found = [item for item in found if item.says(asked.words) or item.position.rank == _EVENTS]
    found.sort(key=lambda item: item.position, reverse=True)
    end = horizon
    if len(found) > PER_PAGE:
        found, end = found[:PER_PAGE], found[PER_PAGE - 1].position
    looked = end.at if end is not None and len(found) < PER_PAGE and (asked.words or asked.kind) else None
    return TimelinePage(_days(found, asked.before), write_position(end), looked, len(found))


_EVENTS = 5  # found by the database, also in properties that are not shown


def read_position(text: str) -> Position:
    """NEWEST for what is none."""
    try:
        at, rank, pk = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(rank, int) or not isinstance(pk, int) or abs(pk) > 2**63 - 1:
            return NEWEST
    except (ValueError, TypeError, orjson.JSONDecodeError):
        return NEWEST
    return Position(moment, rank, pk)


def write_position(position: Position | None) -> str:
    if position is None:
        return ""
    text = orjson.dumps([position.at.isoformat(), position.rank, position.id])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def before_day(text: str) -> Position | None:
    """The end of a day on the reader's clock; None for what is no day."""
    try:
        day = date.fromisoformat(text)
        return Position(timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min)), -9, 0)
    except (ValueError, OverflowError):
        return None


def _days(items: Sequence[Item], before: Position) -> list[Day]:
    days: list[Day] = []
    last = timezone.localtime(before.at).date() if before != NEWEST and before.rank != -9 else None
    for item in items:
        on = timezone.localtime(item.at).date()
        if not days or days[-1].on != on:
            days.append(Day(on, [], again=not days and on == last))
        days[-1].items.append(item)
    return days

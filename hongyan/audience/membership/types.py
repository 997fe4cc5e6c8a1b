from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from hongyan.audience.people import Person

ENTERED: Final = "audience_entered"  # events; properties: audience (public id), cause, kind
LEFT: Final = "audience_left"


class CauseKind(StrEnum):
    EVENT = "event"
    CHANGE = "change"
    TIME = "time"
    DEFINITION = "definition"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why somebody came or went. name: of the event; of what changed (contact, consent, tag, list, facts, company,
    object, standing, forgotten: facts that retention deleted); empty for time and definition."""

    kind: CauseKind
    name: str = ""

    def key(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)

    @classmethod
    def of_key(cls, key: str) -> "Cause":
        kind, _, name = key.partition(":")
        return cls(CauseKind(kind), name)


LET_IN: Final = 1
LET_OUT: Final = 2
BOTH: Final = LET_IN | LET_OUT


class Why(NamedTuple):
    """Why a membership is in question, and what the answer may be. may: LET_IN, LET_OUT or BOTH."""

    cause: Cause
    may: int = BOTH


class Standing(StrEnum):
    WAITING = "waiting"  # about to be filled
    BUILDING = "building"
    CURRENT = "current"
    BROKEN = "broken"  # the definition names what is no longer there; members stay as they were
    OFF = "off"  # counted on demand, nobody is followed


@dataclass(frozen=True, slots=True)
class MembershipState:
    """size: None while not filled. as_of: what had happened by then is in the members (None unless current). lag_s: the
    newest event took so long from its commit to its members."""

    live: bool
    standing: Standing
    size: int | None = None
    as_of: datetime | None = None
    lag_s: float | None = None
    filled_at: datetime | None = None
    seconds: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MemberRow:
    person: Person
    since: datetime  # time of filling for those who were in when following began


@dataclass(frozen=True, slots=True)
class MembersPage:
    rows: list[MemberRow]
    following: int | None  # ``after`` of the next page


@dataclass(frozen=True, slots=True)
class MoveRow:
    """id and at are the place in the list: ``before=(at, id)`` is what comes next."""

    id: int
    at: datetime
    entered: bool
    cause: Cause
    person: Person


@dataclass(frozen=True, slots=True)
class DaySize:
    """causes: cause → (entered, left)."""

    day: date
    size: int
    entered: int
    left: int
    causes: Mapping[Cause, tuple[int, int]] = field(default_factory=dict)

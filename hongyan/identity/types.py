"""What crosses this room's border."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class MergeReason(StrEnum):
    """Why two records became one."""

    SAME_KEY = "same_key"  # one external id, address or number named both
    MATCHED = "matched"  # the run was sure
    REVIEWED = "reviewed"  # a person said so in the queue
    MANUAL = "manual"  # a person chose the two
    API = "api"
    AGAIN = "again"  # taken back to undo an older merge, and made again


class Rule(StrEnum):
    """How one of two values is chosen. A value beats none under every rule."""

    ACTIVITY = "activity"  # of the record that was active last
    NEWEST = "newest"  # the one stated last
    SOURCE = "source"  # of the source that comes first in the list
    LONGEST = "longest"  # the longest one


class Why(StrEnum):
    """Why a value stands."""

    ACTIVITY = "activity"
    NEWEST = "newest"
    SOURCE = "source"
    LONGEST = "longest"
    ONLY = "only"  # the other record had none
    SAME = "same"
    BOTH = "both"  # notes: both are kept
    CHOSEN = "chosen"  # a person chose it in the review
    LOCKED = "locked"  # a person fixed it before


@dataclass(frozen=True, slots=True)
class Decision:
    """One field of two records. winner: "survivor" | "loser" | "both"."""

    field: str
    survivor: Any
    loser: Any
    winner: str
    why: Why
    value: Any

    @property
    def differs(self) -> bool:
        return bool(self.survivor != self.loser)

    @property
    def conflicts(self) -> bool:
        return self.differs and self.survivor is not None and self.loser is not None


@dataclass(frozen=True, slots=True)
class LostValue:
    """A value that a merge did not keep. value: masked unless the actor may see identities."""

    index: int
    value: Any
    source: str
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a field has its value."""

    field: str
    value: Any
    source: str
    observed_at: datetime | None
    why: Why | None  # None: no merge touched it
    decided_at: datetime | None
    locked: bool
    others: tuple[LostValue, ...]

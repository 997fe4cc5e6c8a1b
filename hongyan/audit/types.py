"""What crosses the border of this room."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class ActorLike(Protocol):
    """``accounts.types.Actor``, seen from below: this room must not import the one above."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> int | None: ...
    @property
    def label(self) -> str: ...
    @property
    def ip(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain stops being believable."""

    seq: int  # place in the chain
    entry_id: int | None  # the entry that stands there, if any does
    reason: str  # missing | altered | unlinked | head

    def __str__(self) -> str:
        return f"{self.seq} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of recomputing the chain. ``broken_at`` None: every sealed entry is as it was written."""

    entries: int  # sealed entries that were recomputed
    unsealed: int  # waiting for a place in the chain (a transaction older than they is still open, or no sealer runs)
    broken_at: Break | None
    head: "ChainHead | None"

    @property
    def intact(self) -> bool:
        return self.broken_at is None


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest sealed place. Kept outside the database, it proves later that nothing was cut off."""

    seq: int
    hash: str  # hex
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditFilter:
    action: str = ""  # a dotted action, or its beginning: "contact" finds "contact.viewed"
    actor_kind: str = ""
    actor_id: int | None = None
    subject_kind: str = ""
    subject_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    seq: int | None
    at: datetime
    actor_kind: str
    actor_id: int | None
    actor_label: str
    ip: str | None
    action: str
    subject_kind: str
    subject_id: str
    data: dict[str, Any] = field(default_factory=dict)

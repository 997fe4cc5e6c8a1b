from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to record. Times are aware; properties are JSON and hold no identifying data.

    dedupe_key: the sender's own id of this fact, unique within ``source``; a repeat is dropped.
    """

    contact_id: int | None
    name: str
    occurred_at: datetime
    source: str
    properties: dict[str, Any] = field(default_factory=dict)
    dedupe_key: str | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    id: int
    contact_id: int | None
    name: str
    occurred_at: datetime
    received_at: datetime
    source: str
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventCursor:
    """Where a reader stands: transaction and id of the last event it has seen."""

    tx: int
    id: int

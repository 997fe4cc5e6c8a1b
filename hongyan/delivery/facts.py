"""What a mail caused, as events. Dedupe keys are made of message ids, so that telling a fact twice records it once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hongyan.events.names import EmailEvent
from hongyan.events.types import NewEvent

SOURCE = "delivery"


@dataclass(frozen=True, slots=True)
class About:
    """The message a fact is about."""

    message_id: int
    contact_id: int | None
    origin_kind: str
    origin_id: int


def sent_event(about: About, at: datetime, *, keyed: bool = True) -> NewEvent:
    """keyed: somebody else may tell the same."""
    return _event(EmailEvent.SENT, about, at, f"sent:{about.message_id}" if keyed else None, {})


def bounced_event(about: About, at: datetime, details: dict[str, Any]) -> NewEvent:
    return _event(EmailEvent.BOUNCED, about, at, f"bounced:{about.message_id}", details)


def deferred_event(about: About, at: datetime, attempt: int, details: dict[str, Any]) -> NewEvent:
    return _event(EmailEvent.DEFERRED, about, at, f"deferred:{about.message_id}:{attempt}", details)


def _event(name: EmailEvent, about: About, at: datetime, key: str | None, details: dict[str, Any]) -> NewEvent:
    properties = {
        "origin_kind": about.origin_kind,
        "origin_id": about.origin_id,
        "message_id": about.message_id,
        **details,
    }
    return NewEvent(about.contact_id, name.value, at, SOURCE, properties, dedupe_key=key)

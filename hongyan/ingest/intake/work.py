"""What the lane holds while it turns requests into contacts and facts."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hongyan.ingest.intake.calls import Call
from hongyan.ingest.quarantine import Trouble


@dataclass(frozen=True, slots=True)
class Sender:
    """The write key that calls came with. browser: its key is public, so what it says about people is believed less."""

    id: int
    key: str
    browser: bool
    kind: str


@dataclass(slots=True)
class Item:
    """One call on its way. contact_id: whom it speaks of, once known. visitor: blind index of its anonymous id."""

    sender: Sender
    call: Call
    raw: dict[str, Any]
    kind: str
    received_at: datetime
    contact_id: int | None = None
    visitor: bytes | None = None
    dropped: bool = False  # of somebody who was erased
    in_shop: bool = False  # an order, which writes its own facts, or the repeat of one
    claimed: bool = False  # its message id has been checked already
    troubles: list[Trouble] = field(default_factory=list)


@dataclass(slots=True)
class Bad:
    """A call that cannot be taken at all, as it came."""

    sender: Sender
    raw: Any
    kind: str
    trouble: Trouble

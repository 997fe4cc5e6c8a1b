"""What happened with one person: events in bounded windows, and the deeds of staff and of the person themselves.

Everything is read by keyset, newest first. A reader asks several sources and shows what is complete: each answer says
down to where it has looked (``horizon``), so that a rare thing among a hundred thousand others costs a page a bounded
read and the page goes on from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.sealing import open_record
from hongyan.core.sql import statement
from hongyan.events.types import EventRow

REACH: Final = 20_000  # events that one request for something rare reads at most
MAX_ID: Final = 2**63 - 1
END: Final = datetime(9999, 12, 31, tzinfo=UTC)
# Acts on the record that belong to its history; looking at it does not.
ACTIONS: Final = (
    "contact.changed",
    "contact.assigned",
    "contact.exported",
    "contact.unmerged",
    "contact.suppressed",
    "contact.unsuppressed",
)


class Position(NamedTuple):
    """A place in the order of the timeline: later first, then the higher rank, then the higher id."""

    at: datetime
    rank: int
    id: int


NEWEST: Final = Position(END, 99, MAX_ID)


class Rank:
    """Sources, by how they stand to each other at one and the same moment."""

    CREATED = -1
    MERGED = 0
    CHANGED = 1
    TAGS = 2
    CONSENT = 3
    MAILS = 4
    EVENTS = 5
    NOTES = 6
    LISTS = 7
    IMPORTS = 8


class EventKind(StrEnum):
    """Parts of the fact log that a reader may ask for alone."""

    ORDERS = "orders"
    OBJECTS = "objects"
    PROFILE = "profile"
    ACTIVITY = "activity"  # all the rest: visits, forms, whatever sources send


_ORDERS = r"(w.name LIKE 'order\_%%' OR w.name = 'refund_created')"
_OBJECTS = "w.name = 'object_updated'"
_PROFILE = "w.name = 'company_assigned'"
# Mails stand as one entry each with what came of them; their events are not told a second time.
_OF_MAILS = r"(w.name LIKE 'email\_%%' AND w.properties ? 'message_id')"
_CLAUSES: Final[Mapping[EventKind, str]] = {
    EventKind.ORDERS: _ORDERS,
    EventKind.OBJECTS: _OBJECTS,
    EventKind.PROFILE: _PROFILE,
    EventKind.ACTIVITY: f"NOT ({_ORDERS} OR {_OBJECTS} OR {_PROFILE})",
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word looked for. names: events whose name people know by it ("下单" for order_completed)."""

    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """horizon: everything later than this has been looked at; None: to the end."""

    rows: list[EventRow]
    horizon: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class Deed:
    position: Position
    data: Mapping[str, Any]
    text: str = ""  # of a note, opened; "" where the reader may not see it


def bound(before: Position, rank: int) -> tuple[datetime, int]:
    """What (time, id) of a source must be below, so that its rows come after ``before``."""
    if rank == before.rank:
        return before.at, before.id
    return (before.at, MAX_ID) if rank < before.rank else (before.at, -1)


def events_window(
    *,
    actor: Actor,
    contact_id: int,
    before: tuple[datetime, int] = (END, MAX_ID),
    limit: int,
    kind: EventKind | None = None,
    words: Sequence[Word] = (),
    in_properties: bool = True,
    reach: int = REACH,
) -> Window:
    """Events but those of mails. Every word must occur in the name or, with in_properties, in the properties."""
    actor.require(Permission.CONTACT_VIEW)
    params: dict[str, Any] = {
        "contact_id": contact_id,
        "before_at": before[0],
        "before_id": before[1],
        "reach": reach,
        "limit": limit,
    }
    clauses = [f"NOT {_OF_MAILS}"]
    if kind is not None:
        clauses.append(_CLAUSES[kind])
    for place, word in enumerate(words):
        params[f"w{place}"] = f"%{_escaped(word.text)}%"
        params[f"n{place}"] = list(word.names)
        where = "w.name || ' ' || w.properties::text" if in_properties else "w.name"
        clauses.append(f"(w.name = ANY(%(n{place})s::text[]) OR {where} ILIKE %(w{place})s)")
    text = statement("hongyan.contacts", "timeline.sql", "window").replace("/*match*/", " AND ".join(clauses))
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        rows = [event_row(values) for values in cursor.fetchall()]
        if len(rows) == limit:
            return Window(rows, (rows[-1].occurred_at, rows[-1].id))
        cursor.execute(statement("hongyan.contacts", "timeline.sql", "edge"), params)
        edge = cursor.fetchone()
    return Window(rows, (edge[0], edge[1]) if edge else None)


def deeds(
    *,
    actor: Actor,
    contact_id: int,
    contact_ids: Sequence[int],
    public_ids: Sequence[str],
    before: Position,
    limit: int,
    ranks: Sequence[int],
) -> list[Deed]:
    """Notes, consent, changes and merges in one statement; at most ``limit`` of each. contact_ids, public_ids: of the
    contact and of the records merged into it."""
    actor.require(Permission.CONTACT_VIEW)
    clear = actor.may(Permission.CONTACT_IDENTITY)
    params: dict[str, Any] = {
        "contact_id": contact_id,
        "contact_ids": list(contact_ids),
        "public_ids": list(public_ids),
        "actions": list(ACTIONS),
        "ranks": list(ranks),
        "limit": limit,
    }
    for rank in (Rank.NOTES, Rank.CONSENT, Rank.CHANGED, Rank.MERGED):
        params[f"at_{rank}"], params[f"id_{rank}"] = bound(before, rank)
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.contacts", "timeline.sql", "deeds"), params)
        rows = cursor.fetchall()
    return [_deed(values, clear=clear) for values in rows]


def _deed(values: Sequence[Any], *, clear: bool) -> Deed:
    rank, at, pk, data, blob = values
    text = open_record(blob, owner_id=pk).decode() if blob is not None and clear else ""
    return Deed(Position(at, rank, pk), orjson.loads(data) if isinstance(data, str | bytes) else data, text)


def event_row(values: Sequence[Any]) -> EventRow:
    event_id, contact_id, name, occurred_at, received_at, source, properties = values
    if isinstance(properties, str | bytes):  # Django leaves jsonb of raw cursors as text
        properties = orjson.loads(properties)
    return EventRow(event_id, contact_id, name, occurred_at, received_at, source, properties)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")

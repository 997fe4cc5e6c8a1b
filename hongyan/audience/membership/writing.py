"""Writing who came and who went: members, moves, days and events, in the caller's transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.db import connection

from hongyan.audience.membership.types import ENTERED, LEFT, Cause
from hongyan.core.sql import numbers, statement, texts
from hongyan.events.services import append
from hongyan.events.types import NewEvent

SOURCE: Final = "audiences"
Move = tuple[int, int, Cause]  # audience, contact, why


def put(audience: int, contacts: Sequence[int], *, at: datetime) -> None:
    """While an audience is filled for the first time nobody moves, they are just in."""
    _run("put", audience=audience, contacts=numbers(contacts), at=at)


def take(audience: int, contacts: Sequence[int]) -> None:
    """What a first filling that broke off had put."""
    _run("take", audience=audience, contacts=numbers(contacts))


def write(came: Sequence[Move], gone: Sequence[Move], *, public_ids: Mapping[int, str], at: datetime) -> None:
    """public_ids: of the audiences. Moves are written in the order given: those of inner audiences first."""
    if came:
        _run("enter", audiences=_audiences(came), contacts=_contacts(came), at=at)
    if gone:
        _run("leave", audiences=_audiences(gone), contacts=_contacts(gone))
    if came or gone:
        present = _present({contact for _, contact, _ in gone})
        gone = [move for move in gone if move[1] in present]  # who was erased does not leave
        _tell(came, gone, public_ids, at)
        _days(came, gone, at)


def today(at: datetime) -> date:
    return at.astimezone(ZoneInfo(settings.HONGYAN_TIME_ZONE)).date()


def note_sizes(at: datetime) -> None:
    """Today's size of every audience, also of those in which nobody moved."""
    _run("sizes_of_today", day=today(at))


def _tell(came: Sequence[Move], gone: Sequence[Move], public_ids: Mapping[int, str], at: datetime) -> None:
    both = [*came, *gone]
    _run(
        "moves",
        audiences=_audiences(both),
        contacts=_contacts(both),
        entered="{" + ",".join(["t"] * len(came) + ["f"] * len(gone)) + "}",
        kinds=texts(cause.kind.value for _, _, cause in both),
        causes=texts(cause.name for _, _, cause in both),
        at=at,
    )
    append(
        [
            NewEvent(contact, name, at, SOURCE, _properties(public_ids[audience], cause))
            for name, moves in ((ENTERED, came), (LEFT, gone))
            for audience, contact, cause in moves
        ]
    )


def _properties(public_id: str, cause: Cause) -> dict[str, str]:
    """cause: the name where there is one, else the kind, so that one property is enough for a condition."""
    return {"audience": public_id, "cause": cause.name or cause.kind.value, "kind": cause.kind.value}


def _days(came: Sequence[Move], gone: Sequence[Move], at: datetime) -> None:
    causes: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for place, moves in enumerate((came, gone)):
        for audience, _, cause in moves:
            causes[audience][cause.key()][place] += 1
    entered, left = (Counter(audience for audience, _, _ in moves) for moves in (came, gone))
    _run(
        "days",
        day=today(at),
        audiences=numbers(causes),
        entered=numbers(entered[audience] for audience in causes),
        gone=numbers(left[audience] for audience in causes),
        causes=texts(orjson.dumps(counts).decode() for counts in causes.values()),
    )


def _present(contacts: Iterable[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM contacts_contact WHERE id = ANY(%s::bigint[])", [numbers(contacts)])
        return {row[0] for row in cursor.fetchall()}


def _audiences(moves: Iterable[Move]) -> str:
    return numbers(audience for audience, _, _ in moves)


def _contacts(moves: Iterable[Move]) -> str:
    return numbers(contact for _, contact, _ in moves)


def _run(name: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "membership.sql", name), values)

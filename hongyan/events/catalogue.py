"""Counting names, properties and violations from the facts themselves, whoever wrote them: a reader with a cursor."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import orjson
from django.db import connection, transaction

from hongyan.core.sql import numbers, statement, texts
from hongyan.events import context
from hongyan.events.models import ReaderCursor
from hongyan.events.models_catalogue import EventName, EventProperty, EventViolation
from hongyan.events.sensitive import is_sealed
from hongyan.events.types import EventRow

READER: Final = "catalogue"
_BATCH = 5_000
_NAMES_CAP = 5_000  # a client that puts ids into names must not fill the plan; its facts are kept all the same
_PROPERTIES_CAP = 300  # of one name
_OWN = frozenset({"context", "claimed_at"})  # put there by the intake
Type = EventProperty.Type
Code = EventViolation.Code


@dataclass(slots=True)
class _Seen:
    """What a batch holds of one name."""

    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    days: Counter[date] = field(default_factory=Counter)
    types: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    violations: dict[tuple[str, str], "_Broken"] = field(default_factory=dict)


@dataclass(slots=True)
class _Broken:
    count: int = 0
    sample: str = ""
    source: str = ""
    event_id: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is declared of one name."""

    closed: bool
    types: Mapping[str, str]
    required: frozenset[str]


_NO_PLAN = Plan(closed=False, types={}, required=frozenset())


def fold() -> int:
    """Count the next facts, together with the cursor. Returns how many were read; 0 also while another counts."""
    with transaction.atomic():
        ReaderCursor.objects.get_or_create(name=READER)
        cursor_row = ReaderCursor.objects.select_for_update(skip_locked=True).filter(name=READER).first()
        if cursor_row is None:
            return 0
        rows, tx, event_id = _next(cursor_row)
        if not rows:
            return 0
        fresh = [row for row, tied in rows if not tied]  # a tied one was counted when it was nobody's
        _store(_count(fresh, plans({row.name for row in fresh})))
        cursor_row.tx, cursor_row.event_id = tx, event_id
        cursor_row.save()
    return len(rows)


def _next(at: ReaderCursor) -> tuple[list[tuple[EventRow, bool]], int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "catalogue.sql", "after_cursor"),
            {"tx": str(at.tx), "id": at.event_id, "limit": _BATCH},
        )
        found = cursor.fetchall()
    rows = []
    for _tx, tied, pk, name, occurred_at, received_at, source, properties in found:
        read = orjson.loads(properties) if isinstance(properties, str | bytes) else properties
        rows.append((EventRow(pk, None, name, occurred_at, received_at, source, read), bool(tied)))
    return rows, (found[-1][0] if found else 0), (found[-1][2] if found else 0)


def plans(names: Iterable[str]) -> dict[str, Plan]:
    declared: dict[str, tuple[bool, dict[str, str], set[str]]] = {}
    rows = EventName.objects.filter(name__in=list(names)).values_list(
        "name", "closed", "properties__key", "properties__type", "properties__required"
    )
    for name, closed, key, kind, required in rows:
        _, types, needed = declared.setdefault(name, (closed, {}, set()))
        if key is not None:
            types[key] = kind
            if required:
                needed.add(key)
    return {name: Plan(closed, types, frozenset(needed)) for name, (closed, types, needed) in declared.items()}


def _count(rows: Iterable[EventRow], declared: Mapping[str, Plan]) -> dict[str, _Seen]:
    found: dict[str, _Seen] = defaultdict(_Seen)
    for row in rows:
        seen = found[row.name]
        seen.count += 1
        seen.days[row.received_at.date()] += 1
        seen.first_at = min(seen.first_at or row.received_at, row.received_at)
        seen.last_at = max(seen.last_at or row.received_at, row.received_at)
        for key, value in row.properties.items():
            if key not in _OWN and value is not None:
                seen.types[key][type_of(value).value] += 1
        for key, code in violations(row.properties, declared.get(row.name, _NO_PLAN)):
            broken = seen.violations.setdefault((key, code), _Broken())
            broken.count += 1
            broken.sample, broken.source, broken.event_id = shape(row.properties.get(key)), row.source, row.id
    return found


def violations(properties: Mapping[str, Any], plan: Plan) -> list[tuple[str, Code]]:
    found = [(key, Code.MISSING) for key in plan.required if properties.get(key) in (None, "")]
    if "claimed_at" in properties:
        found.append(("", Code.IN_FUTURE))
    if not plan.types and not plan.closed:
        return found
    for key, value in properties.items():
        if key in _OWN or value is None or is_sealed(value):
            continue
        declared = plan.types.get(key)
        if declared is None:
            if plan.closed and key not in context.KEYS:  # a client library says those by itself
                found.append((key, Code.UNPLANNED))
        elif declared and not fits(value, declared):
            found.append((key, Code.WRONG_TYPE))
    return found


def type_of(value: Any) -> Type:
    """As it would be declared. A time is a text that reads as one, with a date and at least hours."""
    if isinstance(value, bool):
        return Type.BOOLEAN
    if isinstance(value, int | float):
        return Type.NUMBER
    if isinstance(value, list):
        return Type.LIST
    if isinstance(value, dict):
        return Type.TEXT if is_sealed(value) else Type.OBJECT
    text = str(value)
    if 10 <= len(text) <= 35 and text[4:5] == "-" and text[:4].isdigit():
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return Type.TEXT
        return Type.TIME
    return Type.TEXT


def fits(value: Any, declared: str) -> bool:
    seen = type_of(value)
    return seen == declared or (declared == Type.TEXT and seen == Type.TIME)


def shape(value: Any) -> str:
    """What a value looks like without saying what it is: letters become x, digits 9.

    >>> shape("19,90 €"), shape(True), shape({"a": 1}), shape("王伟")
    ('99,99 €', 'boolean', 'object (1)', 'xx')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, list | dict):
        return f"{type_of(value).value} ({len(value)})"
    masked = "".join("9" if char.isdigit() else "x" if char.isalpha() else char for char in str(value)[:61])
    return masked if len(masked) <= 60 else masked[:60] + "…"


def _store(found: Mapping[str, _Seen]) -> None:
    ids = _names(found)
    known = {name: seen for name, seen in found.items() if name in ids}
    if not known:
        return
    with connection.cursor() as cursor:
        _volumes(cursor, known, ids)
        _properties(cursor, known, ids)
        _violations(cursor, known, ids)


def _names(found: Mapping[str, _Seen]) -> dict[str, int]:
    room = max(0, _NAMES_CAP - EventName.objects.count())
    there = set(EventName.objects.filter(name__in=list(found)).values_list("name", flat=True))
    new = [name for name in sorted(found) if name not in there][:room]
    taken = [*sorted(there), *new]
    if not taken:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "catalogue.sql", "names"),
            {
                "names": texts(taken),
                "counts": numbers(found[name].count for name in taken),
                "first": texts(_iso(found[name].first_at) for name in taken),
                "last": texts(_iso(found[name].last_at) for name in taken),
            },
        )
        return {name: pk for pk, name in cursor.fetchall()}


def _volumes(cursor: Any, found: Mapping[str, _Seen], ids: Mapping[str, int]) -> None:
    days = [(ids[name], day, count) for name, seen in found.items() for day, count in seen.days.items()]
    cursor.execute(
        statement("hongyan.events", "catalogue.sql", "volumes"),
        {
            "ids": numbers(pk for pk, _, _ in days),
            "days": texts(day.isoformat() for _, day, _ in days),
            "counts": numbers(count for _, _, count in days),
        },
    )


def _properties(cursor: Any, found: Mapping[str, _Seen], ids: Mapping[str, int]) -> None:
    seen_types = [
        (ids[name], key, orjson.dumps(types).decode(), _iso(seen.last_at))
        for name, seen in found.items()
        for key, types in sorted(seen.types.items())[:_PROPERTIES_CAP]
    ]
    if seen_types:
        cursor.execute(
            statement("hongyan.events", "catalogue.sql", "properties"),
            {
                "ids": numbers(pk for pk, *_ in seen_types),
                "keys": texts(key for _, key, _, _ in seen_types),
                "types": texts(types for _, _, types, _ in seen_types),
                "at": texts(at for *_, at in seen_types),
                "cap": _PROPERTIES_CAP,
            },
        )


def _violations(cursor: Any, found: Mapping[str, _Seen], ids: Mapping[str, int]) -> None:
    broken = [
        (ids[name], key, code, one, _iso(seen.last_at))
        for name, seen in found.items()
        for (key, code), one in sorted(seen.violations.items())
    ]
    if broken:
        cursor.execute(
            statement("hongyan.events", "catalogue.sql", "violations"),
            {
                "ids": numbers(pk for pk, *_ in broken),
                "keys": texts(key for _, key, *_ in broken),
                "codes": texts(str(code) for _, _, code, _, _ in broken),
                "counts": numbers(one.count for *_, one, _ in broken),
                "samples": texts(one.sample.replace("\x00", "") for *_, one, _ in broken),
                "sources": texts(one.source[:80] for *_, one, _ in broken),
                "events": numbers(one.event_id for *_, one, _ in broken),
                "at": texts(at for *_, at in broken),
            },
        )


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()

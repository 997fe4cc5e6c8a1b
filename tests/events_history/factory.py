"""Facts for the tests of the history, and what the rows of PostgreSQL say for comparison."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
from django.db import connection, transaction

from hongyan.events.history.snapshot import snapshot
from hongyan.events.history.store import Store
from hongyan.events.history.types import column
from hongyan.events.services import append
from hongyan.events.types import NewEvent

START = datetime(2026, 9, 28, 12, tzinfo=UTC)  # a few days reach into the next month


def happened(contact_id: int | None, name: str = "order_completed", hours: float = 0, **properties: Any) -> NewEvent:
    return NewEvent(contact_id, name, START + timedelta(hours=hours), "test", properties)


def record(*events: NewEvent) -> None:
    with transaction.atomic():
        append(events)


@contextmanager
def reading() -> Iterator[psycopg.Connection[Any]]:
    """The test's own connection, in one snapshot."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection.connection


def plan(name: str, properties: Mapping[str, str]) -> None:
    """Declare properties (key → type) of an event name."""
    from hongyan.events.models import EventName, EventProperty

    row, _ = EventName.objects.get_or_create(name=name)
    for key, kind in properties.items():
        EventProperty.objects.update_or_create(event=row, key=key, defaults={"type": kind})


Fact = tuple[int, str, int, int, tuple[tuple[str, Any], ...]]  # contact, name, µs, id, properties


def facts_in_rows(asked: psycopg.Connection[Any], keys: Sequence[str]) -> list[Fact]:
    """The plain truth: all events that are somebody's, with the scalar properties as Python sees them."""
    rows = asked.execute(
        "SELECT contact_id, name, (extract(epoch FROM occurred_at) * 1000000)::bigint, id, properties::text "
        "FROM events_event WHERE contact_id IS NOT NULL"
    ).fetchall()
    found = []
    for contact_id, name, at, pk, text in rows:
        properties = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        said = {key: True if isinstance(properties.get(key), dict | list) else properties.get(key) for key in keys}
        found.append((contact_id, name, at, pk, tuple(sorted((k, v) for k, v in said.items() if v is not None))))
    return sorted(found)


def facts_in_snapshot(
    asked: psycopg.Connection[Any], store: Store, keys: Sequence[str]
) -> tuple[list[Fact], set[tuple[str, int]]]:
    """What a question reads: files without the stale, and the tail. Properties that a file does not hold are taken from
    nowhere, so they are looked for only where they are held. And who has to be asked of PostgreSQL: (name, contact)."""
    seen = snapshot(asked, keys=keys)
    stale = set(seen.stale.to_pylist())
    found: list[Fact] = []
    odd: set[tuple[str, int]] = set()
    for file in seen.files:
        rows = store.read(file.path)
        assert rows["contact_id"].to_pylist() == sorted(set(rows["contact_id"].to_pylist()))
        found += [
            fact
            for fact in _facts(rows, file.name, {k: h.kinds for k, h in file.properties.items()})
            if fact[0] not in stale
        ]
    for name in set(seen.tail["name"].to_pylist()):
        grouped = seen.tail_of(name, keys)
        odd |= {(name, pk) for pk in grouped.odd}
        found += _facts(grouped.rows, name, {key: held.kinds for key, held in grouped.held.items()})
    return sorted(found), odd


def same(asked: psycopg.Connection[Any], store: Store, keys: Sequence[str]) -> bool:
    """Whether files and tail say what the rows say, and name people with a number beyond all decimals."""
    found, odd = facts_in_snapshot(asked, store, keys)
    rows = facts_in_rows(asked, keys)
    assert odd <= {(name, pk) for pk, name, _, _, said in rows if any(_beyond(value) for _, value in said)}
    # These are asked of PostgreSQL altogether, whatever files hold of them.
    return [fact for fact in found if (fact[1], fact[0]) not in odd] == [
        fact for fact in rows if (fact[1], fact[0]) not in odd
    ]


def _beyond(value: object) -> bool:
    return isinstance(value, Decimal) and (abs(value) >= 10**20 or int(value.as_tuple().exponent) < -18)


def _facts(rows: pa.Table, name: str, held: Mapping[str, str]) -> Iterator[Fact]:
    for row in rows.to_pylist():
        assert row["n"] == len(row["times"]) == len(row["ids"])
        assert (row["first"], row["last"]) == (row["times"][0], row["times"][-1])
        order = list(zip(row["times"], row["ids"], strict=True))
        assert order == sorted(order)
        for place, (at, pk) in enumerate(order):
            said = {}
            for key, kinds in held.items():
                values = [row[column(kind, key)][place] for kind in kinds]
                said[key] = next((value for value in values if value is not None), None)
            yield (row["contact_id"], name, at, pk, tuple(sorted((k, v) for k, v in said.items() if v is not None)))


def forget_all(store: Store) -> None:
    """Between examples of one test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE events_event, events_dedupe, events_message, events_anonymous, events_historyfile, "
            "events_historystale, events_historystate, events_historyname, events_historyproperty"
        )
    for file in store.files():
        store.remove(file.path)

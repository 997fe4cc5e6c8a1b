"""Whatever happens in whatever order, also in transactions that are open while the writer works and for somebody who
began to ask before it: files and tail say what the rows say."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.fs as pafs
import pytest
from django.db import connections
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hongyan.core.sql import numbers, statement, texts
from hongyan.events.history import parts, writer
from hongyan.events.history.manifest import state
from hongyan.events.history.refresh import refresh_cells, refresh_people
from hongyan.events.history.store import Store
from hongyan.events.history.sweeping import sweep_retired
from hongyan.events.history.verify import verify
from hongyan.events.services import append_parameters
from tests.events_history.factory import forget_all, happened, plan, same

PEOPLE = st.integers(1, 3)
NAMES = st.sampled_from(["order_completed", "page_viewed", "页面 看过/x"])
# As JSON text, so that numbers need not be Python's.
VALUES = st.sampled_from(
    ["null", "true", "false", "0", "-7", "12345678901", "1.50", "-0.125", "0.000001", "[1]", '{"a": 1}', '""', '"上海"']
    + [json.dumps(text) for text in ("a\tb", 'c"\\d', "行\n", "\\N", "N", "\x7f\u2028")]
    + ["99999999999999999999", "123456789012345678901234567890", "0.12345678901234567890123"]
)
SAID = st.tuples(VALUES, VALUES)
KEYS = ["total", "code"]
SIDES = (0, 1, 2)  # 2 commits at once


def connect() -> psycopg.Connection[Any]:
    made = connections.create_connection("default")
    made.ensure_connection()
    connection: psycopg.Connection[Any] = made.connection
    connection.execute("SET lock_timeout = '50ms'")
    return connection


# What events.tracked does in two steps, on a connection of the test's own.
_APPEND = """
WITH written AS (
    INSERT INTO events_event (contact_id, name, occurred_at, received_at, source, properties)
    SELECT * FROM unnest(%(contact_ids)s::bigint[], %(names)s::text[], %(occurred)s::timestamptz[],
        %(received)s::timestamptz[], %(sources)s::text[], %(properties)s::jsonb[])
    RETURNING id, contact_id, occurred_at
)
INSERT INTO events_anonymous (visitor, event_id, occurred_at)
SELECT v.visitor, w.id, w.occurred_at FROM written w, unnest(%(visitors)s::bytea[]) AS v(visitor)
WHERE w.contact_id IS NULL AND v.visitor IS NOT NULL
"""


class Anything(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(pafs.LocalFileSystem(), str(Path(self.folder.name)))
        forget_all(self.store)
        self.sides = [connect() for _ in SIDES]
        self.asker = connect()
        self.main = connect()

    def teardown(self) -> None:
        for connection in [*self.sides, self.asker, self.main]:
            connection.rollback()
            connection.close()
        self.folder.cleanup()

    def act(self, side: int, write: Callable[[psycopg.Connection[Any]], object]) -> None:
        """In the open transaction of that side; one that would have to wait for the other gives up."""
        connection = self.sides[side]
        try:
            connection.execute("BEGIN") if not connection.info.transaction_status else None
            write(connection)
            if side == SIDES[-1]:
                connection.execute("COMMIT")
        except psycopg.errors.LockNotAvailable:
            connection.execute("ROLLBACK")

    @rule(side=st.sampled_from(SIDES), person=PEOPLE | st.none(), name=NAMES, hours=st.integers(0, 9), said=SAID)
    def append(self, side: int, person: int | None, name: str, hours: int, said: tuple[str, str]) -> None:
        visitor = "\\x01" if person is None else None
        more = {"visitors": texts([visitor]), "properties": texts(['{{"total": {}, "code": {}}}'.format(*said)])}
        values = append_parameters([happened(person, name, hours * 15)]) | more
        self.act(side, lambda c: c.execute(_APPEND, values))

    @initialize(said=st.lists(SAID, min_size=6, max_size=6))
    def there_was_something(self, said: list[tuple[str, str]]) -> None:
        for place, pair in enumerate(said):
            self.append(2, place % 4 or None, "order_completed" if place < 4 else "page_viewed", place % 3 * 60, pair)

    @rule(side=st.sampled_from(SIDES), person=PEOPLE)
    def tie(self, side: int, person: int) -> None:
        values = {"visitors": texts(["\\x01"]), "contact_ids": numbers([person])}
        self.act(side, lambda c: c.execute(statement("hongyan.events", "events.sql", "tie"), values))

    @rule(side=st.sampled_from(SIDES), person=PEOPLE, to=PEOPLE)
    def hand_over(self, side: int, person: int, to: int) -> None:
        values = {"from": numbers([person]), "to": numbers([to])}
        self.act(side, lambda c: c.execute(statement("hongyan.events", "events.sql", "hand_over"), values))

    @rule(side=st.sampled_from(SIDES), person=PEOPLE)
    def erase(self, side: int, person: int) -> None:
        values = {"contact_id": person}
        self.act(side, lambda c: c.execute(statement("hongyan.events", "events.sql", "forget_contact"), values))

    @rule(side=st.sampled_from(SIDES), name=NAMES, cell=st.booleans())
    def delete(self, side: int, name: str, *, cell: bool) -> None:
        """As retention does: the oldest of a name. cell: noted by month instead of by person."""

        def delete(connection: psycopg.Connection[Any]) -> None:
            text = statement("hongyan.events", "catalogue.sql", "expired")
            connection.execute(text, {"name": name, "before": "2026-10-10", "limit": 2})
            if cell:
                connection.execute(
                    "INSERT INTO events_historystale (tx, name, month) SELECT DISTINCT tx, %(name)s, m::date FROM "
                    "events_historystale, unnest(ARRAY['2026-09-01', '2026-10-01']) m "
                    "WHERE contact_ids IS NOT NULL AND tx = pg_current_xact_id()::text::bigint",
                    {"name": name},
                )

        self.act(side, delete)

    @rule(side=st.sampled_from(SIDES[:2]), keep=st.booleans())
    def end(self, side: int, *, keep: bool) -> None:
        self.sides[side].execute("COMMIT" if keep else "ROLLBACK")

    @rule()
    def build(self) -> None:
        with writer.writing() as connection:
            assert connection is not None
            writer.build(connection, self.store)

    @rule()
    def catch_up(self) -> None:
        with writer.writing() as connection:
            assert connection is not None
            if state(connection).tx:
                writer.catch_up(connection, self.store)

    @rule(what=st.sampled_from(["people", "cells", "compact", "sweep"]))
    def keep_in_order(self, what: str) -> None:
        with writer.writing() as connection:
            assert connection is not None
            if what == "people":
                refresh_people(connection, self.store)
            elif what == "cells":
                refresh_cells(connection, self.store)
            elif what == "compact":
                writer.compact(connection, self.store)
            elif not self.asker.info.transaction_status:
                sweep_retired(connection, self.store, keep_s=0)

    @precondition(lambda self: not self.asker.info.transaction_status)
    @rule()
    def begin_to_ask(self) -> None:
        self.asker.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        self.asker.execute("SELECT 1 FROM events_event LIMIT 1")

    @precondition(lambda self: self.asker.info.transaction_status)
    @rule()
    def ask_late(self) -> None:
        assert same(self.asker, self.store, KEYS)
        self.asker.execute("COMMIT")

    @invariant()
    def everybody_gets_the_same(self) -> None:
        self.main.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert same(self.main, self.store, KEYS)
        self.main.execute("COMMIT")

    @rule()
    def inspect(self) -> None:
        assert verify(self.main, self.store).faults == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("eager", [4, 0])
def test_files_and_tail_say_what_the_rows_say(eager: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """eager: how readily parts are joined; 0 leaves many parts lying."""
    monkeypatch.setattr(parts, "_EAGER", eager)
    for name in ("order_completed", "page_viewed", "页面 看过/x"):
        plan(name, dict.fromkeys(KEYS, "text"))
    run_state_machine_as_test(
        Anything,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )

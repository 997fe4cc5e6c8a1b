"""Facts for the benchmarks of segments: the history's files at once and, for the reference, the same facts as rows.

PostgreSQL holds the people, the manifest and nothing else to be read (bench-history measures how PostgreSQL's rows
become files). Rows lie as a log does, one Parquet file a month, sorted by time.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from bench.contacts_list import people
from bench.events_data import MONTHS, SHARES, months
from bench.outbox_data import installation

DAY: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROPERTIES: Final = {
    "order_completed": ("total", "n", "(20 + h % 90000 / 100.0)::DECIMAL(9, 2)"),
    "product_viewed": ("category", "s", "'C' || h % 40"),
}


@contextmanager
def facts(total: int, contacts: int, kept: Path | None) -> Iterator[Path]:
    """An installation with these facts; returns its folder, ``rows`` inside has them as rows. kept: a folder where they
    are left for the next run, which finds them by their numbers."""
    home = None if kept is None else kept / f"segments-{contacts}-{total}"
    done = None if home is None else home / "whole.json"
    with installation(home) as folder:
        if done is None or not done.exists():
            people(contacts)
            _write(total, contacts, folder)
            if done is not None:
                done.write_text(json.dumps({"events": total, "contacts": contacts}))
        yield folder


def _write(total: int, contacts: int, folder: Path) -> None:
    from django.db import connection

    from hongyan.audience.population import writer as population
    from hongyan.events.history.arrays import Grouped
    from hongyan.events.history.manifest import Change, publish, state
    from hongyan.events.history.parts import write_part
    from hongyan.events.history.store import open_store
    from hongyan.events.history.types import Held
    from hongyan.events.history.writer import writing

    rows = folder / "rows"
    rows.mkdir(exist_ok=True)
    made = duckdb.connect(
        ":memory:",
        config={"preserve_insertion_order": "false", "memory_limit": "4GB", "temp_directory": str(folder / "scratch")},
    )
    store = open_store()
    with writing() as link:
        if link is None:
            raise SystemExit("another writer is at work")
        seen = state(link)
        change = Change(tx=seen.below, whole=True)
        for month in months():
            made.execute(_events(month, total // MONTHS, contacts))
            made.execute(f"COPY (SELECT * FROM e ORDER BY ts) TO '{rows}/{month:%Y-%m}.parquet' (COMPRESSION zstd)")
            for name in SHARES:
                held = {}
                if name in _PROPERTIES:
                    key, kind, _ = _PROPERTIES[name]
                    held[key] = Held("n", 9, 2) if kind == "n" else Held(kind)
                change.add += write_part(store, name, month, Grouped(_arrays(made, name), held))
            print(f"{month:%Y-%m}", flush=True)
        change.names = set(SHARES)
        publish(link, seen, change)
    made.close()
    population.begin()
    population.copy_pass()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _events(month: date, count: int, contacts: int) -> str:
    """Mails reach everybody alike; other facts belong to few: the square of an even choice."""
    upper, names = 0, []
    for name, share in SHARES.items():
        upper += share
        names.append(f"WHEN x < {upper} THEN '{name}'")
    first = micros(month)
    more = [f"CASE WHEN name = '{name}' THEN {made} END AS {key}" for name, (key, _, made) in _PROPERTIES.items()]
    return f"""
CREATE OR REPLACE TEMP TABLE e AS
SELECT CASE WHEN name LIKE 'email%' THEN 1 + (r * {contacts})::BIGINT % {contacts}
            ELSE 1 + (r * r * {contacts})::BIGINT % {contacts} END AS contact_id,
       name, ts, id, {", ".join(more)}
FROM (
    SELECT CASE {" ".join(names)} END AS name, id, ts, r, h
    FROM (
        SELECT g AS id, {first} + (g * (28.0 * {DAY} / {max(count, 1)}))::BIGINT AS ts,
               (hash(g, {first}) % 1000)::INT AS x, (hash(g, {first}, 1) % 1000003) / 1000003.0 AS r,
               (hash(g, {first}, 2) % 1000000)::BIGINT AS h
        FROM range({count}) t(g)
    )
)"""


def _arrays(made: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    more = ""
    if name in _PROPERTIES:
        key, kind, _ = _PROPERTIES[name]
        more = f', list({key} ORDER BY ts, id) AS "{kind}:{key}"'
    return made.sql(
        f"SELECT contact_id, count(*)::INT AS n, min(ts) AS first, max(ts) AS last, list(ts ORDER BY ts, id) AS times, "
        f"list(id ORDER BY ts, id) AS ids{more} FROM e WHERE name = '{name}' GROUP BY contact_id ORDER BY contact_id"
    ).to_arrow_table()


def micros(at: date) -> int:
    return (datetime(at.year, at.month, at.day, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)

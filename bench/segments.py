"""Segments over the history: seconds for the five-condition segment of the design, against the same question over rows
in DuckDB in the same run, and what a live count takes while somebody edits.

Facts are written as the history's files at once (bench-history measures how PostgreSQL's rows become files); PostgreSQL
holds the people, the manifest and nothing else to be read. The reference reads the same facts as Parquet rows, sorted
by time as a log is, one file a month.

    python -m bench.segments          SCALE=0.1 for a quick look; EVENTS=5000000 for another number of facts
"""

import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from bench.contacts_list import people
from bench.events_data import MONTHS, NOW, SHARES, months
from bench.outbox_data import installation

ROUNDS: Final = 9
BUDGET_S: Final = 0.5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000_000
OPENED: Final = {"event": "email_opened", "op": ">=", "count": 3, "within_days": 90}
NO_ORDER: Final = {"not": {"event": "order_completed", "within_days": 30}}
VIEWED: Final = {"event": "page_viewed", "op": ">=", "count": 5, "within_days": 60}
SPENT: Final = {
    "event": "order_completed", "measure": "sum", "property": "total", "op": ">", "value": 500, "within_days": 365
}  # fmt: skip
CITY: Final = {"field": "country", "op": "=", "value": "CN"}
FIVE: Final = {"all": [OPENED, NO_ORDER, VIEWED, SPENT, CITY]}
LIVE: Final[dict[str, Any]] = {
    "five conditions": FIVE,
    "country": CITY,
    "opened in 30 days": {"event": "email_opened", "within_days": 30},
    "opened ≥ 3 in 90 days": OPENED,
    "opened and did not order": {"all": [OPENED, NO_ORDER]},
    "visited and lives there": {"all": [VIEWED, CITY]},
    "never clicked": {"not": {"event": "email_clicked"}},
    "last visit over 60 days ago": {
        "event": "page_viewed", "measure": "last_at", "op": "before", "value": f"{NOW - timedelta(days=60):%Y-%m-%d}"
    },
    "spent over 500 in a year": SPENT,
    "consent and opened": {"all": [{"consent": {"channel": "email", "topic": "promotion", "state": "given"}}, OPENED]},
}  # fmt: skip


def main() -> None:
    scale = float(os.environ.get("SCALE", "1"))
    contacts = max(10_000, int(1_000_000 * scale))
    total = int(os.environ.get("EVENTS", contacts * 50))
    with installation() as folder:
        people(contacts)
        rows = write(total, contacts, folder)
        line = _measured(contacts, total, rows, folder)
    print(json.dumps(line, ensure_ascii=False))


def _measured(contacts: int, total: int, rows: Path, folder: Path) -> dict[str, Any]:
    from hongyan.audience.catalogue import catalogue_now
    from hongyan.audience.compiler.parse import parse
    from hongyan.audience.engines.ask import ask

    catalogue = catalogue_now()

    def ours(tree: Any) -> int:
        return ask(parse(tree), catalogue=catalogue, now=NOW, engine="duckdb").count()

    reference = duckdb.connect(":memory:", config={"preserve_insertion_order": "false"})
    asked = _over_rows(rows, folder)
    here, there = _rounds(partial(ours, FIVE)), _rounds(lambda: _one(reference, asked))
    found, wanted = ours(FIVE), _one(reference, asked)
    if found != wanted:
        raise SystemExit(f"{found} people, but {wanted} over rows")
    live: list[float] = []
    for name, tree in LIVE.items():
        taken = _rounds(partial(ours, tree))
        print(f"{name:28} {statistics.median(taken) * 1000:8.1f} ms  {ours(tree):>9,}")
        live.extend(taken)
    return {
        "bench": "segments",
        "value": round(statistics.median(here), 3),
        "unit": "seconds",
        "ratio": round(statistics.median(there) / statistics.median(here), 1),
        "reference": round(statistics.median(there), 3),
        "live_p95_ms": round(sorted(live)[int(len(live) * 0.95)] * 1000, 1),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "contacts": contacts,
        "events": total,
        "people": found,
        "budget": BUDGET_S,
    }


def _rounds(ask: Callable[[], object]) -> list[float]:
    ask()  # warms the caches
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - begun)
    return taken


def _one(connection: duckdb.DuckDBPyConnection, text: str) -> int:
    row = connection.execute(text).fetchone()
    return int(row[0]) if row else 0


# ——— facts


def write(total: int, contacts: int, folder: Path) -> Path:
    """The facts as the history's files and, for the reference, as rows; returns the folder of the rows."""
    from django.db import connection

    from hongyan.audience.population import writer as population
    from hongyan.events.history.arrays import Grouped
    from hongyan.events.history.manifest import Change, publish, state
    from hongyan.events.history.parts import write_part
    from hongyan.events.history.store import open_store
    from hongyan.events.history.types import Held
    from hongyan.events.history.writer import writing

    rows = folder / "rows"
    rows.mkdir()
    made = duckdb.connect(":memory:", config={"preserve_insertion_order": "false"})
    store = open_store()
    with writing() as link:
        if link is None:
            raise SystemExit("another writer is at work")
        seen = state(link)
        change = Change(tx=seen.below, whole=True)
        for month, count in _counts(total):
            made.execute(_events(month, count, contacts))
            made.execute(f"COPY (SELECT * FROM e ORDER BY ts) TO '{rows}/{month:%Y-%m}.parquet' (COMPRESSION zstd)")
            for name in SHARES:
                has_total = name == "order_completed"
                held = {"total": Held("n", 9, 2)} if has_total else {}
                grouped = Grouped(_arrays(made, name, has_total=has_total), held)
                change.add += write_part(store, name, month, grouped)
        change.names = set(SHARES)
        publish(link, seen, change)
    population.begin()
    population.copy_pass()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rows


def _counts(total: int) -> Iterator[tuple[date, int]]:
    for month in months():
        yield month, total // MONTHS


def _events(month: date, count: int, contacts: int) -> str:
    """Mails reach everybody alike; other facts belong to few: the square of an even choice."""
    upper, names = 0, []
    for name, share in SHARES.items():
        upper += share
        names.append(f"WHEN x < {upper} THEN '{name}'")
    first = micros(month)
    return f"""
CREATE OR REPLACE TEMP TABLE e AS
SELECT CASE WHEN name LIKE 'email%' THEN 1 + (r * {contacts})::BIGINT % {contacts}
            ELSE 1 + (r * r * {contacts})::BIGINT % {contacts} END AS contact_id,
       name, ts, id, CASE WHEN name = 'order_completed' THEN (20 + h % 90000 / 100.0)::DECIMAL(9, 2) END AS total
FROM (
    SELECT CASE {" ".join(names)} END AS name, id, ts, r, h
    FROM (
        SELECT g AS id, {first} + (g * (28.0 * {_DAY} / {max(count, 1)}))::BIGINT AS ts,
               (hash(g, {first}) % 1000)::INT AS x, (hash(g, {first}, 1) % 1000003) / 1000003.0 AS r,
               (hash(g, {first}, 2) % 1000000)::BIGINT AS h
        FROM range({count}) t(g)
    )
)"""


def _arrays(made: duckdb.DuckDBPyConnection, name: str, *, has_total: bool) -> pa.Table:
    total = ', list(total ORDER BY ts, id) AS "n:total"' if has_total else ""
    return made.sql(
        f"SELECT contact_id, count(*)::INT AS n, min(ts) AS first, max(ts) AS last, list(ts ORDER BY ts, id) AS times, "
        f"list(id ORDER BY ts, id) AS ids{total} FROM e WHERE name = '{name}' GROUP BY contact_id ORDER BY contact_id"
    ).to_arrow_table()


def micros(at: date) -> int:
    return (datetime(at.year, at.month, at.day, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def _over_rows(rows: Path, folder: Path) -> str:
    """The five conditions as somebody would write them over a log, with the months that cannot matter left out."""
    now = micros(NOW)
    files = ", ".join(f"'{rows}/{month:%Y-%m}.parquet'" for month in months() if month >= date(2025, 11, 1))
    log = f"read_parquet([{files}])"
    everybody = ", ".join(f"'{path}'" for path in sorted((folder / "history" / "people").rglob("contacts-*.parquet")))

    def since(name: str, days: int, having: str) -> str:
        return (
            f"SELECT contact_id FROM {log} WHERE name = '{name}' AND ts >= {now - days * _DAY} AND ts <= {now} "
            f"GROUP BY contact_id HAVING {having}"
        )

    return f"""
SELECT count(*) FROM read_parquet([{everybody}]) WHERE "f:country" = 'CN'
  AND contact_id IN ({since("email_opened", 90, "count(*) >= 3")})
  AND contact_id NOT IN ({since("order_completed", 30, "count(*) >= 1")})
  AND contact_id IN ({since("page_viewed", 60, "count(*) >= 5")})
  AND contact_id IN ({since("order_completed", 365, "sum(total) > 500")})"""


if __name__ == "__main__":
    main()

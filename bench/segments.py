"""Segments over the history: seconds for the five-condition segment of the design, against the same question over rows
in DuckDB in the same run, and what a live count takes while somebody edits.

Facts are written as the history's files at once (bench-history measures how PostgreSQL's rows become files). The
reference is the fastest of three ways to lay out the same facts as rows: Parquet, one file a month, sorted by time as a
log is, or by name and time; and a table of DuckDB itself, sorted by month, name and time. Months that cannot matter are
left out of it. "cold" is the first question of a process that has read no file yet; the operating system has.

    python -m bench.segments          SCALE=0.1 for a quick look; EVENTS=5000000 for another number of facts
    EVENTS=5000000,50000000,200000000 python -m bench.segments     one after the other, each in a process of its own
    DATA=/folder …                    facts are left there, and found by the next run
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb

from bench.events_data import NOW, months
from bench.segments_data import DAY, facts, micros

ROUNDS: Final = 9
BUDGET_S: Final = 0.5
_SINCE: Final = date(2025, 11, 1)  # the oldest month the five conditions look at
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
    "viewed tea ≥ 2 in 30 days": {
        "event": "product_viewed", "op": ">=", "count": 2, "within_days": 30,
        "where": {"property": "category", "op": "=", "value": "C7"},
    },
    "added and did not order": {
        "sequence": [{"event": "product_added"}, {"not_event": "order_completed", "within": {"days": 7}}],
        "within_days": 30,
    },
    "consent and opened": {"all": [{"consent": {"channel": "email", "topic": "promotion", "state": "given"}}, OPENED]},
}  # fmt: skip


def main() -> None:
    scale = float(os.environ.get("SCALE", "1"))
    contacts = max(10_000, int(1_000_000 * scale))
    totals = [int(one) for one in os.environ.get("EVENTS", str(contacts * 50)).split(",")]
    if len(totals) > 1:
        print(json.dumps(_growth(totals), ensure_ascii=False))
        return
    kept = os.environ.get("DATA", "")
    with facts(totals[0], contacts, Path(kept) if kept else None) as folder:
        line = _measured(contacts, totals[0], folder)
    print(json.dumps(line, ensure_ascii=False))


def _growth(totals: list[int]) -> dict[str, Any]:
    """The same people with more and more facts; processor time says whether cost grows with them."""
    lines = []
    for total in totals:
        answer = subprocess.run(
            [sys.executable, "-m", "bench.segments"],
            env={**os.environ, "EVENTS": str(total)}, stdout=subprocess.PIPE, check=True, text=True,
        )  # fmt: skip
        lines.append(json.loads(answer.stdout.splitlines()[-1]))
        print(json.dumps(lines[-1], ensure_ascii=False), flush=True)
    first, last = lines[0], lines[-1]
    return {
        "bench": "segments_growth",
        "value": round(last["statement_s"] / first["statement_s"], 1),
        "unit": f"times the processor time without memory for {last['events'] / first['events']:g} times the facts",
        "events": [line["events"] for line in lines],
        **{
            key: [line[key] for line in lines]
            for key in ("cold_s", "statement_s", "reference", "ratio", "live_p95_ms", "memory_mb", "kept_mb")
        },
        "seconds": [line["value"] for line in lines],
        "budget": last["events"] / first["events"],
    }


def _measured(contacts: int, total: int, folder: Path) -> dict[str, Any]:
    from hongyan.audience.catalogue import catalogue_now
    from hongyan.audience.compiler.parse import parse
    from hongyan.audience.engines.ask import ask
    from hongyan.audience.engines.kept import kept

    catalogue = catalogue_now()

    def ours(tree: Any) -> int:
        return ask(parse(tree), catalogue=catalogue, now=NOW, engine="duckdb").count()

    begun = time.perf_counter()
    ours(FIVE)
    cold = time.perf_counter() - begun
    here = _rounds(partial(ours, FIVE))
    live: list[float] = []
    for name, tree in LIVE.items():
        taken = _rounds(partial(ours, tree))
        print(f"{name:28} {statistics.median(taken) * 1000:8.1f} ms  {ours(tree):>9,}")
        live.extend(taken)
    held, memory = kept().used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    room, kept().room = kept().room, 0  # as where the room is too small: statements over files
    kept().clear()
    used = _cpu()
    statements = _rounds(partial(ours, FIVE))
    used = (_cpu() - used) / (ROUNDS + 1)
    kept().room = room
    found, there = ours(FIVE), {}
    for layout, (connection, asked) in _over_rows(folder).items():
        there[layout] = statistics.median(_rounds(partial(_one, connection, asked)))
        if (wanted := _one(connection, asked)) != found:
            raise SystemExit(f"{found} people, but {wanted} over rows")
        connection.close()
    fastest = min(there.values())
    return {
        "bench": "segments",
        "value": round(statistics.median(here), 3),
        "unit": "seconds",
        "ratio": round(fastest / statistics.median(here), 1),
        "reference": round(fastest, 3),
        "references": {layout: round(seconds, 3) for layout, seconds in there.items()},
        "cold_s": round(cold, 3),
        "without_memory": round(statistics.median(statements), 3),
        "statement_s": round(used, 3),
        "live_p95_ms": round(sorted(live)[int(len(live) * 0.95)] * 1000, 1),
        "memory_mb": memory,
        "kept_mb": round(held / 2**20, 1),
        "contacts": contacts,
        "events": total,
        "people": found,
        "budget": BUDGET_S,
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


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


# ——— the same over rows


def _over_rows(folder: Path) -> dict[str, tuple[duckdb.DuckDBPyConnection, str]]:
    """The question over each layout. Those that are not there yet are made."""
    chosen = [month for month in months() if month >= _SINCE]
    log = [folder / "rows" / f"{month:%Y-%m}.parquet" for month in chosen]
    by_name = [folder / "rows" / f"{month:%Y-%m}-by-name.parquet" for month in chosen]
    with duckdb.connect(":memory:", config={"memory_limit": "4GB"}) as made:
        for source, target in zip(log, by_name, strict=True):
            if not target.exists():
                made.execute(f"COPY (SELECT * FROM '{source}' ORDER BY name, ts) TO '{target}' (COMPRESSION zstd)")
    table = folder / "rows" / "log.duckdb"
    if not table.exists():
        with duckdb.connect(str(table), config={"memory_limit": "4GB"}) as made:
            made.execute(f"CREATE TABLE log AS SELECT * FROM read_parquet([{_listed(by_name)}])")
    people = _listed(sorted((folder / "history" / "people").rglob("contacts-*.parquet")))
    sources = {
        "parquet by time": (":memory:", f"read_parquet([{_listed(log)}])"),
        "parquet by name, time": (":memory:", f"read_parquet([{_listed(by_name)}])"),
        "table": (str(table), "log"),
    }
    return {
        layout: (duckdb.connect(place, config={"preserve_insertion_order": "false"}), _five(source, people))
        for layout, (place, source) in sources.items()
    }


def _listed(paths: list[Path]) -> str:
    return ", ".join(f"'{path}'" for path in paths)


def _five(log: str, people: str) -> str:
    """The five conditions as somebody would write them over a log."""
    now = micros(NOW)

    def since(name: str, days: int, having: str) -> str:
        return (
            f"SELECT contact_id FROM {log} WHERE name = '{name}' AND ts >= {now - days * DAY} AND ts <= {now} "
            f"GROUP BY contact_id HAVING {having}"
        )

    return f"""
SELECT count(*) FROM read_parquet([{people}]) WHERE "f:country" = 'CN'
  AND contact_id IN ({since("email_opened", 90, "count(*) >= 3")})
  AND contact_id NOT IN ({since("order_completed", 30, "count(*) >= 1")})
  AND contact_id IN ({since("page_viewed", 60, "count(*) >= 5")})
  AND contact_id IN ({since("order_completed", 365, "sum(total) > 500")})"""


if __name__ == "__main__":
    main()

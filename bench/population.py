"""Questions about people alone, over the columnar copy: opening it, bringing it up to now and counting, CPU time of one
process and its PostgreSQL, with nobody changed and with many changed since the files were written.

    python -m bench.population          SCALE=0.1 for a quick look
"""

import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

from bench.contacts_list import people
from bench.import_ import MemoryWatch, cpu_seconds
from bench.outbox_data import installation

ROUNDS = 20
BUDGET_MS = 100
QUESTIONS = {
    "city": (("city",), "\"f:city\" = 'city 7'"),
    "country and language": (("country", "language"), "\"f:country\" = 'CN' AND \"f:language\" = 'zh'"),
    "tag": ((), "list_contains(tags, 1)"),
    "consent": ((), "list_contains(consents, 'email|1|given')"),
    "active lately": (("last_activity_at",), '"f:last_activity_at" > 1700000000000000'),
}


def main() -> None:
    count = max(10_000, int(1_000_000 * float(os.environ.get("SCALE", "1"))))
    with installation() as folder:
        people(count)
        with MemoryWatch() as memory:
            begun, cpu = time.perf_counter(), sum(cpu_seconds(folder).values())
            from hongyan.audience.population.writer import copy_pass

            print(copy_pass())
            built_s, built_cpu = time.perf_counter() - begun, sum(cpu_seconds(folder).values()) - cpu
        print(f"built in {built_s:.1f} s, CPU {built_cpu:.1f} s, peak {memory.peak / 2**20:.0f} MB")
        size = sum(path.stat().st_size for path in folder.glob("history/people/**/*.parquet"))
        settled = ask_all(folder, "nobody changed")
        change()
        ask_all(folder, "1 % changed, first and then again")
        begun = time.perf_counter()
        print(copy_pass(), f"{time.perf_counter() - begun:.1f} s")
        every = sorted(took for taken in settled.values() for took in taken)
    line = {
        "bench": "population",
        "value": round(statistics.median(every), 1),
        "unit": "ms CPU a count",
        "p95": round(every[int(len(every) * 0.95)], 1),
        "contacts": count,
        "built_cpu_s": round(built_cpu, 1),
        "megabytes": round(size / 2**20, 1),
        "peak_rss_mb": round(memory.peak / 2**20),
        "budget": BUDGET_MS,
    }
    print(json.dumps(line))


def ask_all(folder: Path, what: str) -> dict[str, list[float]]:
    print(what)
    found: dict[str, list[float]] = {}
    for name, (fields, condition) in QUESTIONS.items():
        for _ in range(ROUNDS):
            before = _cpu(folder)
            answer = ask(fields, condition)
            found.setdefault(name, []).append((_cpu(folder) - before) * 1000)
        taken = found[name]
        print(f"  {name:24} {answer:9,} first {taken[0]:6.1f} then {statistics.median(taken[1:]):6.1f} ms CPU")
    return found


def ask(fields: tuple[str, ...], condition: str) -> int:
    import duckdb
    from django.db import connection, transaction

    from hongyan.audience.catalogue import catalogue_now
    from hongyan.audience.population.people import open_people
    from hongyan.audience.population.snapshot import snapshot

    catalogue = _CATALOGUE.setdefault("now", catalogue_now())
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        taken = snapshot(connection.connection, catalogue, fields=fields)
    duck = _DUCK.setdefault("duck", duckdb.connect())
    columns = [*(f"f:{key}" for key in fields), *(name for name in ("tags", "consents") if name in condition)]
    open_people(duck, taken, columns)
    return int(duck.execute(f"SELECT count(*) FROM people WHERE {condition}").fetchall()[0][0])


_CATALOGUE: dict[str, Any] = {}
_DUCK: dict[str, Any] = {}


def _cpu(folder: Path) -> float:
    return sum(cpu_seconds(folder).values())


def change() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_contact SET city = 'city 7' WHERE id %% %s = 0", [100])


if __name__ == "__main__":
    main()

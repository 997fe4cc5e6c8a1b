"""Build the columnar history of 50 million events in PostgreSQL; against a plain COPY of the same rows out of it.

PostgreSQL is the embedded one with full durability; the events are those of ``bench.events_data``, two years of a shop
with a million people. What is measured is ``hongyan history rebuild``; afterwards every cell's count is compared with
the rows. Peak memory is that of this process, which reads, sorts, packs and writes.

    python -m bench.history          SCALE=0.02 for a quick look (a million events)
"""

import json
import os
import resource
import threading
import time
from pathlib import Path
from typing import Any

from bench.events_data import events, plan
from bench.outbox_data import installation

BUDGET_S = 300


def main() -> None:
    scale = float(os.environ.get("SCALE", "1"))
    total, contacts = max(100_000, int(50_000_000 * scale)), max(10_000, int(1_000_000 * min(scale, 1)))
    with installation():
        for month, count in events(total, contacts):
            print(f"{month:%Y-%m} {count:12,} events", flush=True)
        plan()
        reference, copied = _copy()
        peak = _Peak()
        begun, cpu = time.perf_counter(), _cpu()
        built = _build()
        seconds, used = time.perf_counter() - begun, _cpu() - cpu
        memory = peak.stop()
        size, files = _compared(built)
    line = {
        "bench": "history",
        "value": round(seconds, 1),
        "unit": f"s for {total:,} events",
        "events": built,
        "contacts": contacts,
        "reference_s": round(reference, 1),
        "reference": f"plain COPY out, {copied / 1e9:.2f} GB",
        "cpu_us_per_event": round(used / built * 1e6, 2),
        "peak_memory_mb": round(memory / 2**20),
        "files": files,
        "bytes": size,
        "bytes_per_event": round(size / built, 1),
        "budget": round(BUDGET_S * scale, 1),
    }
    print(json.dumps(line, ensure_ascii=False))


def _copy() -> tuple[float, int]:
    """All rows out of PostgreSQL as text, thrown away."""
    from django.db import connection

    size, begun = 0, time.perf_counter()
    query = "COPY (SELECT contact_id, name, occurred_at, id, properties FROM events_event) TO STDOUT"
    with connection.cursor() as cursor, cursor.copy(query) as answer:
        for block in answer:
            size += len(block)
    return time.perf_counter() - begun, size


def _build() -> int:
    from hongyan.events.history.store import open_store
    from hongyan.events.history.writer import build, writing

    with writing() as connection:
        if connection is None:
            raise SystemExit("another process writes the history")
        return build(connection, open_store())


def _compared(built: int) -> tuple[int, int]:
    """Bytes and number of the files, after every cell's count was compared with the rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date, count(*) FROM events_event "
            "GROUP BY 1, 2 EXCEPT SELECT name, month, sum(events) FROM events_historyfile "
            "WHERE retired_at IS NULL GROUP BY 1, 2"
        )
        differ = cursor.fetchall()
        cursor.execute("SELECT sum(bytes), count(*), sum(events) FROM events_historyfile WHERE retired_at IS NULL")
        size, files, held = cursor.fetchone()
    if differ or held != built:
        raise SystemExit(f"files and rows differ: {differ[:5]}")
    return int(size), int(files)


def _cpu() -> float:
    """Of this process; PostgreSQL's comes on top."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class _Peak:
    """The most memory this process held, looked at ten times a second."""

    def __init__(self) -> None:
        self._most, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        page: Any = os.sysconf("SC_PAGE_SIZE")
        while not self._over.wait(0.1):
            self._most = max(self._most, int(Path("/proc/self/statm").read_text().split()[1]) * page)

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._most


if __name__ == "__main__":
    main()

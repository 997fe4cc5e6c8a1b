"""How long a million customers take from CSV to contacts, against a bare COPY of the same file into text columns.

The real thing: an embedded PostgreSQL with durable settings, upload into encrypted storage, the worker's own runner
with its preparing processes, consent recorded with evidence. ``SCALE`` shrinks it; the budget is for 1.0.
"""

import json
import os
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

SCALE = float(os.environ.get("SCALE", "1.0"))
ROWS = max(1_000, round(1_000_000 * SCALE))


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hongyan-bench-"))
    os.environ["HONGYAN_DATA_DIR"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "hongyan.config.settings"
    os.environ.pop("HONGYAN_DATABASE_URL", None)
    from hongyan.core import embedded

    server = embedded.start(folder)
    os.environ["HONGYAN_DATABASE_URL"] = embedded.url(folder)
    try:
        run(folder)
    finally:
        from django.db import connections

        connections.close_all()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from bench.import_data import write

    call_command("migrate", verbosity=0, skip_checks=True)
    path = folder / "customers.csv"
    write(path, ROWS)
    print(f"{ROWS:,} rows, {path.stat().st_size / 1e6:.0f} MB")
    cpu_before = cpu_seconds(folder)
    with MemoryWatch() as memory:
        seconds, counts = bring_in(path)
    cpu = {part: spent - cpu_before[part] for part, spent in cpu_seconds(folder).items()}
    reference = bare_copy(path)
    print(f"import: {seconds:.1f} s, {ROWS / seconds:,.0f} rows/s, {json.dumps(counts)}")
    print(f"bare COPY: {reference:.2f} s")
    print("CPU, µs a row: " + ", ".join(f"{part} {spent / ROWS * 1e6:.0f}" for part, spent in cpu.items()))
    figures = {
        "bench": "import",
        "value": round(seconds, 2),
        "unit": "s",
        "reference": "bare COPY",
        "reference_value": round(reference, 2),
        "ratio": round(seconds / reference, 2),
        "peak_rss_mb": round(memory.peak / 2**20),
        "cpu_seconds": {part: round(spent, 2) for part, spent in cpu.items()},
        "rows": ROWS,
    }
    print(json.dumps(figures))


def bring_in(path: Path) -> tuple[float, dict[str, object]]:
    """From the opened file to the last commit: upload, recognition, mapping, import."""
    from hongyan.accounts.types import system_actor
    from hongyan.ingest import services
    from hongyan.ingest.runner import import_run
    from hongyan.ingest.types import ConsentChoice

    actor = system_actor("bench")
    begin = time.perf_counter()
    with path.open("rb") as file:
        row = services.import_create(actor=actor, file=file, filename=path.name)
    print(f"stored after {time.perf_counter() - begin:.1f} s; mapping: {row.mapping}")
    services.import_configure(actor=actor, public_id=row.public_id)
    services.import_consent(
        actor=actor,
        public_id=row.public_id,
        choice=ConsentChoice.ATTESTED,
        topics=["newsletter"],
        source="benchmark",
        declared=True,
        statement="These people agreed to receive the newsletter.",
    )
    services.import_start(actor=actor, public_id=row.public_id)

    def progress(done: int, total: int | None) -> None:
        if done % 100_000 < 5_000:
            print(f"  {done:,} of about {total or 0:,}: {time.perf_counter() - begin:.1f} s", flush=True)

    counts = import_run(row.pk, progress)
    return time.perf_counter() - begin, counts.dump()


def bare_copy(path: Path) -> float:
    """The floor: the same bytes into a table of text columns, no index. Spoilt lines are replaced, COPY takes none."""
    from django.db import connection

    from bench.import_data import COLUMNS

    clean = path.with_suffix(".clean.csv")
    with path.open("rb") as source, clean.open("wb") as target:
        import csv
        import io

        text = io.TextIOWrapper(source, "utf-8-sig", errors="replace", newline="")
        out = io.TextIOWrapper(target, "utf-8", newline="")
        writer = csv.writer(out)
        for cells in csv.reader(text):
            writer.writerow((cells + [""] * COLUMNS)[:COLUMNS])
        out.flush()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bare ({', '.join(f'c{n} text' for n in range(COLUMNS))})")
        begin = time.perf_counter()
        with clean.open("rb") as source, cursor.copy("COPY bare FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := source.read(1 << 20):
                copy.write(block)
        return time.perf_counter() - begin


@dataclass(slots=True)
class Taken:
    """What → (seconds, CPU seconds), in the order in which it was done."""

    folder: Path
    found: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, name: str, act: Callable[[], Any]) -> Any:
        began, cpu = time.perf_counter(), sum(cpu_seconds(self.folder).values())
        answer = act()
        spent = sum(cpu_seconds(self.folder).values()) - cpu
        self.found[name] = (round(time.perf_counter() - began, 2), round(spent, 2))
        print(f"{name:28} {self.found[name][0]:8.2f} s {self.found[name][1]:8.2f} s CPU  {answer}", flush=True)
        return answer


def cpu_seconds(folder: Path) -> dict[str, float]:
    """Processor time so far. Unlike the clock on the wall it says the same whatever else the machine does."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    servers = [
        postmaster,
        *(int(pid) for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()),
    ]
    return {
        "writer": own.ru_utime + own.ru_stime,
        "preparing": ended.ru_utime + ended.ru_stime,
        "postgres": sum(_ticks(pid) for pid in servers) / os.sysconf("SC_CLK_TCK"),
    }


def _ticks(pid: int) -> int:
    """utime, stime and those of children that ended, see proc_pid_stat(5)."""
    try:
        return sum(int(part) for part in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15])
    except OSError:
        return 0


class MemoryWatch:
    """Peak of the resident memory of this process and its children, PostgreSQL's own processes not among them."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            self.peak = max(self.peak, sum(_rss(pid) for pid in _tree(os.getpid())))


def _tree(root: int) -> list[int]:
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
        threads = [path.name for path in Path(f"/proc/{root}/task").iterdir() if path.name != str(root)]
        for thread in threads:
            children += Path(f"/proc/{root}/task/{thread}/children").read_text().split()
    except OSError:
        return [root]
    return [root, *(pid for child in children if _is_python(int(child)) for pid in _tree(int(child)))]


def _is_python(pid: int) -> bool:
    try:
        return b"hongyan.ingest.preparer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    main()

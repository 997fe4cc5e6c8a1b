"""From an event's commit to the moment its memberships are right: p95 at 1,000 events a second, 200 live audiences.

The lane runs in a worker process of its own, as in the product; this process writes events at the given rate in small
transactions, as intake does, and asks now and then whether the lane has passed them. Events are of people who have a
history of 50 each, and come as visits do: several of one person within a while, from some hundreds at a time.
Audiences ask about counts in windows, properties, sums, sequences, absences, fields, tags, other audiences, and
combinations of these. At the end members are compared with what the definitions say.

Full size is a million people with 50,000,000 facts in PostgreSQL, made month by month (``bench.events_data``), from
which the columns of events and people are written first, as a worker does; audiences are filled from these. Set-up is
stated apart. It takes about 25 GB of disk.

Reference in the same run: one statement asked of the database for each audience and contact of a batch, without the
lane's own tables, as a rate of events a second.

    python -m bench.membership          SCALE=0.1 for a quick look
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.import_ import MemoryWatch, cpu_seconds
from bench.membership_data import AUDIENCES, CONTACTS, EACH, audiences, prepare, write_columns
from bench.membership_load import SECONDS, drive
from bench.outbox_data import installation
from bench.tracking import ticks

BUDGET_S = 2.0


def main() -> None:
    with installation() as folder, MemoryWatch() as memory:
        set_up = _timed(prepare)
        columns = _timed(write_columns)
        made = audiences()
        began = time.perf_counter()
        worker = start_worker()
        try:
            wait_until_current(len(made))
            filled = time.perf_counter() - began
            _say("filled", filled)
            cpu = sum(cpu_seconds(folder).values()) + _cpu_of(worker)
            delays, rate = drive()
            cpu = sum(cpu_seconds(folder).values()) + _cpu_of(worker) - cpu
        finally:
            worker.terminate()
            worker.wait(30)
        members, disk = sizes(folder)
        wrong = differences()
        reference = without_own_tables()
    if wrong:
        sys.exit(f"members of {wrong} audiences are not what their definitions mean")
    delays.sort()
    line = {
        "bench": "membership",
        "value": round(delays[int(len(delays) * 0.95)], 2),
        "unit": "s p95 from commit to membership",
        "p50": round(delays[len(delays) // 2], 2),
        "worst": round(delays[-1], 2),
        "events_per_s": round(rate),
        "audiences": AUDIENCES,
        "contacts": CONTACTS,
        "events": CONTACTS * EACH,
        "members": members,
        "set_up_s": round(set_up),
        "columns_s": round(columns, 1),
        "fill_s": round(filled, 1),
        "cpu_ms_per_event": round(cpu / (rate * SECONDS) * 1000, 2),
        "peak_memory_mb": round(memory.peak / 2**20),
        "disk_gb": round(disk / 1e9, 1),
        "reference": "events/s when each audience is asked of the fact log itself",
        "reference_value": round(reference),
        "budget": BUDGET_S,
    }
    print(json.dumps(line, ensure_ascii=False))


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    took = time.perf_counter() - began
    _say(act.__name__, took)
    return took


def _say(what: str, seconds: float) -> None:
    print(f"{what:16} {seconds:8.1f} s", flush=True)


def _cpu_of(worker: "subprocess.Popen[bytes]") -> float:
    return ticks(worker.pid)


def sizes(folder: Path) -> tuple[int, int]:
    """Members altogether, and bytes on the disk."""
    from django.db.models import Sum

    from hongyan.audience.models import Following

    members = Following.objects.aggregate(n=Sum("size"))["n"] or 0
    return members, sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def start_worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "bench.membership", "lane"], env=dict(os.environ))


def lane() -> None:
    """The worker's lane and nothing else."""
    import signal

    import django

    django.setup()
    from hongyan.audience.membership.lane import run_membership

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await run_membership(stop)

    asyncio.run(run())


def wait_until_current(count: int) -> None:
    from hongyan.audience.models import Following

    while Following.objects.filter(state=Following.State.CURRENT).count() < count:
        time.sleep(0.5)


def differences() -> int:
    """Of a sample of audiences, once everything is quiet: members that should not be, or are missing."""
    from hongyan.audience import rows
    from hongyan.audience.membership.lane import settle
    from hongyan.audience.models import Member, current_versions
    from hongyan.audience.segments import compile_members
    from hongyan.core import clock

    wrong = 0
    with clock.freeze(clock.now()):
        settle()
        for version in list(current_versions().order_by("audience_id"))[::9]:
            asked = compile_members(version.tree)
            meant = {row[0] for row in rows.query(asked.text, asked.params)}
            held = set(Member.objects.filter(audience_id=version.audience_id).values_list("contact_id", flat=True))
            wrong += meant != held
    return wrong


def without_own_tables() -> float:
    """What one pass of 500 events would cost if every audience were asked of the fact log itself; events a second."""
    from django.db import connection

    from hongyan.audience.compiler.emit import emit_among
    from hongyan.audience.membership.plan import plan_now
    from hongyan.core import clock

    dice = random.Random(5)
    contacts = [dice.randint(1, CONTACTS) for _ in range(500)]
    now = clock.now()
    plan = plan_now(now=now)
    asked = [emit_among(one.node, plan.catalogue, now=now, contact_ids=contacts) for one in plan.watched.values()]
    began = time.perf_counter()
    with connection.cursor() as cursor:
        for one in asked:
            cursor.execute(one.text, one.params)
            cursor.fetchall()
    return len(contacts) / (time.perf_counter() - began)


if __name__ == "__main__":
    if sys.argv[1:] == ["lane"]:
        lane()
    else:
        main()

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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from datetime import time as dt_time
from pathlib import Path
from typing import Any

from bench.events_data import month_filled
from bench.import_ import MemoryWatch, cpu_seconds
from bench.outbox_data import installation
from bench.tracking import ticks

SCALE = float(os.environ.get("SCALE", "1"))
CONTACTS = max(5_000, int(1_000_000 * SCALE))
EACH = int(os.environ.get("EVENTS_EACH", "50"))
AUDIENCES = int(os.environ.get("AUDIENCES", "200"))
RATE = int(os.environ.get("RATE", "1000"))
SECONDS = int(os.environ.get("SECONDS", "60"))
BUDGET_S = 2.0
WRITE_EVERY_S = 0.05
MONTHS = 24
NAMES = {
    "page_viewed": 50,
    "product_viewed": 20,
    "email_opened": 14,
    "product_added": 7,
    "email_clicked": 5,
    "order_completed": 4,
}
CATEGORIES = ["tea", "wine", "book", "toy", "shoe", "lamp"]
CITIES = [f"city {number}" for number in range(200)]


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


# ——— people, their history, the audiences


def prepare() -> None:
    from django.db import connection

    from bench.contacts_list import people
    from hongyan.accounts.types import system_actor
    from hongyan.audience.tagging.taxonomy import tag_for_key
    from hongyan.events.models import EventName, EventProperty

    people(CONTACTS)
    tag = tag_for_key(actor=system_actor("bench"), key="vip")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audience_contacttag (contact_id, tag_id, group_id, exclusive, source, at) "
            "SELECT id, %s, %s, false, 'bench', now() FROM contacts_contact WHERE id %% 5 = 0",
            [tag.pk, tag.group_id],
        )
    facts(CONTACTS * EACH)
    for name in NAMES:  # what the catalogue learns of such facts
        row, _ = EventName.objects.get_or_create(name=name)
        for key, kind in (("category", "text"), ("amount", "number")):
            EventProperty.objects.update_or_create(event=row, key=key, defaults={"types": {kind: 1}})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


# In the order of time, so that what one person did lies apart, as it does in life. Nothing is random twice: h and r are
# well-mixed numbers of the event.
_FACTS = """
INSERT INTO {table} (id, contact_id, name, occurred_at, received_at, source, properties, tx)
SELECT g, 1 + r %% {contacts}, ('{names}'::text[])[1 + h %% 100], at, at, 'bench',
       jsonb_build_object('category', ('{categories}'::text[])[1 + h / 100 %% 6], 'amount', h / 1000 %% 500), '3'
FROM (
    SELECT g, timestamptz '{first}' + (g - {low}) * ({seconds} * 1000000.0 / {count}) * interval '1 microsecond' AS at,
           hashint8(g)::bigint + 2147483648 AS r, hashint8(g + 4000000000)::bigint + 2147483648 AS h
    FROM generate_series({low}::bigint, {low} + {count} - 1) g
) numbered
"""


def facts(total: int) -> None:
    """Evenly over so many days until now, two months at a time."""
    from django.db import connection

    from hongyan.events.partitions import ensure_months, next_month

    now = datetime.now(UTC)
    begin = now - timedelta(days=30 * MONTHS)
    month, months = begin.date().replace(day=1), list[tuple[datetime, datetime]]()
    while month <= now.date():
        months.append(
            (datetime.combine(month, dt_time.min, UTC), datetime.combine(next_month(month), dt_time.min, UTC))
        )
        month = next_month(month)
    names = "{" + ",".join(name for name, weight in NAMES.items() for _ in range(weight)) + "}"
    low, made = 1, []
    for of_month, end in months:
        first, last = max(of_month, begin), min(end, now)
        count = int(total * (last - first) / (now - begin))
        values = {
            "table": f"events_event_{first:%Y_%m}", "contacts": CONTACTS, "names": names, "low": low, "count": count,
            "categories": "{" + ",".join(CATEGORIES) + "}", "first": first.isoformat(),
            "seconds": (last - first).total_seconds(),
        }  # fmt: skip
        made.append((first.date().replace(day=1), end.date(), _FACTS.format(**values)))
        low += count
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: _month(*one), made))
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('events_event', 'id'), %s)", [low])
    ensure_months(first=now.date(), last=(now + timedelta(days=40)).date())


def _month(month: date, end: date, insert: str) -> None:
    from django.db import connection

    try:
        month_filled(month, end, insert)
        print(f"{month:%Y-%m}", flush=True)
    finally:
        connection.close()


def write_columns() -> None:
    """What the lanes of history and population have written long before in an installation of this size."""
    from hongyan.audience.population.writer import copy_pass
    from hongyan.events.history.store import open_store
    from hongyan.events.history.writer import build, writing

    with writing() as connection:
        if connection is None:
            raise SystemExit("another process writes the history")
        build(connection, open_store())
    copy_pass()


def audiences() -> list[Any]:
    from hongyan.accounts.types import system_actor
    from hongyan.audience.saved import audience_create

    actor = system_actor("bench")
    made: list[Any] = []
    for number, tree in zip(range(AUDIENCES), _trees(), strict=False):
        inner = [{"audience": str(made[number - 7].public_id)}] if number % 20 == 19 else []
        whole = {"all": [*inner, tree]} if inner else tree
        made.append(audience_create(actor=actor, name=f"audience {number}", tree=whole))
    return made


def _trees() -> Iterator[dict[str, Any]]:
    dice = random.Random(7)

    def did(name: str, days: int, count: int = 1, **where: Any) -> dict[str, Any]:
        part: dict[str, Any] = {"event": name, "op": ">=", "count": count, "within_days": days}
        return part | ({"where": where} if where else {})

    def category() -> dict[str, Any]:
        return {"property": "category", "op": "=", "value": dice.choice(CATEGORIES)}

    def city() -> dict[str, Any]:
        return {"field": "city", "op": "in", "value": dice.sample(CITIES, 12)}

    while True:
        days = dice.choice([7, 14, 30, 60, 90])
        yield {"all": [did("email_opened", days, 2), {"not": did("order_completed", days)}]}
        yield {"all": [did("product_viewed", days, 3, **category()), {"not": did("order_completed", 30)}]}
        yield {"not": did("email_opened", days)}
        yield {"all": [city(), did("page_viewed", days, 2)]}
        yield {"event": "order_completed", "measure": "sum", "property": "amount", "op": ">=",
               "value": dice.randint(100, 900), "within_days": 90}  # fmt: skip
        yield {"sequence": [{"event": "product_added"}, {"not_event": "order_completed", "within": {"days": 2}}],
               "within_days": days}  # fmt: skip
        yield {"all": [{"tag": "vip"}, {"any": [did("email_clicked", days), did("order_completed", days)]}]}
        yield {"all": [{"field": "created_at", "op": "within_last_days", "value": days}, did("page_viewed", days)]}
        yield {"all": [did("product_added", days, 1, **category()), {"not": did("email_clicked", 14)}, city()]}
        yield {"event": "order_completed", "op": ">=", "count": dice.randint(1, 4)}


# ——— the lane, and the load


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


class Visitors:
    """Who does something next: mostly somebody who is there already, sometimes the next one."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._there = [dice.randint(1, CONTACTS) for _ in range(500)]

    def next(self) -> int:
        place = self._dice.randrange(len(self._there))
        if self._dice.random() < 0.15:
            self._there[place] = self._dice.randint(1, CONTACTS)
        return self._there[place]


def drive() -> tuple[list[float], float]:
    """Write at the rate; for each transaction note when it was committed, and when the lane had passed it."""
    from django.db import connection

    from hongyan.events.models import ReaderCursor
    from hongyan.events.services import append
    from hongyan.events.types import NewEvent

    dice = random.Random(3)
    names, weights, visitors = list(NAMES), list(NAMES.values()), Visitors(dice)
    waiting: list[tuple[int, float]] = []  # (transaction, committed)
    delays: list[float] = []
    written = 0
    began = time.perf_counter()

    def look() -> None:
        """Transactions are passed in their order."""
        at = ReaderCursor.objects.values_list("tx", flat=True).get(name="membership")
        now = time.perf_counter()
        while waiting and waiting[0][0] <= at:
            delays.append(now - waiting.pop(0)[1])

    while time.perf_counter() - began < SECONDS:
        due = int((time.perf_counter() - began) * RATE) - written
        if due >= RATE * WRITE_EVERY_S:
            at = datetime.now().astimezone()
            events = [
                NewEvent(
                    visitors.next(),
                    dice.choices(names, weights)[0],
                    at,
                    "bench",
                    {"category": dice.choice(CATEGORIES), "amount": dice.randint(1, 500)},
                )
                for _ in range(due)
            ]
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                append(events)
                cursor.execute("SELECT pg_current_xact_id()::text::bigint")
                tx = int(cursor.fetchone()[0])
                cursor.execute("COMMIT")
            waiting.append((tx, time.perf_counter()))
            written += due
        look()
        time.sleep(0.01)
    rate = written / (time.perf_counter() - began)
    until = time.perf_counter() + 120
    while waiting and time.perf_counter() < until:
        look()
        time.sleep(0.01)
    if waiting:
        sys.exit(f"{len(waiting)} transactions were never passed")
    return delays, rate


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

"""From an event's commit to the moment its memberships are right: p95 at 1,000 events a second, 200 live audiences.

The lane runs in a worker process of its own, as in the product; this process writes events at the given rate in small
transactions, as intake does, and asks now and then whether the lane has passed them. Events are of people who have a
history of 50 each, and come as visits do: several of one person within a while, from some hundreds at a time.
Audiences ask about counts in windows, properties, sums, sequences, absences, fields, tags, other audiences, and
combinations of these. At the end members are compared with what the definitions say.

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
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bench.outbox_data import installation

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
    with installation():
        prepare()
        made = audiences()
        began = time.perf_counter()
        worker = start_worker()
        try:
            wait_until_current(len(made))
            filled = time.perf_counter() - began
            delays, rate = drive()
        finally:
            worker.terminate()
            worker.wait(30)
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
        "fill_s": round(filled, 1),
        "reference": "events/s when each audience is asked of the fact log itself",
        "reference_value": round(reference),
        "budget": BUDGET_S,
    }
    print(json.dumps(line, ensure_ascii=False))


# ——— people, their history, the audiences


def prepare() -> None:
    from django.db import connection

    from bench.contacts_list import people
    from hongyan.accounts.types import system_actor
    from hongyan.audience.tagging.taxonomy import tag_for_key
    from hongyan.events.partitions import ensure_months

    people(CONTACTS)
    now = datetime.now().astimezone()
    ensure_months(first=(now - timedelta(days=31 * MONTHS)).date(), last=(now + timedelta(days=40)).date())
    tag = tag_for_key(actor=system_actor("bench"), key="vip")
    weights = [name for name, weight in NAMES.items() for _ in range(weight)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audience_contacttag (contact_id, tag_id, group_id, exclusive, source, at) "
            "SELECT id, %s, %s, false, 'bench', now() FROM contacts_contact WHERE id %% 5 = 0",
            [tag.pk, tag.group_id],
        )
        step = 50_000
        for low in range(1, CONTACTS + 1, step):  # contacts in order: their events lie apart, as they do in life
            cursor.execute(
                "INSERT INTO events_event (contact_id, name, occurred_at, received_at, source, properties) "
                "SELECT c, (%(names)s::text[])[1 + (h & 1023) %% 100], at, at, 'bench', "
                "jsonb_build_object('category', (%(categories)s::text[])[1 + (h >> 10 & 1023) %% 6], "
                "'amount', (h >> 20 & 1023) %% 500) "
                "FROM (SELECT c, now() - random() * %(days)s * interval '1 day' AS at, (random() * 2147483647)::int h "
                "FROM generate_series(%(low)s, %(high)s) c, generate_series(1, %(each)s)) made ORDER BY at",
                {
                    "names": weights,
                    "categories": CATEGORIES,
                    "days": 30 * MONTHS,
                    "low": low,
                    "high": min(low + step - 1, CONTACTS),
                    "each": EACH,
                },
            )
        cursor.execute("VACUUM ANALYZE")


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

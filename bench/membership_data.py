"""The people, facts and audiences of ``bench.membership``."""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from datetime import time as dt_time
from typing import Any

from bench.events_data import month_filled

SCALE = float(os.environ.get("SCALE", "1"))
CONTACTS = max(5_000, int(1_000_000 * SCALE))
EACH = int(os.environ.get("EVENTS_EACH", "50"))
AUDIENCES = int(os.environ.get("AUDIENCES", "200"))
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
        count = int(total * ((last - first) / (now - begin)))
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

"""Facts of a shop for the benchmarks: two years of mails, visits and orders of up to a million people.

The mix is that of shops we know: half of what happens are visits, a quarter mails that went out; a tenth of the people
cause half of the visits; orders thin out with every step before them. Everything is a function of the event's number,
so two runs agree.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final

from django.db import connection

MONTHS: Final = 24
LAST: Final = date(2026, 11, 1)  # the newest month, whole
NOW: Final = datetime(2026, 12, 1, tzinfo=UTC)

# Name → its share of 1,000 facts; the order is that of the numbers below.
SHARES: Final[Mapping[str, int]] = {
    "page_viewed": 340,
    "email_sent": 240,
    "product_viewed": 190,
    "email_opened": 110,
    "product_added": 40,
    "email_clicked": 30,
    "products_searched": 20,
    "checkout_started": 15,
    "order_completed": 15,
}
_MAIL: Final = {"origin_kind": "text", "origin_id": "number", "message_id": "text", "machine": "text"}
_PRODUCT: Final = {
    "product_id": "text", "name": "text", "category": "text", "price": "number", "currency": "text",
    "in_stock": "boolean",
}  # fmt: skip
PROPERTIES: Final[Mapping[str, Mapping[str, str]]] = {
    "page_viewed": {"path": "text", "title": "text", "referrer": "text"},
    "email_sent": _MAIL,
    "product_viewed": _PRODUCT,
    "email_opened": _MAIL,
    "product_added": _PRODUCT | {"quantity": "number"},
    "email_clicked": _MAIL | {"link": "number"},
    "products_searched": {"query": "text", "results": "number"},
    "checkout_started": {"value": "number", "currency": "text"},
    "order_completed": {
        "order_id": "text", "total": "number", "currency": "text", "coupon": "text", "products": "list"
    },
}  # fmt: skip

# h is a well-mixed 32-bit number of the event; each property takes other bits of it.
_JSON: Final = """CASE name
  WHEN 'page_viewed' THEN jsonb_build_object('path', '/p/' || h % 400, 'title', 'Page ' || h % 400,
      'referrer', CASE WHEN h % 3 = 0 THEN 'search' ELSE 'direct' END)
  WHEN 'product_viewed' THEN jsonb_build_object('product_id', 'P' || h % 5000, 'name', '商品 ' || h % 5000,
      'category', 'C' || h % 40, 'price', round((5 + h % 50000 / 100.0)::numeric, 2), 'currency', 'CNY',
      'in_stock', h % 7 <> 0)
  WHEN 'product_added' THEN jsonb_build_object('product_id', 'P' || h % 5000, 'name', '商品 ' || h % 5000,
      'category', 'C' || h % 40, 'price', round((5 + h % 50000 / 100.0)::numeric, 2), 'currency', 'CNY',
      'in_stock', true, 'quantity', 1 + h % 3)
  WHEN 'email_clicked' THEN jsonb_build_object('origin_kind', 'campaign', 'origin_id', h % 300,
      'message_id', 'm' || g, 'machine', NULL, 'link', h % 12)
  WHEN 'products_searched' THEN jsonb_build_object('query', 'word ' || h % 2000, 'results', h % 90)
  WHEN 'checkout_started' THEN jsonb_build_object('value', round((20 + h % 90000 / 100.0)::numeric, 2),
      'currency', 'CNY')
  WHEN 'order_completed' THEN jsonb_build_object('order_id', 'O' || g,
      'total', round((20 + h % 90000 / 100.0)::numeric, 2), 'currency', 'CNY',
      'coupon', CASE WHEN h % 9 = 0 THEN 'WELCOME' END,
      'products', jsonb_build_array(jsonb_build_object('product_id', 'P' || h % 5000, 'quantity', 1 + h % 3)))
  ELSE jsonb_build_object('origin_kind', 'campaign', 'origin_id', h % 300, 'message_id', 'm' || g,
      'machine', CASE WHEN h % 5 = 0 THEN 'prefetch' END)
END"""


def _name(place: str) -> str:
    """SQL: the name by ``place``, a number in 0..999."""
    parts, upper = [], 0
    for name, share in SHARES.items():
        upper += share
        parts.append(f"WHEN {place} < {upper} THEN '{name}'")
    return f"CASE {' '.join(parts)} END"


# Mails reach everybody alike; the other facts belong to few: a person's number is the square of an even choice.
_ROWS: Final = """
INSERT INTO {table} (id, contact_id, name, occurred_at, received_at, source, properties, tx)
SELECT g,
       CASE WHEN name LIKE 'email%%' THEN 1 + r %% {contacts}
            ELSE 1 + floor((r / 4294967296.0) ^ 2 * {contacts})::bigint END,
       name, at, at, 'bench', {json}, '3'
FROM (
    SELECT g,
           timestamptz '{first} 00:00+00'
               + (g - {low}) * ({seconds} * 1000000.0 / {count}) * interval '1 microsecond' AS at,
           hashint8(g)::bigint + 2147483648 AS r, hashint8(g + 4000000000)::bigint + 2147483648 AS h,
           {name} AS name
    FROM generate_series({low}::bigint, {low} + {count} - 1) g
) numbered
"""


def months(count: int = MONTHS) -> list[date]:
    """The months of the facts, oldest first."""
    found = [LAST]
    while len(found) < count:
        found.append(date(found[-1].year - (found[-1].month == 1), (found[-1].month - 2) % 12 + 1, 1))
    return found[::-1]


def events(total: int, contacts: int, *, spread: int = MONTHS) -> Iterator[tuple[date, int]]:
    """Fill ``events_event`` month by month; yields each month and how many it got. Each partition is filled before it
    gets its indexes and joins the others, which takes a fraction of what inserting into indexes takes."""
    from hongyan.events.partitions import next_month

    given, low = months(spread), 1
    for place, month in enumerate(given):
        count = total // spread + (place < total % spread)
        end = next_month(month)
        values = {
            "table": f"events_event_{month:%Y_%m}", "contacts": contacts, "first": f"{month:%Y-%m-%d}", "low": low,
            "count": max(count, 1), "seconds": (end - month).days * 86_400,
            "name": _name("(hashint8(g + 8000000000)::bigint + 2147483648) %% 1000"), "json": _JSON.replace("%", "%%"),
        }  # fmt: skip
        if count:
            _month(month, end, values)
        low += count
        yield month, count
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('events_event', 'id'), %s)", [low])
        cursor.execute("ANALYZE events_event")


def _month(month: date, end: date, values: Mapping[str, object]) -> None:
    month_filled(month, end, _ROWS.format(**values))


def month_filled(month: date, end: date, insert: str) -> None:
    """A partition made anew: filled by the statement ``insert``, then given its indexes, then joined to the others."""
    table = f"events_event_{month:%Y_%m}"
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TABLE {table} (LIKE events_event INCLUDING DEFAULTS)")
        cursor.execute(insert, [])
        for keys in ("contact_id, occurred_at DESC, id DESC", "name, occurred_at, contact_id", "tx, id"):
            cursor.execute(f"CREATE INDEX ON {table} ({keys})")
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id, occurred_at)")
        cursor.execute(
            f"ALTER TABLE events_event ATTACH PARTITION {table} FOR VALUES "
            f"FROM ('{month} 00:00+00') TO ('{end} 00:00+00')"
        )
        cursor.execute(f"VACUUM (FREEZE, ANALYZE) {table}")


def plan() -> None:
    """What the catalogue would have learnt of these facts by and by."""
    from hongyan.events.models import EventName, EventProperty

    for name, properties in PROPERTIES.items():
        row, _ = EventName.objects.get_or_create(name=name)
        for key, kind in properties.items():
            EventProperty.objects.update_or_create(event=row, key=key, defaults={"types": {kind: 1}})

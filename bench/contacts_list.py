"""The list of people: what its selectors take with many contacts, p95 over searches, filters and pages.

Each question is asked as the page asks it: rows, number of people, places for the menus, tags of the rows. Searches and
filters are rare, frequent and absent ones, in every order. PostgreSQL is the embedded one with full durability.

    python -m bench.contacts_list          SCALE=0.1 for a quick look
"""

import json
import os
import statistics
import time
from collections.abc import Iterator

from bench.outbox_data import installation

ROUNDS = 5
PER_PAGE = 50
BUDGET_MS = 250


def main() -> None:
    count = max(10_000, int(1_000_000 * float(os.environ.get("SCALE", "1"))))
    with installation():
        people(count)
        times: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for name, took in _round():
                times.setdefault(name, []).append(took)
    for name, taken in times.items():
        print(f"{name:28} {statistics.median(taken):8.1f} ms")
    every = sorted(took for taken in times.values() for took in taken[1:])  # the first round warms the caches
    line = {
        "bench": "contacts_list",
        "value": round(every[int(len(every) * 0.95)], 1),
        "unit": "ms p95",
        "median": round(statistics.median(every), 1),
        "contacts": count,
        "budget": BUDGET_MS,
    }
    print(json.dumps(line, ensure_ascii=False))


def people(count: int) -> int:
    """By plain SQL, without identities; returns a topic that three of four agreed to. Tokens: one of two thousand
    names, one frequent word, one that is unique."""
    from django.db import connection

    from hongyan.contacts.models import Topic
    from hongyan.core.crypto.keyring import keyring

    token = keyring().blind.token
    names = [token(f"n:name{number}") for number in range(2000)]
    topic, _ = Topic.objects.get_or_create(
        key="promotion", defaults={"name_zh": "促销", "name_en": "Promotion", "legal_class": "commercial"}
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_contact (id, public_id, has_email, country, city, language, source, seal_version,"
            " search_tokens, created_at, updated_at, last_activity_at)"
            " SELECT n, gen_random_uuid(), true, CASE WHEN n %% 10 < 7 THEN 'CN' ELSE 'DE' END, 'city ' || n %% 200,"
            " 'zh', 'import:' || n %% 20, 0, ARRAY[(%(names)s::bigint[])[n %% 2000 + 1], %(common)s, n],"
            " now() - n * interval '7 seconds', now() - n * interval '5 seconds',"
            " CASE WHEN n %% 3 = 0 THEN now() - n * interval '3 seconds' END FROM generate_series(1, %(count)s) AS n",
            {"names": names, "common": token("d:example.com"), "count": count},
        )
        cursor.execute(
            "INSERT INTO contacts_consentstate (contact_id, channel, topic_id, state, since)"
            " SELECT id, 'email', %s, CASE WHEN id %% 500 = 0 THEN 'withdrawn' ELSE 'given' END, now()"
            " FROM contacts_contact WHERE id %% 4 < 3",
            [topic.pk],
        )
        cursor.execute("SELECT setval(pg_get_serial_sequence('contacts_contact', 'id'), %s)", [count])
        cursor.execute("VACUUM ANALYZE contacts_contact")
        cursor.execute("VACUUM ANALYZE contacts_consentstate")
    return topic.pk


def _round() -> Iterator[tuple[str, float]]:
    from datetime import date

    from hongyan.accounts.types import system_actor
    from hongyan.audience.selectors import tags_of_contacts
    from hongyan.contacts.listing import contact_page_counted, places_in_use
    from hongyan.contacts.types import ContactFilters, Cursor, Order, Page

    actor = system_actor("bench")
    questions = {
        "everybody": ContactFilters(),
        "search of a name": ContactFilters(search="name77"),
        "search of a frequent domain": ContactFilters(search="@example.com"),
        "search that finds nobody": ContactFilters(search="nobodyhasthis"),
        "frequent country": ContactFilters(country="CN"),
        "rare city": ContactFilters(city="city 7"),
        "city and name": ContactFilters(city="city 77", search="name77"),
        "created in a span": ContactFilters(created_from=date(2026, 1, 1)),
        "consent given": ContactFilters(consent=("email", "", "given")),
        "consent withdrawn": ContactFilters(consent=("email", "", "withdrawn")),
    }
    for name, filters in questions.items():
        for order in Order:
            after: Cursor | None = None
            for number in (1, 2):
                begun = time.perf_counter()
                page: Page  # type: ignore[type-arg]
                page, _count = contact_page_counted(
                    actor=actor, filters=filters, after=after, limit=PER_PAGE, order=order
                )
                places_in_use(actor=actor)
                tags_of_contacts(actor=actor, contact_ids=[row.id for row in page.rows])
                yield f"{name}, {order}, {number}", (time.perf_counter() - begun) * 1000
                after = page.next
                if after is None:
                    break


if __name__ == "__main__":
    main()

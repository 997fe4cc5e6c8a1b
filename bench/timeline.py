"""The timeline of a person with 100,000 entries: p95 of what its pages, kinds and searches take.

Each question is asked as the page asks it, through the view with its rendering: newest, deep, every kind, a frequent
word, a word that occurs once far back (the first bounded read). PostgreSQL is the embedded one with full durability.

    python -m bench.timeline          SCALE=0.1 for a quick look
"""

import json
import os
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.outbox_data import installation

ROUNDS = 8
BUDGET_MS = 250
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def main() -> None:
    count = max(10_000, int(100_000 * float(os.environ.get("SCALE", "1"))))
    with installation():
        client, url, public_id = _busy(count)
        times: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for name, took in _round(client, url, public_id):
                times.setdefault(name, []).append(took)
    for name, taken in times.items():
        print(f"{name:28} {statistics.median(taken):8.1f} ms")
    every = sorted(took for taken in times.values() for took in taken[1:])  # the first round warms the caches
    line = {
        "bench": "timeline",
        "value": round(every[int(len(every) * 0.95)], 1),
        "unit": "ms p95",
        "median": round(statistics.median(every), 1),
        "entries": count,
        "budget": BUDGET_MS,
    }
    print(json.dumps(line, ensure_ascii=False))


def _busy(count: int) -> tuple[Any, str, str]:
    """One person with the entries over some years, among as many of others."""
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from hongyan.accounts.models import RoleGrant, User
    from hongyan.accounts.permissions import Role
    from hongyan.accounts.types import system_actor
    from hongyan.contacts.services import contact_create
    from hongyan.contacts.types import ContactValues

    actor = system_actor("bench")
    people = [
        contact_create(
            actor=actor, values=ContactValues({"full_name": f"P {n}", "email": f"p{n}@example.net"}), source="x"
        )
        for n in range(2)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO events_event (contact_id, name, occurred_at, source, properties)
            SELECT CASE WHEN n %% 2 = 0 THEN %s ELSE %s END,
                   CASE WHEN n %% 500 = 0 THEN 'order_completed' WHEN n %% 6 = 0 THEN 'product_viewed'
                        ELSE 'page_viewed' END,
                   %s::timestamptz - n * interval '8 minutes', 'web',
                   jsonb_build_object('title', 'Page ' || n, 'path', '/shop/' || n, 'total_minor', n, 'currency', 'CNY')
              FROM generate_series(1, %s) AS n""",
            [people[0].pk, people[1].pk, NOW, count * 2],
        )
        cursor.execute("VACUUM ANALYZE events_event")
    user = User.objects.create_user("bench@hongyan.example", name="Bench")
    RoleGrant.objects.create(user=user, role=Role.SALES.value)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client, reverse("contacts:timeline", args=[people[0].public_id]), str(people[0].public_id)


def _round(client: Any, url: str, public_id: str) -> Iterator[tuple[str, float]]:
    deep = (NOW - timedelta(days=500)).date().isoformat()
    questions: dict[str, dict[str, str]] = {
        "newest": {},
        "500 days back": {"on": deep},
        "orders": {"kind": "orders"},
        "orders, deep": {"kind": "orders", "on": deep},
        "notes (none)": {"kind": "notes"},
        "frequent word": {"q": "page"},
        "one far back": {"q": "/shop/77776"},
        "a word nobody wrote": {"q": "zzz"},
    }
    for name, asked in questions.items():
        yield name, _took(lambda asked=asked: client.post(url, asked))
    yield "the page's head", _took(lambda: client.get(f"/contacts/{public_id}/"))


def _took(ask: Any) -> float:
    begun = time.perf_counter()
    assert ask().status_code == 200
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()

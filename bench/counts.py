"""How many: the live count while an audience is edited, whom a mail would reach, a campaign's waterfall; p95 with many
contacts.

Each question is asked as the page asks it: the count of the whole definition, the breakdown by consent and suppression,
the campaign's count of receivers and of everybody left out, by reason. PostgreSQL is the embedded one with full
durability.

    python -m bench.counts          SCALE=0.1 for a quick look
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bench.contacts_list import people
from bench.outbox_data import installation

ROUNDS = 7
BUDGET_MS = 300
TREES: dict[str, Any] = {
    "everyone": {"everyone": True},
    "country": {"field": "country", "op": "=", "value": "CN"},
    "cities": {"field": "city", "op": "in", "value": ["city 7", "city 8", "city 9"]},
    "country and tag": {"all": [{"field": "country", "op": "=", "value": "CN"}, {"tag": "vip"}]},
    "not tagged": {"all": [{"field": "country", "op": "=", "value": "DE"}, {"not": {"tag": "vip"}}]},
    "consent": {"consent": {"channel": "email", "topic": "promotion", "state": "given"}},
    "active lately": {"field": "last_activity_at", "op": "within_last_days", "value": 7},
    "opened in 30 days": {"event": "email_opened", "within_days": 30},
    "opened twice, never clicked, city": {
        "all": [
            {"event": "email_opened", "op": ">=", "count": 2, "within_days": 90},
            {"not": {"event": "email_clicked"}},
            {"field": "country", "op": "=", "value": "CN"},
        ]
    },
}

_SETS = """
INSERT INTO contacts_identifier (contact_id, kind, blind)
SELECT id, 'email', substr(sha256(int8send(id)), 1, 16) FROM contacts_contact;
INSERT INTO contacts_suppression (kind, blind, reason, note)
SELECT 'email', substr(sha256(int8send(id)), 1, 16), 'hard_bounce', '' FROM contacts_contact WHERE id %% 200 = 0;
INSERT INTO audience_contacttag (contact_id, tag_id, group_id, exclusive, source, at)
SELECT id, %(tag)s, %(group)s, false, 'bench', now() FROM contacts_contact WHERE id %% 5 = 0;
INSERT INTO events_event (contact_id, name, occurred_at, source, properties)
SELECT id, CASE WHEN id %% 6 = 0 AND n = 3 THEN 'email_clicked' ELSE 'email_opened' END,
       now() - (id %% 120) * interval '1 day' - n * interval '1 hour', 'bench', '{}'
FROM contacts_contact, generate_series(1, 3) n WHERE id %% 2 = 0;
"""


def main() -> None:
    count = max(10_000, int(1_000_000 * float(os.environ.get("SCALE", "1"))))
    with installation():
        topic = people(count)
        _more()
        times: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for name, ask in _questions(topic):
                begun = time.perf_counter()
                ask()
                times.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
    for name, taken in times.items():
        print(f"{name:52} {statistics.median(taken[1:]):8.1f} ms")
    live = sorted(took for name, taken in times.items() if name.startswith("count") for took in taken[1:])
    every = sorted(took for taken in times.values() for took in taken[1:])  # the first round warms the caches
    line = {
        "bench": "count",
        "value": round(live[int(len(live) * 0.95)], 1),
        "unit": "ms p95 of live counts",
        "median": round(statistics.median(live), 1),
        "with_breakdowns_p95": round(every[int(len(every) * 0.95)], 1),
        "contacts": count,
        "budget": BUDGET_MS,
    }
    print(json.dumps(line, ensure_ascii=False))


def _more() -> None:
    """Addresses' blind indexes with some suppressions, a tag on every fifth, three events for every second person."""
    from django.db import connection

    from hongyan.accounts.types import system_actor
    from hongyan.audience.tagging.taxonomy import tag_for_key

    tag = tag_for_key(actor=system_actor("bench"), key="vip")
    with connection.cursor() as cursor:
        cursor.execute(_SETS, {"tag": tag.pk, "group": tag.group_id})
        cursor.execute("VACUUM ANALYZE")


def _questions(topic_id: int) -> Iterator[tuple[str, Callable[[], object]]]:
    from hongyan.accounts.types import system_actor
    from hongyan.audience.selectors import breakdown, count
    from hongyan.campaigns.models import Campaign

    actor = system_actor("bench")
    for name, tree in TREES.items():
        yield f"count: {name}", partial(count, actor=actor, tree=tree)
        yield f"breakdown: {name}", partial(breakdown, actor=actor, tree=tree, topic_id=topic_id)
        campaign = Campaign(audience=tree, exclusions={"tag": "vip"}, topic_id=topic_id, mail_type="promotion")
        yield f"waterfall: {name}", partial(_waterfall, campaign)


def _waterfall(campaign: Any) -> object:
    from hongyan.campaigns.people import counts, plan

    return counts(plan(campaign))


if __name__ == "__main__":
    main()

"""Where a million people stand: RFM, lifecycle stages, rule tags and the MECE check, each over everybody, and what the
lane takes after a thousand people changed.

People are those of ``bench.membership_data`` with as many facts each as EVENTS_EACH says, from which the columns are
written first; half of them are customers. PostgreSQL is the embedded one with full durability. First looks write a row
for everybody and are stated apart: what comes again and again is the refresh.

    python -m bench.standing          SCALE=0.1 for a quick look
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("EVENTS_EACH", "10")

from bench.import_ import MemoryWatch, Taken
from bench.membership_data import CONTACTS, EACH, prepare, write_columns
from bench.outbox_data import installation

BUDGET_S = 60.0  # refreshing everything for everybody, of a million; an hour passes between two of them
TOUCHED = 1_000


def main() -> None:
    with installation() as folder, MemoryWatch() as memory:
        prepare()
        customers()
        write_columns()
        found = run(folder)
    line = {
        "bench": "standing",
        "value": found["rfm refresh"][0] + found["stages refresh"][0] + found["rule tags refresh"][0],
        "unit": "s to look at everybody again",
        "contacts": CONTACTS,
        "events": CONTACTS * EACH,
        "seconds": {name: seconds for name, (seconds, _) in found.items()},
        "cpu_s": {name: cpu for name, (_, cpu) in found.items()},
        "cpu_s_per_100k": {name: round(cpu * 100_000 / CONTACTS, 2) for name, (_, cpu) in found.items()},
        "peak_memory_mb": round(memory.peak / 2**20),
        "budget": round(BUDGET_S * CONTACTS / 1_000_000, 1),
    }
    line["value"] = round(float(str(line["value"])), 1)
    print(json.dumps(line, ensure_ascii=False))


def customers() -> None:
    """What commerce knows of half of the people."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO commerce_contactfacts (contact_id, orders, currency, total_minor, average_minor, per_currency,"
            " without_rate, first_at, last_at)"
            " SELECT id, 1 + id %% 7, 'CNY', 1000 + id * 7919 %% 1000000, 500, '{}', '[]',"
            " now() - interval '700 days', now() - id * 7919 %% 700 * interval '1 day'"
            " FROM contacts_contact WHERE id %% 2 = 0",
            [],
        )
        cursor.execute("VACUUM ANALYZE commerce_contactfacts")


def run(folder: Path) -> dict[str, tuple[float, float]]:
    """What → (seconds, CPU seconds)."""
    from django.db import connection

    from hongyan.accounts.types import system_actor
    from hongyan.audience.population.writer import copy_pass
    from hongyan.audience.standing.lane import _Memory, round_of
    from hongyan.audience.standing.rfm import rfm_refresh
    from hongyan.audience.standing.stages import stages_refresh
    from hongyan.audience.tagging import mece
    from hongyan.audience.tagging.applying import rules_refresh
    from hongyan.audience.tagging.rules import rule_draft, rules_of_group, rules_publish

    taken = Taken(folder)
    take = taken.take

    actor, group, tags = system_actor("bench"), *_rules()
    take("rfm first", rfm_refresh)
    take("rfm refresh", rfm_refresh)
    take("stages first", stages_refresh)
    take("columns after the first", copy_pass)
    take("stages refresh", stages_refresh)
    for tag, tree in tags:
        rule_draft(actor=actor, tag=tag, tree=tree)
    trees = [rule.draft for rule in rules_of_group(group)]
    take("mece check of 8", lambda: mece.report(trees).overlap)
    mece.fix_apply(actor=actor, group=group, fix=mece.fix_order(actor=actor, group=group))
    take("publish", lambda: len(rules_publish(actor=actor, group=group)))
    take("rule tags first", rules_refresh)
    copy_pass()
    take("rule tags refresh", rules_refresh)
    memory = _Memory()
    round_of(memory)
    while round_of(memory):
        pass

    def touch() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE contacts_contact SET city = 'city 7' WHERE id = ANY(SELECT (1 + n * 7919 %% %s)"
                " FROM generate_series(1, %s) n)",
                [CONTACTS, TOUCHED],
            )

    touch()
    take("lane, 1,000 touched", lambda: round_of(memory))
    return taken.found


def _rules() -> tuple[Any, list[tuple[Any, Any]]]:
    """Eight rules of an exclusive group that overlap."""
    from hongyan.accounts.types import system_actor
    from hongyan.audience.tagging.taxonomy import tag_create, tag_group_create
    from hongyan.audience.types import GroupValues, TagValues

    actor = system_actor("bench")
    group = tag_group_create(actor=actor, values=GroupValues("value", "价值", "Value", exclusive=True))
    trees: list[Any] = [
        {"all": [_did("order_completed", 30), {"event": "email_opened", "op": ">=", "count": 2, "within_days": 90}]},
        {"event": "order_completed", "measure": "sum", "property": "amount", "op": ">=", "value": 800},
        {"all": [_did("product_added", 14), {"not": _did("order_completed", 14)}]},
        {"field": "rfm.tier", "op": "=", "value": "vip"},
        {"field": "city", "op": "in", "value": [f"city {n}" for n in range(20)]},
        {"all": [_did("email_clicked", 60), {"not": _did("order_completed", 365)}]},
        {"field": "created_at", "op": "within_last_days", "value": 30},
        {"not": _did("page_viewed", 180)},
    ]
    return group, [
        (tag_create(actor=actor, group=group, values=TagValues(f"v{number}", f"档{number}", f"V{number}")), tree)
        for number, tree in enumerate(trees)
    ]


def _did(name: str, days: int) -> dict[str, Any]:
    return {"event": name, "within_days": days}


if __name__ == "__main__":
    main()

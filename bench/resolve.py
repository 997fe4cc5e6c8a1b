"""How long one new record takes to be resolved online among a million contacts: candidates, scores, merge or question.

New records are of people who are there already, of namesakes with the commonest names and addresses at the providers
everybody uses, and of nobody known. Each is made as a form or the API makes it, then resolved: what is measured is
``identity.arriving.resolve_one``, from the number of the new contact to the contact it is then, written down and
committed.

    python -m bench.resolve          SCALE=0.02 for a quick look; RECORDS=500
"""

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from bench.identity_data import records
from bench.import_ import cpu_seconds
from bench.merging import contacts
from bench.outbox_data import installation

SCALE = float(os.environ.get("SCALE", "1"))
CONTACTS = max(5_000, int(1_000_000 * SCALE))
RECORDS = int(os.environ.get("RECORDS", "500"))
BUDGET_MS = 50
SEED = 5
COMMON = ("王伟", "张伟", "李娜", "王芳", "李伟", "王秀英", "张敏", "Wang Wei", "Zhang Wei", "刘伟")
HOSTS = ("qq.com", "163.com", "gmail.com", "126.com", "outlook.com")
CITIES = ("上海", "北京", "广州", "深圳", "杭州")


def main() -> None:
    with installation() as folder:
        began = time.perf_counter()
        known = prepare()
        prepared = time.perf_counter() - began
        figures = measured(folder, known)
    print(f"prepared in {prepared:.0f} s", file=sys.stderr)
    print(json.dumps(figures))


def prepare() -> list[Any]:
    """A million contacts with their tokens, and the weights of a run over a part of them. Returns their records."""
    from django.db import connection

    from hongyan.accounts.types import system_actor
    from hongyan.identity import online
    from hongyan.identity.people import everybody
    from hongyan.identity.runs import run_full

    _, rows = records(CONTACTS)
    learned = min(CONTACTS, 20_000)
    contacts(rows[:learned])
    run_full(actor=system_actor("bench"))
    contacts(rows[learned:], start=learned)
    for people in everybody():
        online.write_profiles(people)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return rows


def measured(folder: Path, known: list[Any]) -> dict[str, Any]:
    from django.db import connection

    from hongyan.accounts.types import system_actor
    from hongyan.identity.arriving import resolve_one

    actor, chance = system_actor("bench"), random.Random(SEED)
    paths: dict[str, list[float]] = {}
    asked: dict[str, int] = {}
    statements = 0

    def counting(execute: Any, *given: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*given)

    fresh = [(kind, _made(kind, known, chance, place)) for place in range(RECORDS) for kind in _KINDS[place % 4 :][:1]]
    ids = contacts([record for _, record in fresh], start=2 * CONTACTS)
    resolve_one(actor=actor, contact_id=ids[0])  # opens the connection and reads the weights once
    before = cpu_seconds(folder)
    with connection.execute_wrapper(counting):
        for (kind, _), contact_id in zip(fresh[1:], ids[1:], strict=True):
            statements, began = 0, time.perf_counter()
            became = resolve_one(actor=actor, contact_id=contact_id)
            took = (time.perf_counter() - began) * 1e3
            path = f"{kind}, merged" if became != contact_id else kind
            paths.setdefault(path, []).append(took)
            asked[path] = asked.get(path, 0) + statements
    spent = {part: (after - before[part]) / len(ids) * 1e3 for part, after in cpu_seconds(folder).items()}
    every = [took for taken in paths.values() for took in taken]
    return {
        "bench": "resolve",
        "value": _share(every, 0.95),
        "unit": "ms p95",
        "p50": _share(every, 0.5),
        "p99": _share(every, 0.99),
        "worst": round(max(every), 1),
        "paths": {
            path: {
                "records": len(taken),
                "p50": _share(taken, 0.5),
                "p95": _share(taken, 0.95),
                "statements": round(asked[path] / len(taken), 1),
            }
            for path, taken in sorted(paths.items())
        },
        "cpu_ms": {part: round(took, 2) for part, took in spent.items() if took > 0.01},
        "records": len(every),
        "contacts": CONTACTS,
        "budget": BUDGET_MS,
    }


def _share(taken: list[float], share: float) -> float:
    ordered = sorted(taken)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


_KINDS = ("known", "common", "common_mail", "unknown")


def _made(kind: str, known: list[Any], chance: random.Random, place: int) -> Any:
    """known: somebody who is there, with another address and no street. common: a frequent name in a large city."""
    from dataclasses import replace

    from hongyan.identity.matching.record import Record

    if kind == "known":
        return replace(chance.choice(known), email="", street="")
    number = f"139{chance.randrange(10**8):08}"
    born = f"{chance.randrange(1950, 2005)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    if kind == "unknown":
        return Record(full_name=f"员{chr(0x4E00 + place * 7 % 900)}祯", phone=number, birth_date=born, country="CN")
    name, city = COMMON[place % len(COMMON)], chance.choice(CITIES)
    if kind == "common":
        return Record(full_name=name, city=city, birth_date=born if chance.random() < 0.5 else "", country="CN")
    user = f"{'wangwei' if chance.random() < 0.5 else 'zhangwei'}{chance.randrange(100)}"
    return Record(full_name=name, email=f"{user}.{place}@{chance.choice(HOSTS)}", city=city, phone=number, country="CN")


if __name__ == "__main__":
    main()

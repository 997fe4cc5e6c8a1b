"""Writing merges down: how many a second, of people who have addresses, consents, tags, lists and facts.

    python -m bench.merging          PAIRS=3000

Used by ``bench.identity`` too, which applies what it found.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench.import_ import cpu_seconds
from bench.outbox_data import installation

PAIRS = int(os.environ.get("PAIRS", "3000"))
BLOCK = 5_000

_LIVES = """
INSERT INTO events_event (contact_id, name, occurred_at, source)
SELECT id, 'page_viewed', now() - (n * 30 + id %% 30) * interval '1 day', 'web'
  FROM unnest(%(ids)s::bigint[]) id, generate_series(0, 1) n;
INSERT INTO contacts_consentstate (contact_id, channel, topic_id, state, since)
SELECT id, 'email', %(topic)s, 'given', now() FROM unnest(%(ids)s::bigint[]) id;
INSERT INTO audience_listmember (contact_id, list_id, source, at)
SELECT id, %(list)s, 'bench', now() FROM unnest(%(ids)s::bigint[]) id;
INSERT INTO audience_contacttag (contact_id, tag_id, group_id, exclusive, source, at)
SELECT id, %(tag)s, %(group)s, false, 'bench', now() FROM unnest(%(ids)s::bigint[]) id WHERE id %% 3 = 0
"""


def main() -> None:
    with installation() as folder:
        from hongyan.identity.truth import generated

        rows = generated(int(PAIRS * 1.6))
        ids = contacts([row.record for row in rows])
        lives(ids)
        people: dict[int, list[int]] = {}
        for row, contact_id in zip(rows, ids, strict=True):
            people.setdefault(row.person, []).append(contact_id)
        groups = [sorted(set(group)) for group in people.values() if len(set(group)) > 1]
        print(json.dumps({"bench": "merging", **applied(folder, groups, len(ids))}))


def applied(folder: Path, groups: Sequence[list[int]], records: int) -> dict[str, Any]:
    """groups: contact ids. As a run does it, without finding them."""
    from hongyan.accounts.types import system_actor
    from hongyan.identity.applying import merge_groups, quiet
    from hongyan.identity.models_merging import Merge

    before, began = cpu_seconds(folder), time.perf_counter()
    done = merge_groups(actor=system_actor("bench"), run="", groups=groups, evidence={}, progress=quiet)
    merged = done.merged
    if done.failed:
        raise SystemExit(f"not merged: {done.why}")
    wall = time.perf_counter() - began
    cpu = {part: spent - before[part] for part, spent in cpu_seconds(folder).items()}
    print("CPU, ms a merge: " + ", ".join(f"{part} {spent / merged * 1e3:.2f}" for part, spent in cpu.items()))
    assert Merge.objects.count() == merged
    return {
        "value": round(merged / wall),
        "unit": "merges/s",
        "merges": merged,
        "applying_s": round(wall, 1),
        "cpu_ms": round(sum(cpu.values()) / merged * 1e3, 2),
        "records": records,
    }


def contacts(records: Sequence[Any], *, start: int = 0) -> list[int]:
    """As an import makes them; the id of each. Records with one e-mail become one contact. start: names the rows."""
    from django.db import connection, transaction

    from hongyan.contacts.bulk import upsert
    from hongyan.contacts.bulk_rows import RowMaker, UpsertPolicy
    from hongyan.contacts.normalise import NormaliseProblem
    from hongyan.contacts.normalise import email as normal_email
    from hongyan.contacts.normalise import phone as normal_phone
    from hongyan.core import clock
    from hongyan.core.crypto.keyring import keyring

    def normal(call: Any, text: str, **more: Any) -> str:
        try:
            return str(call(text, **more)) if text else ""
        except NormaliseProblem:
            return ""

    maker = RowMaker(blind=keyring().blind, source="import:1", at=clock.now())
    found: list[int] = []
    for at in range(0, len(records), BLOCK):
        rows, keyless = [], {}
        for place, record in enumerate(records[at : at + BLOCK], start + at):
            identity = {
                "given_name": record.given_name,
                "family_name": record.family_name,
                "full_name": record.full_name,
                "email": normal(normal_email, record.email),
                "phone": normal(normal_phone, record.phone, region=record.country or "CN"),
                "street": record.street,
                "postal_code": record.postal_code,
                "birth_date": record.birth_date if _is_date(record.birth_date) else "",
            }
            plain = {
                "country": record.country,
                "region": record.region,
                "city": record.city,
                "sex": int(record.sex or 0),
            }
            filled = {key: value for key, value in identity.items() if value}
            rows.append(maker.contact_row(ref=place, identity=filled, plain=plain, attributes={}))
            keyless[place] = (place.to_bytes(16, "big"), None)
        with transaction.atomic():
            done = upsert(
                rows,
                policy=UpsertPolicy.FILL_EMPTY,
                match_on="email",
                maker=maker,
                connection=connection,
                keyless=keyless,
            )
        found += [outcome.contact_id or 0 for outcome in done]
    return found


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def lives(ids: Iterable[int]) -> None:
    """Two facts, a consent and a list of each, a tag of every third."""
    from django.db import connection

    from hongyan.accounts.types import system_actor
    from hongyan.audience.lists import list_create
    from hongyan.audience.tagging.taxonomy import tag_for_key
    from hongyan.contacts.models import Topic
    from hongyan.core import clock
    from hongyan.core.sql import numbers
    from hongyan.events.partitions import ensure_months

    actor, at = system_actor("bench"), clock.now()
    ensure_months(first=(at - timedelta(days=70)).date(), last=(at + timedelta(days=40)).date())
    topic, _ = Topic.objects.get_or_create(
        key="promotion", defaults={"name_zh": "促销", "name_en": "Promotion", "legal_class": "commercial"}
    )
    tag, members = tag_for_key(actor=actor, key="vip"), list_create(actor=actor, name="会员")
    wanted = numbers(sorted({number for number in ids if number}))
    values: dict[str, Any] = {
        "ids": wanted,
        "topic": topic.pk,
        "list": members.pk,
        "tag": tag.pk,
        "group": tag.group_id,
    }
    with connection.cursor() as cursor:
        for statement in _LIVES.split(";"):
            cursor.execute(statement, values)
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()

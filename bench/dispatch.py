"""Audience to outbox: rows per second of ``dispatch``, against a plain INSERT … SELECT of the same rows.

The audience is one with a consent condition, as a campaign's is; the outbox has its unique constraint, its queue index
and its primary key. The reference writes the same columns of the same people into a table without any index.
PostgreSQL is the embedded one with full durability.

    python -m bench.dispatch          SCALE=0.1 for a quick look
"""

import json
import os
import time

from bench.outbox_data import installation, sender


def main() -> None:
    count = max(10_000, int(1_000_000 * float(os.environ.get("SCALE", "1"))))
    with installation():
        topic = _people(count)
        _dispatch(2, topic, sender())  # a first one, so that partition and caches are there
        reference = max(_plain(), _plain())
        values = [_dispatch(number, topic, 1) for number in (3, 4)]
    value = max(values)
    line = {
        "bench": "dispatch",
        "value": round(value),
        "unit": "rows/s",
        "reference": "plain INSERT … SELECT",
        "reference_value": round(reference),
        "ratio": round(value / reference, 2),
    }
    print(f"{count:,} people a dispatch")
    print(json.dumps(line, ensure_ascii=False))


def _people(count: int) -> int:
    """People without identities (dispatch opens none) who agreed to one topic."""
    from django.db import connection

    from hongyan.contacts.models import Topic

    topic, _ = Topic.objects.get_or_create(
        key="promotion", defaults={"name_zh": "促销", "name_en": "Promotion", "legal_class": "commercial"}
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_contact (id, public_id, has_email, country, seal_version)"
            " SELECT n, gen_random_uuid(), true, 'CN', 0 FROM generate_series(1, %s) AS n",
            [count],
        )
        cursor.execute(
            "INSERT INTO contacts_consentstate (contact_id, channel, topic_id, state, since)"
            " SELECT id, 'email', %s, 'given', now() FROM contacts_contact",
            [topic.pk],
        )
        cursor.execute("ANALYZE contacts_contact, contacts_consentstate")
    return topic.pk


def _members(topic: int) -> str:
    return (
        "SELECT c.id FROM contacts_contact c WHERE c.country = 'CN' AND EXISTS (SELECT 1 FROM contacts_consentstate s"
        f" WHERE s.contact_id = c.id AND s.channel = 'email' AND s.topic_id = {topic} AND s.state = 'given')"
    )


def _dispatch(number: int, topic: int, sender_id: int) -> float:
    from hongyan.core import clock
    from hongyan.core.sql import SQL
    from hongyan.delivery.services import dispatch
    from hongyan.delivery.types import Origin

    begun = time.perf_counter()
    rows = dispatch(
        origin=Origin.starting("campaign", number),
        content_version_id=1,
        sender_id=sender_id,
        topic_id=topic,
        members=SQL(_members(topic)),
        due_at=clock.now(),
    )
    return rows / (time.perf_counter() - begun)


def _plain() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS plain")
        cursor.execute("CREATE TABLE plain AS SELECT * FROM delivery_message LIMIT 0")
        begun = time.perf_counter()
        cursor.execute("INSERT INTO plain SELECT * FROM delivery_message WHERE origin_id = 2")
        return int(cursor.rowcount) / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()

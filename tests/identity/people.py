"""Two records to merge, and everything the database knows about them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import connection, transaction

from hongyan.accounts.types import system_actor
from hongyan.contacts.consent import consent_record
from hongyan.contacts.models import Contact, Topic
from hongyan.contacts.profiles import values_of
from hongyan.contacts.sealing import open_record
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ConsentAction, ContactValues, Evidence

ACTOR = system_actor("test")
START = datetime(2026, 3, 1, tzinfo=UTC)
# Written by the merge and its undoing themselves, and what only moves forward.
_OWN = {
    "identity_merge",
    "audit_entry",
    "audit_auditentry",
    "contacts_consentrecord",
    "contacts_touched",
    "events_historystale",
    "identity_candidate",
    "django_migrations",
}


class _Over(Exception):
    """The end of an example."""


@contextmanager
def example() -> Iterator[None]:
    """One example of a law: what it writes is rolled back."""
    try:
        with transaction.atomic():
            yield
            raise _Over
    except _Over:
        pass


def person(**values: str) -> Contact:
    return contact_create(actor=ACTOR, values=ContactValues(values), source="import:1")


def consent(contact: Contact, action: ConsentAction, *, topic: str | None = "promotion", day: int = 0) -> None:
    evidence = Evidence(method="form", occurred_at=START + timedelta(days=day))
    consent_record(
        actor=ACTOR, contact_id=contact.pk, channel="email", topic_key=topic, action=action, evidence=evidence
    )


def standing(contact_id: int) -> dict[tuple[str, str | None], str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.channel, t.key, s.state FROM contacts_consentstate s"
            " LEFT JOIN contacts_topic t ON t.id = s.topic_id WHERE contact_id = %s",
            [contact_id],
        )
        return {(channel, key): state for channel, key, state in cursor.fetchall()}


def topic_id(key: str = "promotion") -> int:
    return Topic.objects.get(key=key).pk


def tables_about_contacts() -> dict[str, list[str]]:
    """Table → its columns that name a contact: by foreign key, or by what they are called."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, a.attname FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND (
                a.attname ~ '(^|_)contact(_ids?|_low|_high)?$'
                OR EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'
                           AND k.confrelid = 'contacts_contact'::regclass AND a.attnum = ANY(k.conkey)))
            """
        )
        found: dict[str, list[str]] = {}
        for table, column in cursor.fetchall():
            found.setdefault(table, []).append(column)
    return found


def dump() -> dict[str, Any]:
    """Every row of every table that knows contacts, opened, but for what a merge adds to append-only tables and the
    time at which a contact last changed (it did)."""
    found: dict[str, Any] = {}
    for table in [*tables_about_contacts(), "contacts_mergedaway"]:
        if table in _OWN:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            rows = [orjson.loads(text) for (text,) in cursor.fetchall()]
        rows = [row for row in rows if row.get("name") not in {"contact_merged", "contact_unmerged"}]
        for row in rows:
            _open(table, row)
        found[table] = sorted(rows, key=lambda row: orjson.dumps(row, option=orjson.OPT_SORT_KEYS))
    found["contacts_contact"] = [_profile(contact) for contact in Contact.objects.order_by("pk")]
    return found


def _open(table: str, row: dict[str, Any]) -> None:
    if table == "contacts_consentstate":
        del row["id"]  # what is derived is written anew; nothing refers to it
    if row.get("sealed") and table in {"contacts_confirmationrequest", "identity_keptvalues"}:
        row["sealed"] = open_record(bytes.fromhex(row["sealed"][2:]), owner_id=row["contact_id"]).decode()


def _profile(contact: Contact) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (to_jsonb(c) - 'sealed' - 'updated_at')::text FROM contacts_contact c WHERE id = %s", [contact.pk]
        )
        row = cursor.fetchone()
    assert row is not None
    return {"row": orjson.loads(row[0]), "values": values_of(contact)}

"""What the triggers promise that stand in for foreign keys: see migration 0007 and docs/decisions/0006."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from hongyan.accounts.types import system_actor
from hongyan.contacts.models import ConsentRecord, ConsentState, Contact, Identifier, Topic
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.core import clock
from hongyan.core.dsn import connection_parameters

NOBODY = 9_999_999


def person() -> Contact:
    return contact_create(actor=system_actor("test"), values=ContactValues({"email": "li@example.com"}), source="test")


@pytest.mark.django_db
def test_identifiers_and_states_need_their_contact() -> None:
    topic = Topic.objects.earliest("id")
    with pytest.raises(IntegrityError), transaction.atomic():
        Identifier.objects.create(contact_id=NOBODY, kind="email", blind=bytes(16))
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentState.objects.create(contact_id=NOBODY, channel="email", topic=topic, state="given", since=clock.now())
    known = person()
    with pytest.raises(IntegrityError), transaction.atomic():
        Identifier.objects.filter(contact=known).update(contact_id=NOBODY)


@pytest.mark.django_db
def test_one_missing_among_many_is_seen() -> None:
    known = person()
    rows = [Identifier(contact_id=known.pk, kind="anonymous_id", blind=bytes([n] * 16)) for n in range(50)]
    Identifier.objects.bulk_create(rows)
    rows = [Identifier(contact_id=known.pk, kind="external_id", blind=bytes([n] * 16)) for n in range(50)]
    rows[17].contact_id = NOBODY
    with pytest.raises(IntegrityError), transaction.atomic():
        Identifier.objects.bulk_create(rows)


@pytest.mark.django_db
def test_consents_need_their_topic_and_none_is_allowed() -> None:
    known = person()
    at = clock.now()
    ConsentState.objects.create(contact=known, channel="email", topic=None, state="none", since=at)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentState.objects.create(contact=known, channel="email", topic_id=NOBODY, state="given", since=at)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentRecord.objects.create(
            contact_id=known.pk, pseudonym=bytes(16), channel="email", topic_id=NOBODY, action="given",
            method="form", occurred_at=at, recorded_by="test",
        )  # fmt: skip


@pytest.mark.django_db
def test_what_is_referred_to_cannot_be_deleted() -> None:
    known = person()
    topic = Topic.objects.earliest("id")
    ConsentState.objects.create(contact=known, channel="email", topic=topic, state="given", since=clock.now())
    with connection.cursor() as cursor:
        for table, key in (("contacts_contact", known.pk), ("contacts_topic", topic.pk)):
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute(f"DELETE FROM {table} WHERE id = %s", [key])
    assert known.delete()[0] == 3  # Django takes identifier and state along


@pytest.fixture
def other() -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(**connection_parameters()) as link:
        yield link


@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_a_reference_that_is_not_committed(
    other: "psycopg.Connection[tuple[object, ...]]",
) -> None:
    known = person()
    other.execute(
        "INSERT INTO contacts_identifier (contact_id, kind, blind) VALUES (%s, 'external_id', %s)",
        [known.pk, bytes(16)],
    )
    with psycopg.connect(**connection_parameters()) as third:
        third.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            third.execute("DELETE FROM contacts_contact WHERE id = %s", [known.pk])


@pytest.mark.django_db(transaction=True)
def test_a_reference_to_what_is_being_deleted_fails(other: "psycopg.Connection[tuple[object, ...]]") -> None:
    known = person()
    for table, column in (("contacts_identifier", "contact_id"), ("contacts_contact", "id")):
        other.execute(f"DELETE FROM {table} WHERE {column} = %s", [known.pk])
    waiting = threading.Event()
    failed: list[Exception] = []

    def refer() -> None:
        try:
            with psycopg.connect(**connection_parameters()) as third:
                waiting.set()
                third.execute(
                    "INSERT INTO contacts_identifier (contact_id, kind, blind) VALUES (%s, 'external_id', %s)",
                    [known.pk, bytes(16)],
                )
        except psycopg.Error as error:
            failed.append(error)

    thread = threading.Thread(target=refer)
    thread.start()
    waiting.wait(10)
    other.commit()
    thread.join(10)
    assert isinstance(failed[0], psycopg.errors.ForeignKeyViolation)
    assert not Identifier.objects.exists()

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from hongyan.audit.errors import UnfitAuditData
from hongyan.audit.models import AuditEntry
from hongyan.audit.selectors import audit_actions, audit_of_subject, audit_page
from hongyan.audit.services import chain_head, record, seal, verify
from hongyan.audit.types import AuditFilter, ChainHead
from tests.audit.factory import GUO, act

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def as_superuser() -> Iterator[None]:
    """What somebody with full rights on the database can do: switch the guards off."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER audit_entry_unchanged")


def sealed_log(entries: int = 6) -> list[int]:
    for number in range(entries):
        act("contact.viewed", str(number))
    assert seal() == entries
    return list(AuditEntry.objects.order_by("seq").values_list("id", flat=True))


def test_an_untouched_log_verifies_and_seals_go_on_from_the_head() -> None:
    sealed_log(3)
    act("contact.viewed", "later")
    before = verify()
    assert (before.entries, before.unsealed, before.broken_at) == (3, 1, None)
    assert seal() == 1
    after = verify()
    assert (after.entries, after.unsealed, after.intact) == (4, 0, True)
    assert after.head == chain_head()


@pytest.mark.parametrize(
    "change",
    [
        "SET action = 'contact.erased'",
        "SET at = at + interval '1 microsecond'",
        "SET actor_label = 'somebody else'",
        "SET ip = NULL",
        "SET subject_id = 'x'",
        "SET data = '{\"n\": 2}'",
    ],
)
def test_an_altered_entry_is_found_at_its_place(change: str) -> None:
    ids = sealed_log()
    with as_superuser(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE audit_auditentry {change} WHERE id = %s", [ids[2]])
    broken = verify().broken_at
    assert broken is not None
    assert (broken.seq, broken.entry_id, broken.reason) == (3, ids[2], "altered")


def test_an_entry_altered_together_with_its_hash_is_found_at_the_next() -> None:
    ids = sealed_log()
    with as_superuser():
        entry = AuditEntry.objects.get(pk=ids[2])
        entry.hash = bytes(32)
        entry.save()
    assert verify().broken_at is not None
    from hongyan.audit.chain import entry_hash
    from hongyan.audit.services import _chain

    with as_superuser(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_auditentry SET action = 'contact.erased' WHERE id = %s", [ids[2]])
        row = next(row for row in _chain() if row[0] == ids[2])
        forged = entry_hash(row[:10], seq=3, prev_hash=bytes(row[11]))
        cursor.execute("UPDATE audit_auditentry SET hash = %s WHERE id = %s", [forged, ids[2]])
    broken = verify().broken_at
    assert broken is not None
    assert (broken.seq, broken.entry_id, broken.reason) == (4, ids[3], "unlinked")


def test_a_removed_entry_leaves_a_gap() -> None:
    ids = sealed_log()
    with as_superuser(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditentry WHERE id = %s", [ids[2]])
    broken = verify().broken_at
    assert broken is not None
    assert (broken.seq, broken.reason) == (3, "missing")


def test_a_cut_tail_is_found_with_a_head_kept_elsewhere() -> None:
    ids = sealed_log()
    head = chain_head()
    assert head is not None
    assert verify(kept_head=head).intact
    with as_superuser(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditentry WHERE id IN (%s, %s)", ids[-2:])
    assert verify().intact  # nothing inside the database can tell
    broken = verify(kept_head=head).broken_at
    assert broken is not None
    assert (broken.seq, broken.reason) == (6, "head")
    other = ChainHead(2, "00" * 32, head.at)
    assert verify(kept_head=other).broken_at is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET action = 'a.b'",
        "UPDATE audit_auditentry SET seq = NULL, hash = NULL",
        "UPDATE audit_auditentry SET seq = 9, prev_hash = '', hash = '', action = 'a.b'",
        "DELETE FROM audit_auditentry",
    ],
)
@pytest.mark.parametrize("sealed", [True, False])
def test_the_database_refuses_changes(statement: str, *, sealed: bool) -> None:
    act("contact.viewed", "1")
    if sealed:
        seal()
    with pytest.raises((InternalError, ProgrammingError), match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_database_refuses_truncation() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER audit_entry_not_truncated")
        try:
            with pytest.raises((InternalError, ProgrammingError), match="append-only"):
                cursor.execute("TRUNCATE audit_auditentry")
        finally:
            cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_entry_not_truncated")


def test_an_open_transaction_delays_sealing_but_nobodys_entries() -> None:
    act("import.started", "1")
    opened, may_end = threading.Event(), threading.Event()

    def long_import() -> None:
        with transaction.atomic():
            act("import.finished", "1")
            opened.set()
            may_end.wait(10)
        connection.close()

    thread = threading.Thread(target=long_import)
    thread.start()
    assert opened.wait(10)
    act("contact.viewed", "2")  # not blocked by the import
    assert seal() == 1  # only what is older than the import
    may_end.set()
    thread.join()
    assert seal() == 2
    assert verify().intact
    assert list(AuditEntry.objects.order_by("seq").values_list("action", flat=True)) == [
        "import.started",
        "import.finished",
        "contact.viewed",
    ]


def test_concurrent_writers_and_sealers_make_one_chain() -> None:
    writers, each = 6, 40

    def write(number: int) -> None:
        for turn in range(each):
            with transaction.atomic():
                act("contact.viewed", f"{number}-{turn}")
                if turn % 10 == 9:
                    transaction.set_rollback(True)
            if turn % 7 == 0:
                seal()
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seal()
    result = verify()
    assert (result.entries, result.unsealed, result.broken_at) == (writers * 36, 0, None)


def test_rows_of_a_restored_backup_are_sealed_and_new_ones_after_them() -> None:
    act("contact.viewed", "old")
    with as_superuser(), connection.cursor() as cursor:  # the other cluster had come much further
        cursor.execute("UPDATE audit_auditentry SET xid = '99999999999'::xid8")
    act("contact.viewed", "new")
    assert seal() == 2
    assert verify().intact


def test_data_that_looks_personal_or_is_big_is_refused() -> None:
    for data in ({"email": "li@example.com"}, {"text": "x" * 3000}):
        with pytest.raises(UnfitAuditData):
            record(actor=GUO, action="contact.viewed", subject_kind="contact", subject_id="1", data=data)
    with pytest.raises(UnfitAuditData):
        record(actor=GUO, action="Contact viewed", subject_kind="contact", subject_id="1")


def test_pages_by_key_and_filters() -> None:
    for number in range(5):
        act("contact.viewed", str(number))
    act("contact.exported", "all")
    act("user.invited", "7")
    first = audit_page(filters=AuditFilter(action="contact."), limit=4)
    rest = audit_page(filters=AuditFilter(action="contact."), before_id=first[-1].id, limit=4)
    assert [row.subject_id for row in first + rest] == ["all", "4", "3", "2", "1", "0"]
    assert [row.action for row in audit_of_subject(subject_kind="thing", subject_id="7")] == ["user.invited"]
    assert audit_page(filters=AuditFilter(actor_kind="user", actor_id=GUO.id), limit=1)[0].ip == "203.0.113.7"
    assert audit_actions() == ["contact.exported", "contact.viewed", "user.invited"]

"""Records that could not be taken: kept sealed, retried, mended, given up."""

from datetime import timedelta

import pytest

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.types import Actor, system_actor
from hongyan.audit.models import AuditEntry
from hongyan.core.clock import now
from hongyan.ingest import quarantine
from hongyan.ingest.models import QuarantinedRecord
from hongyan.ingest.quarantine import NewQuarantined, QuarantineFilter, QuarantineItem, Trouble

ADMIN = system_actor("test")
NOBODY = Actor(kind="user", id=1, label="nobody")


@pytest.fixture
def taken() -> list[bytes]:
    """Payloads the retrier took; it refuses those that say bad."""
    found: list[bytes] = []

    def retry(actor: Actor, item: QuarantineItem) -> Trouble | None:
        if b"bad" in item.payload:
            return Trouble("still_bad", "/x")
        found.append(item.payload)
        return None

    quarantine.register_retrier("test", retry)
    return found


def _add(*payloads: bytes) -> list[QuarantinedRecord]:
    items = [NewQuarantined(payload, Trouble("first_reason", "/name")) for payload in payloads]
    assert quarantine.quarantine_add(source="shop", kind="test", items=items) == len(payloads)
    return list(QuarantinedRecord.objects.order_by("id"))


@pytest.mark.django_db
def test_payload_is_sealed_and_opened_only_for_those_who_may(taken: list[bytes]) -> None:
    (row,) = _add(b"secret of Lin")
    assert b"Lin" not in bytes(row.payload)
    assert quarantine.quarantine_open(actor=ADMIN, public_id=row.public_id) == b"secret of Lin"
    with pytest.raises(PermissionRefused):
        quarantine.quarantine_open(actor=NOBODY, public_id=row.public_id)


@pytest.mark.django_db
def test_retry_takes_the_good_and_keeps_the_bad_with_its_new_reason(taken: list[bytes]) -> None:
    good, bad = _add(b"good", b"bad")
    counts = quarantine.quarantine_retry(actor=ADMIN, public_ids=[good.public_id, bad.public_id])
    assert (counts.taken, counts.refused, taken) == (1, 1, [b"good"])
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.state, bytes(good.payload)) == ("taken", b"")
    assert (bad.state, bad.reason, bad.place, bad.attempts) == ("waiting", "still_bad", "/x", 1)
    assert quarantine.quarantine_retry(actor=ADMIN, public_ids=[good.public_id]).taken == 0


@pytest.mark.django_db
def test_mending_a_record_takes_it(taken: list[bytes]) -> None:
    (row,) = _add(b"bad")
    assert quarantine.quarantine_edit(actor=ADMIN, public_id=row.public_id, payload=b"also bad") is not None
    assert quarantine.quarantine_edit(actor=ADMIN, public_id=row.public_id, payload=b"mended") is None
    assert taken == [b"mended"]
    with pytest.raises(quarantine.QuarantineNotFound):
        quarantine.quarantine_open(actor=ADMIN, public_id=row.public_id)


@pytest.mark.django_db
def test_retry_of_everything_that_matches(taken: list[bytes]) -> None:
    _add(b"1", b"bad", b"3")
    counts = quarantine.quarantine_retry_matching(actor=ADMIN, filters=QuarantineFilter(source="shop"))
    assert (counts.taken, counts.refused, taken) == (2, 1, [b"1", b"3"])
    assert quarantine.quarantine_counts(actor=ADMIN) == [("shop", "test", "still_bad", 1)]


@pytest.mark.django_db
def test_a_discarded_record_can_be_put_back_and_age_ends_all(taken: list[bytes]) -> None:
    one, _two = _add(b"1", b"2")
    assert quarantine.quarantine_put_back(actor=ADMIN, public_ids=[one.public_id]) == 0
    assert quarantine.quarantine_discard(actor=ADMIN, public_ids=[one.public_id]) == 1
    assert quarantine.quarantine_retry(actor=ADMIN, public_ids=[one.public_id]) == quarantine.RetryCounts(0, 0)
    with pytest.raises(quarantine.QuarantineNotFound):
        quarantine.quarantine_open(actor=ADMIN, public_id=one.public_id)
    with pytest.raises(PermissionRefused):
        quarantine.quarantine_put_back(actor=NOBODY, public_ids=[one.public_id])
    assert quarantine.quarantine_put_back(actor=ADMIN, public_ids=[one.public_id]) == 1
    assert quarantine.quarantine_open(actor=ADMIN, public_id=one.public_id) == b"1"
    assert AuditEntry.objects.filter(action="quarantine.put_back").count() == 1
    quarantine.quarantine_discard(actor=ADMIN, public_ids=[one.public_id])
    assert quarantine.quarantine_forget(before=now() - timedelta(days=1)) == 0
    assert quarantine.quarantine_forget(before=now() + timedelta(days=1)) == 2
    assert taken == []


@pytest.mark.django_db
def test_pages_show_reasons_newest_first_without_payload() -> None:
    _add(b"1", b"2", b"3")
    rows = quarantine.quarantine_page(actor=ADMIN, filters=QuarantineFilter(), limit=2)
    more = quarantine.quarantine_page(actor=ADMIN, filters=QuarantineFilter(), before_id=rows[-1].id)
    assert [row.id for row in rows] == sorted((row.id for row in rows), reverse=True)
    assert len(more) == 1
    assert not hasattr(rows[0], "payload")
    with pytest.raises(PermissionRefused):
        quarantine.quarantine_page(actor=NOBODY, filters=QuarantineFilter())

"""Records that could not be taken wait here, sealed, each with its reason, until they are mended, retried or discarded;
a month after they came everything of them is deleted.

Whoever puts records in registers a retrier for their kind in ``AppConfig.ready``: it tries one payload again, in the
transaction of the retry, and says None when it was taken or why it still cannot be.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.jobs.handle import JobHandle

KEPT = timedelta(days=30)
_BATCH = 500
State = QuarantinedRecord.State


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a record cannot be taken: a stable code and the place in the record."""

    reason: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class NewQuarantined:
    payload: bytes
    trouble: Trouble
    reference: str = ""


@dataclass(frozen=True, slots=True)
class QuarantineItem:
    """What a retrier gets."""

    id: int
    source: str
    payload: bytes
    reference: str


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """What lists show: no payload."""

    public_id: UUID
    source: str
    kind: str
    reason: str
    place: str
    state: str
    attempts: int
    created_at: datetime
    changed_at: datetime
    reference: str
    id: int


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    source: str = ""
    kind: str = ""
    reason: str = ""
    reference: str = ""
    state: str = State.WAITING


@dataclass(frozen=True, slots=True)
class RetryCounts:
    taken: int = 0
    refused: int = 0


class QuarantineNotFound(IngestRefused):
    """There is no such waiting record (any more)."""

    status = 404

    def __init__(self) -> None:
        super().__init__("quarantine_not_found")


Retrier = Callable[[Actor, QuarantineItem], Trouble | None]
_retriers: dict[str, Retrier] = {}


def register_retrier(kind: str, retry: Retrier) -> None:
    _retriers[kind] = retry


def quarantine_add(*, source: str, kind: str, items: Sequence[NewQuarantined]) -> int:
    """In the caller's transaction, so that a record is either taken or here. For lanes and jobs, not for people."""
    if not items:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('ingest_quarantinedrecord', 'id')) FROM generate_series(1, %s)",
            [len(items)],
        )
        ids = [number for (number,) in cursor.fetchall()]
    blobs = keyring().records.seal_many([(number, item.payload) for number, item in zip(ids, items, strict=True)])
    QuarantinedRecord.objects.bulk_create(
        [
            QuarantinedRecord(
                id=number,
                source=source,
                kind=kind,
                reference=item.reference,
                payload=blob,
                reason=item.trouble.reason[:64],
                place=item.trouble.place[:200],
            )
            for number, blob, item in zip(ids, blobs, items, strict=True)
        ],
        batch_size=_BATCH,
    )
    return len(items)


def quarantine_page(
    *, actor: Actor, filters: QuarantineFilter, before_id: int | None = None, limit: int = 50
) -> list[QuarantineRow]:
    """Newest first; ``before_id`` is the ``id`` of the last row already shown."""
    actor.require(Permission.SOURCE_EDIT)
    rows = _matching(filters)
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return [_row(found) for found in rows.order_by("-id").defer("payload")[:limit]]


def quarantine_row(*, actor: Actor, public_id: UUID) -> QuarantineRow:
    """Raises QuarantineNotFound."""
    actor.require(Permission.SOURCE_EDIT)
    found = QuarantinedRecord.objects.defer("payload").filter(public_id=public_id).first()
    if found is None:
        raise QuarantineNotFound
    return _row(found)


def quarantine_counts(*, actor: Actor, source: str = "", state: str = State.WAITING) -> list[tuple[str, str, str, int]]:
    """(source, kind, reason, records), most first."""
    actor.require(Permission.SOURCE_EDIT)
    rows = QuarantinedRecord.objects.filter(state=state)
    if source:
        rows = rows.filter(source=source)
    counted = rows.values_list("source", "kind", "reason").annotate(number=Count("id")).order_by("-number", "source")
    return [(found_source, kind, reason, number) for found_source, kind, reason, number in counted]


def quarantine_open(*, actor: Actor, public_id: UUID) -> bytes:
    """The record as it came. Only for those who may see identities; the look is on record."""
    actor.require(Permission.SOURCE_EDIT)
    actor.require(Permission.CONTACT_IDENTITY)
    found = QuarantinedRecord.objects.filter(public_id=public_id, state=State.WAITING).first()
    if found is None:
        raise QuarantineNotFound
    _note(actor, "quarantine.viewed", found.source, 1, str(public_id))
    return _open(found)


def quarantine_edit(*, actor: Actor, public_id: UUID, payload: bytes) -> Trouble | None:
    """Replace the record and try it again. None: it was taken. Raises QuarantineNotFound."""
    actor.require(Permission.SOURCE_EDIT)
    actor.require(Permission.CONTACT_IDENTITY)
    with transaction.atomic():
        found = QuarantinedRecord.objects.select_for_update().filter(public_id=public_id, state=State.WAITING).first()
        if found is None:
            raise QuarantineNotFound
        found.payload = keyring().records.seal(payload, owner_id=found.pk)
        found.save(update_fields=["payload"])
        _note(actor, "quarantine.edited", found.source, 1, str(public_id))
        return _try(actor, found)


def quarantine_retry(*, actor: Actor, public_ids: Iterable[UUID]) -> RetryCounts:
    """Try these once more, each in a transaction of its own."""
    actor.require(Permission.SOURCE_EDIT)
    return _retry_each(
        actor, list(QuarantinedRecord.objects.filter(public_id__in=list(public_ids)).values_list("id", flat=True))
    )


def quarantine_retry_matching(
    *, actor: Actor, filters: QuarantineFilter, handle: JobHandle | None = None
) -> RetryCounts:
    """Try all that wait and match, oldest first; those that come in meanwhile are left for the next time."""
    actor.require(Permission.SOURCE_EDIT)
    waiting = _matching(filters).filter(state=State.WAITING)
    total, last = waiting.count(), 0
    newest = waiting.order_by("-id").values_list("id", flat=True).first() or 0
    taken = refused = 0
    while ids := list(waiting.filter(id__gt=last, id__lte=newest).order_by("id").values_list("id", flat=True)[:_BATCH]):
        counts = _retry_each(actor, ids)
        taken, refused, last = taken + counts.taken, refused + counts.refused, ids[-1]
        if handle is not None:
            handle.advance(taken + refused, total)
    return RetryCounts(taken, refused)


def quarantine_discard(*, actor: Actor, public_ids: Iterable[UUID]) -> int:
    """Give them up. They can be put back until they are ``KEPT`` old and everything of them is deleted."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        found = QuarantinedRecord.objects.select_for_update().filter(
            public_id__in=list(public_ids), state=State.WAITING
        )
        sources = list(found.values_list("source", flat=True))
        count = found.update(state=State.DISCARDED, changed_at=now())
        for source in sorted(set(sources)):
            _note(actor, "quarantine.discarded", source, sources.count(source), source)
    return count


def quarantine_put_back(*, actor: Actor, public_ids: Iterable[UUID]) -> int:
    """Given up by mistake: they wait again. Returns how many."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        found = (
            QuarantinedRecord.objects.select_for_update()
            .filter(public_id__in=list(public_ids), state=State.DISCARDED)
            .exclude(payload=b"")
        )
        sources = list(found.values_list("source", flat=True))
        count = found.update(state=State.WAITING, changed_at=now())
        for source in sorted(set(sources)):
            _note(actor, "quarantine.put_back", source, sources.count(source), source)
    return count


def quarantine_forget(*, before: datetime) -> int:
    """Retention: nothing about anybody waits here for longer than ``KEPT``."""
    return QuarantinedRecord.objects.filter(created_at__lt=before).delete()[0]


def _retry_each(actor: Actor, ids: Sequence[int]) -> RetryCounts:
    taken = refused = 0
    for number in ids:
        with transaction.atomic():
            found = (
                QuarantinedRecord.objects.select_for_update(skip_locked=True)
                .filter(id=number, state=State.WAITING)
                .first()
            )
            if found is None:
                continue
            if _try(actor, found) is None:
                taken += 1
            else:
                refused += 1
    return RetryCounts(taken, refused)


def _try(actor: Actor, found: QuarantinedRecord) -> Trouble | None:
    retry = _retriers.get(found.kind)
    item = QuarantineItem(found.pk, found.source, _open(found), found.reference)
    trouble = Trouble("kind_unknown") if retry is None else retry(actor, item)
    found.attempts = F("attempts") + 1
    found.changed_at = now()
    if trouble is None:
        found.state, found.payload = State.TAKEN, b""
    else:
        found.reason, found.place = trouble.reason[:64], trouble.place[:200]
    found.save(update_fields=["attempts", "changed_at", "state", "payload", "reason", "place"])
    return trouble


def _open(found: QuarantinedRecord) -> bytes:
    return keyring().records.open(bytes(found.payload), owner_id=found.pk)


def _matching(filters: QuarantineFilter) -> QuerySet[QuarantinedRecord]:
    wanted = Q()
    for name in ("source", "kind", "reason", "reference", "state"):
        if value := getattr(filters, name):
            wanted &= Q(**{name: value})
    return QuarantinedRecord.objects.filter(wanted)


def _row(found: QuarantinedRecord) -> QuarantineRow:
    return QuarantineRow(
        found.public_id, found.source, found.kind, found.reason, found.place, found.state, found.attempts,
        found.created_at, found.changed_at, found.reference, found.pk,
    )  # fmt: skip


def _note(actor: Actor, action: str, source: str, count: int, subject: str) -> None:
    record(
        actor=actor,
        action=action,
        subject_kind="quarantine",
        subject_id=subject,
        data={"source": source, "records": count},
    )

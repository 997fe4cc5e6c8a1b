"""One run of a source: page after page, each committed together with the cursor behind it."""

import hashlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import orjson
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from hongyan.accounts.types import Actor, system_actor
from hongyan.audit.services import record as audit_record
from hongyan.core.clock import now
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.ingest.models_sources import Source, SourceFile, SourceRun
from hongyan.ingest.quarantine import NewQuarantined, QuarantineItem, Trouble, quarantine_add
from hongyan.ingest.sources import schedule
from hongyan.ingest.sources.delivery.base import Deliverer
from hongyan.ingest.sources.delivery.choose import deliverer_of
from hongyan.ingest.sources.errors import SourceBusy, SourceFailed
from hongyan.ingest.sources.reading.base import FileRead, Known, flat
from hongyan.ingest.sources.reading.choose import reader_of
from hongyan.ingest.sources.sealed import secrets_of
from hongyan.ingest.sources.types import Delivered, Failure, Page, RunState, SourceState

logger = logging.getLogger(__name__)

KIND = "source_record"  # of what waits in the quarantine
_LOCK_CLASS = 7_105_021  # advisory locks (class, source id): one process reads a source
_TRIES = 5
Progress = Callable[[int], None]  # records read; may raise to stop


def source_run(run_id: int, progress: Progress) -> SourceRun:
    """Carry a run to its end. Raises SourceFailed, SourceBusy, and what ``progress`` raises."""
    run = SourceRun.objects.select_related("source").get(pk=run_id)
    if not run.open:
        return run
    with _alone(run.source_id):
        source = run.source
        rest.check_free_space()
        reader = reader_of(source.kind, source.place, secrets_of(source), _patient(progress))
        _begin(run, anew=not reader.resumes)
        deliverer = deliverer_of(source, run.started_at or now())
        for page in reader.pages(_known(source), lambda path, version: _file(source, path, version)):
            _commit(run, page, deliverer)
            _fault_point(run.read)
            progress(run.read)
        return _finish(run)


def _begin(run: SourceRun, *, anew: bool) -> None:
    """anew: nothing says how far an earlier attempt came, so everything is read again; what it created is counted
    once, and comes up as unchanged."""
    with transaction.atomic():
        found = SourceRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        found.state, found.attempt = RunState.RUNNING, found.attempt + 1
        found.started_at = found.started_at or now()
        if anew:
            found.read = 0
        found.save(update_fields=["state", "attempt", "started_at", "read"])
    run.refresh_from_db(fields=["state", "attempt", "started_at", "read", "created", "changed", "quarantined"])


def _known(source: Source) -> Known:
    files = {
        (row.path, row.version): FileRead(row.pk, row.rows, row.finished_at is not None)
        for row in SourceFile.objects.filter(source=source)
    }
    return Known(source.cursor, files)


def _file(source: Source, path: str, version: str) -> int:
    row, _made = SourceFile.objects.get_or_create(source=source, path=path, version=version)
    return row.pk


def _commit(run: SourceRun, page: Page, deliverer: Deliverer) -> None:
    """A page and the cursor behind it, or neither. Tried again when somebody else created one of these people."""
    for attempt in range(1, _TRIES + 1):
        try:
            with transaction.atomic():
                _apply(run, page, deliverer)
        except IntegrityError:
            if attempt == _TRIES:
                raise
            logger.info("source_page_again", extra={"run_id": run.pk, "attempt": attempt})
        else:
            return


def _apply(run: SourceRun, page: Page, deliverer: Deliverer) -> None:
    found = SourceRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    done = deliverer.deliver(page.records) if page.records else Delivered()
    done.failures += page.faults
    done.tally.read += len(page.faults)
    done.tally.quarantined = len(done.failures)
    _quarantine(run.source, done.failures)
    tally = found.tally
    tally.add(done.tally)
    found.read, found.created, found.changed, found.quarantined = (
        tally.read, tally.created, tally.changed, tally.quarantined
    )  # fmt: skip
    found.note = page.note or found.note
    found.save(update_fields=["read", "created", "changed", "quarantined", "note"])
    if page.state is not None:
        Source.objects.filter(pk=run.source_id).update(cursor=page.state)
    if page.file_id is not None:
        ended = now() if page.file_end else None
        SourceFile.objects.filter(pk=page.file_id).update(rows=page.file_rows, finished_at=ended)
    for name in ("read", "created", "changed", "quarantined", "note"):
        setattr(run, name, getattr(found, name))


def _quarantine(source: Source, failures: list[Failure]) -> None:
    """A record that failed before and was not taken or changed since does not wait twice; what somebody gave up stays
    given up."""
    items = {}
    for failure in failures:
        payload = orjson.dumps(failure.record, default=str)
        digest = hashlib.sha256(payload).hexdigest()[:40]
        items[digest] = NewQuarantined(payload, Trouble(failure.code, failure.place), digest)
    if not items:
        return
    states = [QuarantinedRecord.State.WAITING, QuarantinedRecord.State.DISCARDED]
    there = QuarantinedRecord.objects.filter(state__in=states, source=source.sealed_key, reference__in=list(items))
    for digest in there.values_list("reference", flat=True):
        items.pop(digest, None)
    quarantine_add(source=source.sealed_key, kind=KIND, items=list(items.values()))


def retry_record(actor: Actor, item: QuarantineItem) -> Trouble | None:
    """The quarantine's retrier: the record, as it is now, goes the way of its source once more."""
    del actor
    source = Source.objects.filter(public_id=item.source.removeprefix("source:")).first()
    if source is None:
        return Trouble("source_gone")
    try:
        record = orjson.loads(item.payload)
    except ValueError:
        return Trouble("not_json")
    with transaction.atomic():
        done = deliverer_of(source, now()).deliver([flat(record)])
        if done.failures:
            transaction.set_rollback(True)
            return Trouble(done.failures[0].code, done.failures[0].place)
    return None


def trial(source: Source, records: list[dict[str, object]]) -> Delivered:
    """What would become of these records. Nothing stays."""
    with transaction.atomic():
        done = deliverer_of(source, now()).deliver(list(records))
        transaction.set_rollback(True)
    return done


def _finish(run: SourceRun) -> SourceRun:
    with transaction.atomic():
        source = Source.objects.select_for_update().get(pk=run.source_id)
        run.state, run.finished_at = RunState.FINISHED, now()
        run.save(update_fields=["state", "finished_at"])
        if source.late_since is not None or source.failures:
            _note("source.recovered", source, {"failures": source.failures})
        source.last_success_at, source.failures, source.late_since = run.finished_at, 0, None
        source.save(update_fields=["last_success_at", "failures", "late_since"])
    return run


def run_failed(run_id: int, error: SourceFailed) -> None:
    """Keep the reason, tell about it, and try again later and later."""
    with transaction.atomic():
        run = SourceRun.objects.select_for_update(of=("self",)).select_related("source").get(pk=run_id)
        if not run.open:
            return
        source = Source.objects.select_for_update().get(pk=run.source_id)
        run.state, run.finished_at = RunState.FAILED, now()
        run.error_code, run.error_detail = error.code[:64], error.detail
        run.save(update_fields=["state", "finished_at", "error_code", "error_detail"])
        source.failures += 1
        if source.state == SourceState.ACTIVE and source.plan.seconds is not None:
            source.next_run_at = schedule.after_failure(source.failures, now(), permanent=error.permanent)
        source.save(update_fields=["failures", "next_run_at"])
        _note("source.failed", source, {"code": error.code[:64], "failures": source.failures})


def run_cancelled(run_id: int) -> None:
    SourceRun.objects.filter(pk=run_id, state__in=[RunState.QUEUED, RunState.RUNNING]).update(
        state=RunState.CANCELLED, finished_at=now()
    )


def late_check(at: datetime) -> int:
    """Mark sources whose data is older than it should be. Returns how many became late."""
    count = 0
    for source in Source.objects.filter(state=SourceState.ACTIVE, late_since=None, archived_at=None):
        due = schedule.late_at(source.plan, source.last_success_at or source.updated_at)
        if due is not None and due < at:
            with transaction.atomic():
                Source.objects.filter(pk=source.pk).update(late_since=at)
                _note("source.late", source, {})
            count += 1
    return count


def next_planned(source: Source, after: datetime) -> datetime | None:
    return schedule.next_run(source.plan, after, settings.HONGYAN_TIME_ZONE)


def _note(action: str, source: Source, data: dict[str, object]) -> None:
    audit_record(
        actor=system_actor("source"), action=action, subject_kind="source", subject_id=str(source.public_id), data=data
    )


def _patient(progress: Progress) -> Callable[[float], None]:
    """Pauses between tries at the other end, listening meanwhile for somebody who wants to stop."""

    def wait(seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(0.5, left))
            progress(-1)

    return wait


@contextmanager
def _alone(source_id: int) -> Iterator[None]:
    """A session lock: it goes with the process, however that ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, source_id])
        if not cursor.fetchone()[0]:
            raise SourceBusy
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, source_id])


def _fault_point(read: int) -> None:
    """Tests kill the process here: HONGYAN_FAULT_SOURCE_KILL_AT names the number of records after which it dies."""
    place = os.environ.get("HONGYAN_FAULT_SOURCE_KILL_AT")
    if place and read >= int(place):
        os.kill(os.getpid(), signal.SIGKILL)

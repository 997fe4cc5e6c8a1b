"""Driving an import through its file. Every chunk is committed together with the position behind it, so whatever dies,
the next start goes on exactly there; and a chunk is never taken twice."""

import gc
import logging
import os
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, BinaryIO

from django.db import IntegrityError, connection, transaction

from hongyan.contacts import bulk
from hongyan.contacts.bulk_consent import Grant
from hongyan.contacts.bulk_rows import KINDS, Outcome, RowMaker, RowOutcome, UpsertPolicy
from hongyan.contacts.models import FieldDefinition, Topic
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest import memberships, origins, pool
from hongyan.ingest.errors import FileRefused, ImportBusy
from hongyan.ingest.files.delimited import DelimitedReader
from hongyan.ingest.files.types import MAX_ROWS, Dialect, Position
from hongyan.ingest.files.workbook import copy_sheet
from hongyan.ingest.migrating.apply import Migration
from hongyan.ingest.migrating.recognise import Recipe
from hongyan.ingest.models import Import
from hongyan.ingest.prepare import CustomField, Plan, PreparedChunk
from hongyan.ingest.records import add_creations, add_rejections, created_before
from hongyan.ingest.storage import SealedReader, SealedWriter
from hongyan.ingest.types import ConsentChoice, Counts, ImportState, Reject

logger = logging.getLogger(__name__)

CHUNK = 5_000  # rows a transaction: long enough for sets, short enough for a bar that moves and a quick pause
_LOCK_CLASS = 7_105_020  # advisory locks (class, import id): one process works on an import
_TRIES = 5
Progress = Callable[[int, int | None], None]  # rows done, rows expected; may raise to stop


def import_run(import_id: int, progress: Progress, *, workers: int | None = None) -> Counts:
    """Run or go on with a started import to its end. Raises FileRefused, ImportBusy, and what ``progress`` raises."""
    with _alone(import_id):
        row = Import.objects.get(pk=import_id)
        if row.state != ImportState.STARTED:
            return row.tally
        copy_workbook(row, progress)
        position = Position(**row.position) if row.position else None
        context = _Context(row)
        with rest.open_stored(row, row.copied_name) as stored:
            reader = _reader(row, stored, position)
            expected = _Expectation(stored.size)
            with _rare_collections():
                for prepared in _prepared(reader, context.plan, row, workers):
                    _commit(context, prepared)
                    _fault_point(prepared)
                    progress(context.counts.rows, expected.total(prepared.chunk.end))
        return _finish(row.pk)


def import_dry(import_id: int, progress: Progress, *, workers: int | None = None) -> Counts:
    """What the import would do, worked out over the whole file without writing anything but the answer."""
    row = Import.objects.get(pk=import_id)
    copy_workbook(row, progress)
    context = _Context(row)
    seen: set[bytes] = set()
    samples: list[dict[str, Any]] = []
    with rest.open_stored(row, row.copied_name) as stored:
        reader = _reader(row, stored, None)
        expected = _Expectation(stored.size)
        for prepared in _prepared(reader, context.plan, row, workers):
            with transaction.atomic():
                outcomes = context.upsert(prepared, write=False, seen=seen)
            _count(context.counts, prepared, outcomes)
            if context.migration is not None:
                context.counts.add(Counts(standings=context.migration.count(outcomes, prepared.kept)))
            _sample(samples, outcomes)
            progress(context.counts.rows, expected.total(prepared.chunk.end))
    Import.objects.filter(pk=import_id, state=ImportState.DRAFT).update(
        dry_counts=context.counts.dump(), dry_samples=samples
    )
    return context.counts


class _Context:
    """What all chunks of one run share."""

    def __init__(self, row: Import) -> None:
        self.row, self.options = row, row.choices
        self.counts = row.tally if row.state == ImportState.STARTED else Counts()
        at = row.started_at or now()
        self.migration = migration_of(row, at)
        self.plan = replace(plan_of(row, at), kept=self.migration.columns if self.migration is not None else ())
        self.maker = RowMaker(self.plan.blind, self.plan.source, at)
        self.grant = _grant(row)
        self.memberships = memberships.Memberships(self.options.tags, self.options.lists, self.plan.source)

    def upsert(self, prepared: PreparedChunk, *, write: bool, seen: set[bytes] | None = None) -> list[RowOutcome]:
        every_row = self.plan.every_row
        return bulk.upsert(
            prepared.people,
            policy=UpsertPolicy(self.options.policy),
            match_on=KINDS[0] if every_row else self.options.match_on,
            keyless=origins.keyless(prepared.origins) if every_row else None,
            maker=self.maker,
            connection=connection,
            consent=self.grant,
            write=write,
            seen=seen,
        )


def plan_of(row: Import, at: datetime) -> Plan:
    options = row.choices
    return Plan(
        targets=tuple(row.mapping),
        match_on=options.match_on,
        default_region=options.default_region,
        date_order=options.date_order,
        custom=custom_fields(),
        blind=keyring().blind,
        source=f"import:{row.public_id}",
        at=at,
    )


def custom_fields() -> tuple[CustomField, ...]:
    definitions = FieldDefinition.objects.filter(archived_at=None).order_by("position", "id")
    return tuple(CustomField(item.key, item.type, item.sensitive, _choices(item.options)) for item in definitions)


def _choices(options: list[dict[str, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((option["value"], (option.get("label_zh", ""), option.get("label_en", ""))) for option in options)


def migration_of(row: Import, at: datetime) -> Migration | None:
    """Where the people's standing in another system is kept: it writes every consent, and the grant none."""
    recipe = Recipe.load(row.recipe)
    if recipe is None or row.choices.consent.choice is not ConsentChoice.KEPT:
        return None
    return Migration(recipe, row.choices.consent, f"import:{row.public_id}", at)


def _grant(row: Import) -> Grant | None:
    terms = row.choices.consent
    if terms.choice is ConsentChoice.KEPT:
        return None
    if terms.choice is not ConsentChoice.ATTESTED:
        return Grant((), "", f"import:{row.public_id}", "import")
    topics = tuple(Topic.objects.filter(key__in=terms.topics).order_by("id").values_list("id", flat=True))
    wording = f"{terms.statement} [{terms.source}]"
    return Grant(topics, wording, f"import:{row.public_id}", terms.attested_by)


def _reader(row: Import, stored: SealedReader, position: Position | None) -> DelimitedReader:
    return DelimitedReader(stored, Dialect(**row.dialect), start=position)  # type: ignore[arg-type]


def _prepared(reader: DelimitedReader, plan: Plan, row: Import, workers: int | None) -> Iterator[PreparedChunk]:
    chunks = reader.chunks(CHUNK)
    if workers == 0 or (workers is None and row.size < pool.SMALL_BYTES):
        return pool.prepare_here(chunks, plan)
    return pool.prepare_apart(chunks, plan, workers=workers or pool.default_workers())


def _commit(context: _Context, prepared: PreparedChunk) -> None:
    """One chunk and the position behind it, or neither. Tried again when somebody else created one of these people."""
    for attempt in range(1, _TRIES + 1):
        try:
            with transaction.atomic():
                counts = _apply(context, prepared)
        except IntegrityError:
            if attempt == _TRIES:
                raise
            logger.info("import_chunk_again", extra={"import_id": context.row.pk, "attempt": attempt})
        else:
            context.counts = counts
            return


def _apply(context: _Context, prepared: PreparedChunk) -> Counts:
    row = (
        Import.objects.select_for_update(of=("self",))
        .only("chunk", "position", "counts", "state")
        .get(pk=context.row.pk)
    )
    start = Position(**row.position) if row.position else None
    if start is not None and start != prepared.chunk.start:
        raise ImportBusy("import_busy")
    outcomes = context.upsert(prepared, write=True)
    counts = row.tally
    ours = created_before(row.pk, [item.contact_id for item in outcomes if item.outcome is not Outcome.CREATED])
    _count(counts, prepared, [_merged(item, ours) for item in outcomes])
    if counts.rows > MAX_ROWS:
        raise FileRefused("too_many_rows", limit=f"{MAX_ROWS:,}")
    refused = [Reject(item.ref, None, item.code, "") for item in outcomes if item.outcome is Outcome.REJECTED]
    add_rejections(row.pk, sorted([*prepared.rejects, *refused], key=lambda item: item.line))
    add_creations(row.pk, [item.contact_id for item in outcomes if item.outcome is Outcome.CREATED])
    origins.keep(context.row.pk, prepared.origins, outcomes)
    counts.tagged += context.memberships.apply(outcomes, prepared.tags)
    if context.migration is not None:
        counts.add(Counts(standings=context.migration.apply(outcomes, prepared.kept)))
    row.chunk, row.position, row.counts = row.chunk + 1, asdict(prepared.chunk.end), counts.dump()
    row.save(update_fields=["chunk", "position", "counts"])
    return counts


def _merged(item: RowOutcome, ours: set[int]) -> RowOutcome:
    """A row of a person whom an earlier chunk of the same file created is a further row, not a customer we knew."""
    if item.contact_id in ours and item.outcome in {Outcome.UPDATED, Outcome.UNCHANGED, Outcome.SKIPPED}:
        return item._replace(outcome=Outcome.MERGED)
    return item


def _count(counts: Counts, prepared: PreparedChunk, outcomes: list[RowOutcome]) -> None:
    counts.rows += len(outcomes) + len(prepared.rejects)
    counts.blank += prepared.chunk.blank
    counts.left_out += prepared.left_out
    counts.rejected += len(prepared.rejects)
    for reject in prepared.rejects:
        counts.reasons[reject.code] = counts.reasons.get(reject.code, 0) + 1
    for outcome, many in Counter([item.outcome for item in outcomes]).items():
        setattr(counts, outcome.value, getattr(counts, outcome.value) + many)
    counts.suppressed += sum([item.suppressed for item in outcomes])
    for code, many in Counter([item.code for item in outcomes if item.outcome is Outcome.REJECTED]).items():
        counts.reasons[code] = counts.reasons.get(code, 0) + many


def _sample(samples: list[dict[str, Any]], outcomes: list[RowOutcome]) -> None:
    """A few of each kind that changes something: lines and names of fields, never values."""
    for item in outcomes:
        if len(samples) >= 24:
            return
        kind = item.outcome.value
        shown = sum(sample["outcome"] == kind for sample in samples)
        if item.outcome in {Outcome.CREATED, Outcome.UPDATED, Outcome.MERGED} and shown < 8:
            samples.append({"line": item.ref, "outcome": kind, "fields": list(item.fields)[:12]})


def _finish(import_id: int) -> Counts:
    with transaction.atomic():
        row = Import.objects.select_for_update(of=("self",)).get(pk=import_id)
        row.state, row.finished_at = ImportState.FINISHED, now()
        row.save(update_fields=["state", "finished_at"])
    return row.tally


def copy_workbook(row: Import, progress: Progress) -> None:
    """The chosen sheet as delimited text, once; a copy that broke off leaves nothing and is made again."""
    if not Dialect(**row.dialect).from_workbook or row.copied_name is not None:
        return
    name = uuid.uuid4()
    with rest.open_stored(row) as stored, SealedWriter(rest.path_of(name), rest.key_of(row)) as copy:
        source: BinaryIO = stored  # type: ignore[assignment]
        copy_sheet(source, row.sheet, copy.write, lambda _: progress(0, None))
        copy.commit()
    Import.objects.filter(pk=row.pk).update(copied_name=name)
    row.copied_name = name


class _Expectation:
    """How many rows the file will have, by the share of its bytes that has been read."""

    def __init__(self, size: int) -> None:
        self._size = size

    def total(self, end: Position) -> int | None:
        if not end.offset:
            return None
        return max(end.record, round(end.record * self._size / end.offset))


@contextmanager
def _alone(import_id: int) -> Iterator[None]:
    """A session lock: it goes with the process, however that ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, import_id])
        if not cursor.fetchone()[0]:
            raise ImportBusy("import_busy")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, import_id])


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Chunks are very many small objects without cycles: looking for cycles among them was a sixth of the writer."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _fault_point(prepared: PreparedChunk) -> None:
    """Tests kill the process here: HONGYAN_FAULT_IMPORT_KILL_AT names the record after which it dies."""
    place = os.environ.get("HONGYAN_FAULT_IMPORT_KILL_AT")
    if place and prepared.chunk.start.record < int(place) <= prepared.chunk.end.record:
        os.kill(os.getpid(), signal.SIGKILL)

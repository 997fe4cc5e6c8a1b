"""Driving a file of orders or products to its end. Every batch is committed together with its number, so whatever dies,
the next start goes on there; a batch taken twice would change nothing either."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from django.db import connection, transaction

from hongyan.accounts.types import Actor, system_actor
from hongyan.commerce import orders, products
from hongyan.commerce.types import OrderIn, OrderKind, OrderOutcome, Outcome, Person, ProductIn, ProductOutcome
from hongyan.core.batching import batched
from hongyan.core.clock import now
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest.commerce.assemble import Batch, batches, survey
from hongyan.ingest.commerce.figures import kept_figures
from hongyan.ingest.commerce.product_rows import ProductReader
from hongyan.ingest.commerce.rows import RowReader, fault_of
from hongyan.ingest.commerce.types import FileOf, OrderCounts, OrderOptions
from hongyan.ingest.errors import FileRefused, ImportBusy
from hongyan.ingest.files.delimited import DelimitedReader
from hongyan.ingest.files.types import MAX_ROWS, Dialect, Row, RowFault
from hongyan.ingest.models import Import
from hongyan.ingest.records import add_rejections
from hongyan.ingest.runner import copy_workbook
from hongyan.ingest.types import ImportState, Reject

_LOCK_CLASS = 7_105_021  # advisory locks (class, import id): one process works on an import
_PRODUCTS = 2_000
Progress = Callable[[int, int | None], None]  # rows done, rows expected; may raise to stop


def order_import_run(import_id: int, progress: Progress) -> OrderCounts:
    """Run or go on with a started import. Raises FileRefused, ImportBusy, and what ``progress`` raises."""
    with _alone(import_id):
        row = Import.objects.get(pk=import_id)
        if row.state != ImportState.STARTED:
            return OrderCounts.load(row.counts)
        counts, names, options = _go(row, progress, write=True)
        if options.kind == FileOf.ORDERS:
            counts.kept = kept_figures(options.source, names)
        with transaction.atomic():
            Import.objects.filter(pk=import_id).update(
                state=ImportState.FINISHED, finished_at=now(), counts=counts.dump()
            )
    return counts


def order_import_dry(import_id: int, progress: Progress) -> OrderCounts:
    """What the import would do, over the whole file, writing nothing but the answer."""
    row = Import.objects.get(pk=import_id)
    counts, _, _ = _go(row, progress, write=False)
    Import.objects.filter(pk=import_id, state=ImportState.DRAFT).update(dry_counts=counts.dump())
    return counts


def _go(row: Import, progress: Progress, *, write: bool) -> tuple[OrderCounts, list[str], OrderOptions]:
    copy_workbook(row, progress)
    options = OrderOptions.load(row.options)
    counts = OrderCounts.load(row.counts) if write else OrderCounts()
    with rest.open_stored(row, row.copied_name) as stored:
        source: BinaryIO = stored  # type: ignore[assignment]
        if options.kind == FileOf.PRODUCTS:
            _products(row, source, options, counts, progress, write=write)
            return counts, [], options
        names = _orders(row, source, options, counts, progress, write=write)
    return counts, names, options


def _orders(
    row: Import, source: BinaryIO, options: OrderOptions, counts: OrderCounts, progress: Progress, *, write: bool
) -> list[str]:
    reader = RowReader(row.mapping, options)
    first = DelimitedReader(source, Dialect(**row.dialect))
    found = survey(_capped(first.rows()), reader, lambda _done: progress(0, None))
    counts.file, counts.blank = found.figures.dump(), first.blank
    second = DelimitedReader(source, Dialect(**row.dialect))
    actor, skip, names, done = system_actor("import"), row.chunk if write else 0, list[str](), 0
    met: set[Person] = set()
    for number, batch in enumerate(batches(second.rows(), reader, found.expected, options), start=1):
        names += [order.external_id for order in batch.orders]
        done += batch.rows
        if number > skip:
            _take(row, batch, options, counts, actor, number, met, write=write)
            _fault_point(number)
        progress(done, found.rows)
    return names


def _take(  # noqa: PLR0917 - one step of _orders
    row: Import,
    batch: Batch,
    options: OrderOptions,
    counts: OrderCounts,
    actor: Actor,
    number: int,
    met: set[Person],
    *,
    write: bool,
) -> None:
    with transaction.atomic():
        outcomes = orders.upsert(
            actor=actor, source=options.source, orders=batch.orders, by=f"import:{row.public_id}", write=write
        )
        _count(counts, batch, outcomes, met)
        if write:
            _move(row, counts, batch.rejects, number)


def _move(row: Import, counts: OrderCounts, rejects: list[Reject], number: int) -> None:
    """The cursor, in the same transaction as what it has passed."""
    locked = Import.objects.select_for_update(of=("self",)).only("chunk", "state").get(pk=row.pk)
    if locked.chunk != number - 1:
        raise ImportBusy("import_busy")
    add_rejections(row.pk, rejects)
    Import.objects.filter(pk=row.pk).update(chunk=number, counts=counts.dump())


def _count(counts: OrderCounts, batch: Batch, outcomes: list[OrderOutcome], met: set[Person]) -> None:
    """met: people made so far; a trial run, which makes nobody, would count them once a batch."""
    by_name: dict[str, OrderIn] = {order.external_id: order for order in batch.orders}
    _count_rows(counts, batch.rows, batch.rejects)
    for outcome in outcomes:
        if outcome.outcome is Outcome.REJECTED:
            rows = max(1, len(by_name[outcome.external_id].lines))
            counts.rejected += rows
            counts.reasons[outcome.code] = counts.reasons.get(outcome.code, 0) + rows
            continue
        setattr(counts, outcome.outcome.value, getattr(counts, outcome.outcome.value) + 1)
        order = by_name[outcome.external_id]
        key = replace(order.person, country="", city="")
        counts.contacts += outcome.new_contact and key not in met
        if outcome.new_contact:
            met.add(key)
        counts.lines += len(order.lines)
        counts.orders += order.kind is OrderKind.ORDER
        counts.credits += order.kind is OrderKind.CREDIT
        counts.adjustments += order.kind is OrderKind.ADJUSTMENT
        if outcome.missing:
            counts.missing[outcome.missing.value] = counts.missing.get(outcome.missing.value, 0) + 1


def _count_rows(counts: OrderCounts, rows: int, rejects: list[Reject]) -> None:
    counts.rows += rows
    counts.rejected += len(rejects)
    for reject in rejects:
        counts.reasons[reject.code] = counts.reasons.get(reject.code, 0) + 1


def _products(
    row: Import, source: BinaryIO, options: OrderOptions, counts: OrderCounts, progress: Progress, *, write: bool
) -> None:
    reader = ProductReader(row.mapping, options)
    file = DelimitedReader(source, Dialect(**row.dialect))
    actor, skip, done = system_actor("import"), row.chunk if write else 0, 0
    for number, block in enumerate(batched(_capped(file.rows()), _PRODUCTS), start=1):
        done += len(block)
        if number <= skip:
            continue
        good: list[ProductIn] = []
        bad: list[Reject] = []
        for line, cells in block:
            read = fault_of(line, cells) if isinstance(cells, RowFault) else reader.read(line, cells)
            (bad if isinstance(read, Reject) else good).append(read)  # type: ignore[arg-type]
        with transaction.atomic():
            outcomes = products.upsert(actor=actor, source=options.source, products=good)
            _count_rows(counts, len(block), bad)
            for outcome in {item.external_id: item for item in outcomes}.values():
                _count_product(counts, outcome)
            if write:
                _move(row, counts, bad, number)
            else:
                transaction.set_rollback(True)
        progress(done, None)
    counts.blank = file.blank


def _count_product(counts: OrderCounts, outcome: ProductOutcome) -> None:
    setattr(counts, outcome.outcome.value, getattr(counts, outcome.outcome.value) + 1)


def _capped(rows: Iterator[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows):
        if count >= MAX_ROWS:
            raise FileRefused("too_many_rows", limit=f"{MAX_ROWS:,}")
        yield row


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


def _fault_point(number: int) -> None:
    """Tests kill the process here: HONGYAN_FAULT_ORDERS_KILL_AT names the batch after which it dies."""
    if os.environ.get("HONGYAN_FAULT_ORDERS_KILL_AT") == str(number):
        os.kill(os.getpid(), signal.SIGKILL)

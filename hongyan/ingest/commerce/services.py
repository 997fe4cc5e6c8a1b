"""Acts on files of orders and products: upload, configure, try out, start. Pausing, going on, cancelling and reading
again are those of every import."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.commerce.errors import MoneyRefused
from hongyan.commerce.money import checked_currency
from hongyan.commerce.settings import commerce_settings
from hongyan.core.clock import now
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest import services as imports
from hongyan.ingest.commerce import columns
from hongyan.ingest.commerce.parquet import MAGIC, as_delimited
from hongyan.ingest.commerce.types import FileOf, Layout, OrderOptions
from hongyan.ingest.errors import ImportNotReady, MappingRefused
from hongyan.ingest.models import ColumnMemory, Import
from hongyan.ingest.storage import SealedReader, SealedWriter, new_key
from hongyan.ingest.types import DateOrder, ImportState
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_start
from hongyan.jobs.states import JobState

KINDS = tuple(kind.value for kind in FileOf)


def order_import_create(
    *, actor: Actor, file: BinaryIO | Iterable[bytes], filename: str, kind: str = FileOf.ORDERS
) -> Import:
    """Store the file, find out how it is written, suggest which column is what. Parquet, CSV and XLSX. Raises
    FileRefused."""
    actor.require(Permission.IMPORT_RUN)
    if kind not in KINDS:
        raise MappingRefused("option_unknown", option="kind", value=str(kind)[:40])
    row = imports.import_create(actor=actor, file=_readable(file), filename=filename)
    return _suggested(row, kind)


def order_import_reread(*, actor: Actor, public_id: uuid.UUID, **choices: Any) -> Import:
    """As ``import_reread``; columns are suggested anew."""
    kind = OrderOptions.load(_draft_of(public_id).options).kind
    return _suggested(imports.import_reread(actor=actor, public_id=public_id, **choices), kind)


def order_import_configure(
    *,
    actor: Actor,
    public_id: uuid.UUID,
    mapping: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Import:
    """Target of each column ("" leaves it out) and how values are read. Raises MappingRefused."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = _draft_of(public_id, lock=True)
        chosen = _options(OrderOptions.load(row.options), options or {})
        targets = list(row.mapping if mapping is None else mapping)
        columns.check(chosen.kind, targets, width=len(row.header))
        row.mapping, row.options = targets, chosen.dump()
        row.dry_counts, row.dry_job = None, None
        row.save(update_fields=["mapping", "options", "dry_counts", "dry_job"])
    return row


def order_import_dry_run(*, actor: Actor, public_id: uuid.UUID) -> Job:
    """Asked for twice while one is under way (a second click), it is that one."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = _ready(public_id)
        if row.dry_job is not None and row.dry_job.state in {JobState.QUEUED, JobState.RUNNING}:
            return row.dry_job
        job = job_start(
            actor=actor,
            kind="order_import_dry_run",
            params={"import_id": row.pk},
            title=gettext_noop("Trial run of “%(file)s”"),
            title_params={"file": row.file_name[:80]},
        )
        row.dry_job, row.dry_counts = job, None
        row.save(update_fields=["dry_job", "dry_counts"])
    return job


def order_import_start(*, actor: Actor, public_id: uuid.UUID) -> Job:
    with transaction.atomic():
        row = order_import_begin(actor=actor, public_id=public_id)
        row.job = job_start(
            actor=actor,
            kind="order_import",
            params={"import_id": row.pk},
            title=gettext_noop("Import of “%(file)s”"),
            title_params={"file": row.file_name[:80]},
        )
        row.save(update_fields=["job"])
    return row.job


def order_import_begin(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """From draft to started, without a job: for callers that run it themselves."""
    actor.require(Permission.IMPORT_RUN)
    rest.check_free_space()
    with transaction.atomic():
        row = _ready(public_id)
        same = Import.objects.filter(sha256=row.sha256, state=ImportState.STARTED).exclude(pk=row.pk)
        if same.exists():
            raise ImportNotReady("same_file_running")
        row.state, row.started_at, row.counts = ImportState.STARTED, now(), {}
        row.save(update_fields=["state", "started_at", "counts"])
        options = OrderOptions.load(row.options)
        key = columns.signature(options.kind, row.header)
        if key is not None:
            kept = {name: value for name, value in options.dump().items() if name not in {"kind", "layout"}}
            ColumnMemory.objects.update_or_create(signature=key, defaults={"mapping": row.mapping, "options": kept})
        record(
            actor=actor,
            action="import.started",
            subject_kind="import",
            subject_id=str(row.public_id),
            data={"kind": options.kind, "source": options.source, "size": row.size},
        )
    return row


def is_commerce(row: Import) -> bool:
    """Whether the file holds orders or products rather than contacts."""
    return row.options.get("kind") in KINDS


def _suggested(row: Import, kind: str) -> Import:
    key = columns.signature(kind, row.header)
    memory = ColumnMemory.objects.filter(signature=key).first() if key else None
    suggestions = columns.suggest(kind, row.header, (), memory.mapping if memory else None)
    layout = columns.layout_of(row.header) if kind == FileOf.ORDERS else Layout.PLAIN
    options = OrderOptions(
        kind=kind, currency=commerce_settings().currency, zone=settings.HONGYAN_TIME_ZONE, layout=layout
    )
    if layout is Layout.ONLINE_RETAIL:  # a shop in the United Kingdom; its file says neither
        options = replace(options, currency="GBP", zone="Europe/London")
    if memory is not None:
        options = OrderOptions.load({**options.dump(), **memory.options})
    row.mapping = [suggestion.target for suggestion in suggestions]
    row.options = options.dump()
    row.save(update_fields=["mapping", "options"])
    return row


def _options(present: OrderOptions, given: Mapping[str, Any]) -> OrderOptions:
    unknown = sorted(set(given) - {"source", "currency", "zone", "date_order"})
    if unknown:
        raise MappingRefused("mapping_protected", target=unknown[0][:64])
    chosen = replace(present, **{name: str(value).strip() for name, value in given.items()})
    if not 1 <= len(chosen.source) <= 64:
        raise MappingRefused("source_unknown")
    try:
        chosen = replace(chosen, currency=checked_currency(chosen.currency))
        ZoneInfo(chosen.zone)
    except MoneyRefused as refused:
        raise MappingRefused("option_unknown", option="currency", value=chosen.currency[:40]) from refused
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MappingRefused("option_unknown", option="zone", value=chosen.zone[:40]) from error
    if chosen.date_order not in {order.value for order in DateOrder}:
        raise MappingRefused("option_unknown", option="date_order", value=chosen.date_order[:40])
    return chosen


def _ready(public_id: uuid.UUID) -> Import:
    row = _draft_of(public_id, lock=True)
    columns.check(OrderOptions.load(row.options).kind, row.mapping, width=len(row.header))
    if row.stored_name is None:
        raise ImportNotReady("file_gone")
    return row


def _draft_of(public_id: uuid.UUID, *, lock: bool = False) -> Import:
    found = Import.objects.select_for_update(of=("self",)) if lock else Import.objects
    row = found.get(public_id=public_id)
    if not is_commerce(row):
        raise Import.DoesNotExist
    if row.state != ImportState.DRAFT:
        raise ImportNotReady("already_started")
    return row


def _readable(file: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """Blocks of a file as it is, or of the text of a Parquet file."""
    blocks = _blocks(file)
    first = next(blocks, b"")
    whole = chain([first], blocks)
    if first[:4] != MAGIC:
        yield from whole
        return
    # Its table of contents stands at the end, so it is put aside first, encrypted like every upload.
    name, key = uuid.uuid4(), new_key()
    rest.check_free_space()
    try:
        with SealedWriter(rest.path_of(name), key) as writer:
            for block in whole:
                writer.write(block)
                imports.check_size(writer.size)
            writer.commit()
        with SealedReader(rest.path_of(name), key) as stored:
            source: BinaryIO = stored  # type: ignore[assignment]
            yield from as_delimited(source)
    finally:
        rest.remove(name)


def _blocks(file: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    read = getattr(file, "read", None)
    if read is None:
        yield from file
        return
    while block := read(1 << 20):
        yield block

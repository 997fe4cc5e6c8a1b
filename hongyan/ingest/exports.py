"""Contacts out: CSV or XLSX, formula cells neutralised, and readable by the import again."""

import csv
import io
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

from django.db import connection, transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.segments import compile_members
from hongyan.audit.services import record
from hongyan.contacts.selectors import identities
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest.errors import ImportNotReady, MappingRefused
from hongyan.ingest.mapping import CUSTOM, STANDARD
from hongyan.ingest.models import Export
from hongyan.ingest.neutral import neutralise
from hongyan.ingest.storage import SealedWriter, new_key
from hongyan.jobs.services import job_start

FORMATS = ("csv", "xlsx")
EXTRA = ("public_id", "created_at", "source")
_BATCH = 2_000
_CHOSEN = "contact_ids"  # in place of a condition: these people, as they were chosen
_PLAIN = ("sex", "language", "country", "region", "city", "time_zone")
_MOST_ROWS_OF_A_SHEET = 1_048_575


def export_columns() -> tuple[str, ...]:
    """What may be chosen; names are the import's own targets, so that an export can be imported again."""
    from hongyan.ingest.runner import custom_fields

    return (*STANDARD, *(CUSTOM + item.key for item in custom_fields()), *EXTRA)


def export_create(
    *,
    actor: Actor,
    columns: Sequence[str],
    reason: str,
    format: str = "csv",  # noqa: A002 - the word users know
    tree: Any = None,
    contact_ids: Sequence[int] | None = None,
    language: str = "en",
    queue: bool = True,
) -> Export:
    """Start writing contacts to a file, as a job; with queue False the caller runs ``export_run`` itself.

    tree: a condition as saved audiences have; None is everybody. contact_ids: exactly these people, instead of a tree.
    The reason goes into the audit log.
    Raises MappingRefused, ImportNotReady, audience.errors.BadTree.
    """
    actor.require(Permission.CONTACT_EXPORT)
    actor.require(Permission.CONTACT_IDENTITY)
    rest.check_free_space()
    known = set(export_columns())
    if not columns:
        raise ImportNotReady("export_no_columns")
    if not reason.strip():
        raise ImportNotReady("export_no_reason")
    if format not in FORMATS:
        raise ImportNotReady("format_unknown")
    for name in columns:
        if name not in known:
            raise MappingRefused("mapping_unknown", target=name[:64])
    condition = {"everyone": True} if tree is None else tree
    if contact_ids is not None:
        condition = {_CHOSEN: sorted(set(contact_ids))}
    else:
        compile_members(condition)
    with transaction.atomic():
        export = Export.objects.create(
            format=format,
            columns=list(dict.fromkeys(columns)),
            filters=condition,
            reason=reason.strip()[:500],
            language=language,
            owner_id=actor.id if actor.kind == "user" else None,
        )
        export.stored_key = keyring().records.seal(new_key(), owner_id=export.pk)
        if queue:
            title = gettext_noop("Export of contacts")
            export.job = job_start(actor=actor, kind="export", params={"export_id": export.pk}, title=title)
        export.save()
        record(
            actor=actor,
            action="contacts.exported",
            subject_kind="export",
            subject_id=str(export.public_id),
            data={"columns": export.columns[:40], "format": format, "reason": _no_address(export.reason)},
        )
    return export


def _no_address(reason: str) -> str:
    """The audit log refuses anything that looks like an address."""
    return reason.replace("@", "＠")[:300]


def export_run(export_id: int, progress: Callable[[int, int | None], None]) -> int:
    """Write the file from the beginning; a run that broke off has left nothing."""
    export = Export.objects.get(pk=export_id)
    ids = _member_ids(export.filters)
    name = uuid.uuid4()
    with SealedWriter(rest.path_of(name), rest.key_of(export)) as target:
        if export.format == "xlsx":
            _write_xlsx(export, ids, target, progress)
        else:
            _write_csv(export, ids, target, progress)
        size = target.commit()
    Export.objects.filter(pk=export.pk).update(stored_name=name, size=size, rows=len(ids), finished_at=now())
    return len(ids)


def _member_ids(tree: Any) -> list[int]:
    if isinstance(tree, dict) and _CHOSEN in tree:
        return list(tree[_CHOSEN])
    members = compile_members(tree)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM ({members.text}) m ORDER BY id", members.params)
        return [number for (number,) in cursor.fetchall()]


def _write_csv(
    export: Export, ids: list[int], target: SealedWriter, progress: Callable[[int, int | None], None]
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    target.write(b"\xef\xbb\xbf")
    writer.writerow(export.columns)
    for done, rows in _blocks(export, ids):
        writer.writerows([[neutralise(cell) for cell in row] for row in rows])
        target.write(buffer.getvalue().encode())
        buffer.seek(0)
        buffer.truncate()
        progress(done, len(ids))
    target.write(buffer.getvalue().encode())


def _write_xlsx(
    export: Export, ids: list[int], target: SealedWriter, progress: Callable[[int, int | None], None]
) -> None:
    """Cells are written as text, which no spreadsheet runs; the mark is kept for the day they become CSV."""
    if len(ids) > _MOST_ROWS_OF_A_SHEET:
        raise ImportNotReady("too_many_rows", limit=f"{_MOST_ROWS_OF_A_SHEET:,}")
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("contacts")
    sheet.append(list(export.columns))
    for done, rows in _blocks(export, ids):
        for row in rows:
            sheet.append([neutralise(cell)[:32_767] for cell in row])
        progress(done, len(ids))
    with SpooledTemporaryFile(max_size=64 << 20, dir=str(rest.folder())) as whole:
        book.save(whole)
        whole.seek(0)
        while block := whole.read(1 << 20):
            target.write(block)


def _blocks(export: Export, ids: list[int]) -> Iterator[tuple[int, list[list[str]]]]:
    from hongyan.audience.models import ContactTag
    from hongyan.contacts.models import Contact

    for start in range(0, len(ids), _BATCH):
        block = ids[start : start + _BATCH]
        people = identities(block)
        tags: dict[int, list[str]] = {}
        if "tags" in export.columns:
            for contact_id, key in ContactTag.objects.filter(contact_id__in=block).values_list(
                "contact_id", "tag__key"
            ):
                tags.setdefault(contact_id, []).append(key)
        contacts = Contact.objects.filter(pk__in=block).order_by("pk")
        rows = [
            [_cell(column, contact, people.get(contact.pk), tags.get(contact.pk, [])) for column in export.columns]
            for contact in contacts
        ]
        yield start + len(block), rows


def _cell(column: str, contact: Any, person: Any, tags: list[str]) -> str:
    if column == "tags":
        return ", ".join(sorted(tags))
    if column == "created_at":
        return contact.created_at.astimezone(UTC).isoformat(timespec="seconds")  # type: ignore[no-any-return]
    if column in _PLAIN or column in EXTRA:
        value = getattr(contact, column)
        return "" if value in (None, "") else str(value)
    if column.startswith(CUSTOM):
        key = column.removeprefix(CUSTOM)
        extra = person.extra if person is not None else {}
        return _text(contact.attributes.get(key, extra.get(key, "")))
    return _text(getattr(person, column, "")) if person is not None else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def export_by_public_id(*, actor: Actor, public_id: uuid.UUID) -> Export:
    """One's own exports only: another person's had another reason. Raises Export.DoesNotExist."""
    actor.require(Permission.CONTACT_EXPORT)
    found = Export.objects.select_related("job")
    return found.get(public_id=public_id, owner_id=actor.id) if actor.kind == "user" else found.get(public_id=public_id)


def export_page(*, actor: Actor, limit: int = 50) -> list[Export]:
    actor.require(Permission.CONTACT_EXPORT)
    found = Export.objects.select_related("job").order_by("-id")
    return list((found.filter(owner_id=actor.id) if actor.kind == "user" else found)[:limit])


def export_open(*, actor: Actor, public_id: uuid.UUID) -> BinaryIO:
    """The plain bytes, for one download; recorded. Raises FileRefused when the file is not there (any more)."""
    export = export_by_public_id(actor=actor, public_id=public_id)
    stored = rest.open_stored(export)
    record(actor=actor, action="export.downloaded", subject_kind="export", subject_id=str(export.public_id))
    return stored  # type: ignore[return-value]

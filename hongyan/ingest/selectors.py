"""Reads for the wizard, the API and the command line."""

import csv
import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, BinaryIO

from django.utils import translation
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.models import ContactList, Tag
from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.models import FieldDefinition, Topic
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest import mapping as mappings
from hongyan.ingest import words
from hongyan.ingest.errors import MappingRefused
from hongyan.ingest.files.preview import look
from hongyan.ingest.files.types import Dialect, Preview
from hongyan.ingest.mapping import CUSTOM
from hongyan.ingest.models import ColumnMemory, Import, ImportCreation, ImportRejection
from hongyan.ingest.neutral import neutralise
from hongyan.ingest.prepare import NAMES, complete_name, custom_reader, reader_of
from hongyan.ingest.runner import plan_of
from hongyan.ingest.types import ColumnCheck, ImportState, Suggestion

_SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class RejectionRow:
    line: int
    column: str  # its name, "" for the row as a whole
    value: str
    code: str
    reason: str  # in the active language


def import_by_public_id(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """Raises Import.DoesNotExist."""
    actor.require(Permission.IMPORT_RUN)
    return Import.objects.select_related("job", "dry_job", "owner").get(public_id=public_id)


def import_page(*, actor: Actor, before: int | None = None, limit: int = 50) -> list[Import]:
    """Newest first, by key."""
    actor.require(Permission.IMPORT_RUN)
    rows = Import.objects.select_related("job", "owner").order_by("-id")
    return list((rows.filter(id__lt=before) if before else rows)[:limit])


def import_preview(*, actor: Actor, public_id: uuid.UUID, rows: int = 20) -> Preview:
    """Raises FileRefused; PermissionRefused for somebody else's file without CONTACT_IDENTITY."""
    return _preview(_own_or_identity(actor, public_id), rows)


def _own_or_identity(actor: Actor, public_id: uuid.UUID) -> Import:
    """Who uploaded a file knows what is in it; others need to be allowed to see people's data in clear."""
    row = import_by_public_id(actor=actor, public_id=public_id)
    if not _sees_values(actor, row):
        actor.require(Permission.CONTACT_IDENTITY)
    return row


def _sees_values(actor: Actor, row: Import) -> bool:
    return actor.may(Permission.CONTACT_IDENTITY) or (actor.kind == "user" and actor.id == row.owner_id)


def _preview(row: Import, rows: int) -> Preview:
    with rest.open_stored(row) as stored:
        source: BinaryIO = stored  # type: ignore[assignment]
        return look(source, rows=rows, sheet=row.sheet, chosen=Dialect(**row.dialect))


def import_suggestions(*, actor: Actor, public_id: uuid.UUID) -> list[Suggestion]:
    row = _own_or_identity(actor, public_id)
    memory = remembered(row.header)
    return mappings.suggest(
        row.header,
        _preview(row, _SAMPLE_ROWS).rows,
        custom=custom_labels(),
        remembered=memory.mapping if memory else None,
    )


def column_checks(*, actor: Actor, public_id: uuid.UUID, mapping: Sequence[str]) -> list[ColumnCheck]:
    """How the first rows fit a mapping, a column each."""
    row = _own_or_identity(actor, public_id)
    preview = _preview(row, _SAMPLE_ROWS)
    return [_check(row, preview, column, target) for column, target in enumerate(mapping)]


def column_check(
    *, actor: Actor, public_id: uuid.UUID, column: int, target: str, options: Mapping[str, str] | None = None
) -> ColumnCheck:
    """One column, with options not yet saved. Raises MappingRefused."""
    row = _own_or_identity(actor, public_id)
    if not 0 <= column < len(row.header):
        raise MappingRefused("mapping_length", given=column, columns=len(row.header))
    if target and target not in {*mappings.STANDARD, *mappings.PARTS, *(CUSTOM + key for key in custom_labels())}:
        raise MappingRefused("mapping_unknown", target=target[:64])
    row.options = replace(row.choices, **_known_options(options or {})).dump()
    return _check(row, _preview(row, _SAMPLE_ROWS), column, target)


def _known_options(options: Mapping[str, str]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    if options.get("default_region") in region_codes():
        known["default_region"] = options["default_region"]
    if options.get("date_order") in {"ymd", "dmy", "mdy"}:
        known["date_order"] = options["date_order"]
    return known


def _check(row: Import, preview: Preview, column: int, target: str) -> ColumnCheck:
    values = [cells[column] for _, cells in preview.rows if isinstance(cells, list) and cells[column].strip()]
    if not target:
        return ColumnCheck(0, 0)
    plan = plan_of(row, now())
    definition = next((item for item in plan.custom if CUSTOM + item.key == target), None)
    read = custom_reader(definition, plan) if definition else reader_of(target, plan)
    good, bad = 0, []
    for value in values:
        try:
            complete_name({target: read(value)}) if target in NAMES else read(value)
        except NormaliseProblem as problem:
            bad.append((value, problem.code))
        else:
            good += 1
    return ColumnCheck(good, len(bad), *(bad[0] if bad else ("", "")))


def earlier_import_of_file(*, actor: Actor, public_id: uuid.UUID) -> Import | None:
    """The last import of exactly these bytes, if any."""
    row = import_by_public_id(actor=actor, public_id=public_id)
    same = Import.objects.filter(sha256=row.sha256, state__in=[ImportState.FINISHED, ImportState.STARTED])
    return same.exclude(pk=row.pk).order_by("-id").first()


def rejections(
    *, actor: Actor, public_id: uuid.UUID, after: int | None = None, limit: int = 100
) -> tuple[list[RejectionRow], int | None]:
    """In the order of the file, and the key of the next page. Values only for those who may see them."""
    row = import_by_public_id(actor=actor, public_id=public_id)
    clear = _sees_values(actor, row)
    found = list(row.rejections.filter(id__gt=after or 0).order_by("id")[: limit + 1])
    rows = [_rejection(row, item, clear=clear) for item in found[:limit]]
    return rows, found[limit - 1].pk if len(found) > limit else None


def rejections_csv(*, actor: Actor, public_id: uuid.UUID, language: str) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, for spreadsheets; formula cells neutralised; streams."""
    row = import_by_public_id(actor=actor, public_id=public_id)
    clear = _sees_values(actor, row)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    with translation.override(language):
        writer.writerow([_("Line"), _("Column"), _("Value"), _("Code"), _("Reason")])
    yield b"\xef\xbb\xbf"
    last = 0
    while True:
        block = list(row.rejections.filter(id__gt=last).order_by("id")[:2000])
        with translation.override(language):
            for item in [_rejection(row, found, clear=clear) for found in block]:
                writer.writerow([item.line, neutralise(item.column), neutralise(item.value), item.code, item.reason])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        if not block:
            return
        last = block[-1].pk


def _rejection(row: Import, item: ImportRejection, *, clear: bool) -> RejectionRow:
    value = "•••" if not clear and item.value else keyring().records.open(bytes(item.value), owner_id=row.pk).decode()
    name = ""
    if item.column is not None:
        named = row.header[item.column] if item.column < len(row.header) else ""
        name = named or _("Column %(n)s") % {"n": item.column + 1}
    return RejectionRow(item.line, name, value, item.code, words.rejection(item.code))


def created_count(*, actor: Actor, public_id: uuid.UUID) -> int:
    """Contacts this import created that an undo would look at."""
    row = import_by_public_id(actor=actor, public_id=public_id)
    return ImportCreation.objects.filter(batch=row).count()


def remembered(header: Sequence[str]) -> ColumnMemory | None:
    key = mappings.signature(header)
    return ColumnMemory.objects.filter(signature=key).first() if key else None


def custom_labels() -> dict[str, str]:
    """Key → label in the active language, of the custom fields in use."""
    chinese = (translation.get_language() or "").startswith("zh")
    fields = FieldDefinition.objects.filter(archived_at=None).order_by("position", "id")
    return {item.key: (item.label_zh if chinese else item.label_en) or item.key for item in fields}


def topic_choices() -> list[tuple[str, str]]:
    chinese = (translation.get_language() or "").startswith("zh")
    topics = Topic.objects.filter(active=True).order_by("position", "id")
    return [(topic.key, topic.name_zh if chinese else topic.name_en) for topic in topics]


def topics_exist(keys: Sequence[str]) -> bool:
    return Topic.objects.filter(key__in=keys, active=True).count() == len(set(keys))


def tag_choices() -> list[tuple[str, str]]:
    chinese = (translation.get_language() or "").startswith("zh")
    return [(tag.key, (tag.name_zh if chinese else tag.name_en) or tag.name_zh) for tag in Tag.objects.all()[:200]]


def list_choices() -> list[tuple[str, str]]:
    return [(str(item.public_id), item.name) for item in ContactList.objects.all()[:200]]


def check_tags_and_lists(tags: Sequence[str], lists: Sequence[str]) -> None:
    """Raises MappingRefused for one that does not exist."""
    known = set(Tag.objects.filter(key__in=tags).values_list("key", flat=True))
    for key in tags:
        if key not in known:
            raise MappingRefused("option_unknown", option="tags", value=str(key)[:40])
    for raw in lists:
        try:
            found = ContactList.objects.filter(public_id=uuid.UUID(str(raw))).exists()
        except ValueError:
            found = False
        if not found:
            raise MappingRefused("option_unknown", option="lists", value=str(raw)[:40])


@cache
def region_codes() -> frozenset[str]:
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)

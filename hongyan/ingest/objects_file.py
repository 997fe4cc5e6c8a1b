"""Files of custom objects: CSV or XLSX into things of people, in three steps: take the file, try it out, run it.

No table of its own: between the steps the browser carries a token that only this user can hand back; the sealed file
goes when the run ends, and after two hours anyway (``tasks.delete_old_files`` removes strays).
"""

import base64
import csv
import io
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO, Final

import orjson
from django.db import transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.models import ObjectType
from hongyan.contacts.objects import ObjectIn, objects_upsert
from hongyan.contacts.objects_people import contacts_of
from hongyan.contacts.objects_types import object_type
from hongyan.contacts.objects_values import fields_of
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.sealing import SealBroken
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest.errors import FileRefused, MappingRefused
from hongyan.ingest.files.delimited import DelimitedReader
from hongyan.ingest.files.preview import look
from hongyan.ingest.files.types import Preview, RowFault
from hongyan.ingest.files.workbook import sheet_rows
from hongyan.ingest.headers import plain, target_of
from hongyan.ingest.neutral import neutralise, restore
from hongyan.ingest.storage import SealedReader, SealedWriter, new_key
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_start

KIND: Final = "objects.import"
MAX_BYTES: Final = 200 << 20
TRIED: Final = 2_000  # rows of a trial
SHOWN: Final = 20  # problems a trial shows
_BATCH: Final = 1_000
EXTERNAL_ID: Final = "external_id"
PEOPLE: Final = {"contact.email": "email", "contact.phone": "phone", "contact.external_id": "external_id"}


@dataclass(frozen=True, slots=True)
class Taken:
    token: str
    preview: Preview
    mapping: list[str]


@dataclass(slots=True)
class Tally:
    rows: int = 0
    made: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    problems: list[tuple[int, str, str, str]] = field(default_factory=list)  # line, column, code, value

    def as_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("rows", "made", "changed", "same", "refused")}


def take(*, actor: Actor, type_key: str, file: Iterable[bytes]) -> Taken:
    """Raises FileRefused, ImportNotReady, ObjectTypeNotFound."""
    actor.require(Permission.IMPORT_RUN)
    actor.require(Permission.CONTACT_EDIT)
    kind = object_type(type_key)
    rest.check_free_space()
    name, key = uuid.uuid4(), new_key()
    try:
        with SealedWriter(rest.path_of(name), key) as writer:
            for block in file:
                writer.write(block)
                if writer.size > MAX_BYTES:
                    raise FileRefused("file_too_large", limit="200 MB")
            writer.commit()
        with SealedReader(rest.path_of(name), key) as stored:
            preview = look(stored, rows=5)  # type: ignore[arg-type]
    except BaseException:
        rest.remove(name)
        raise
    body = orjson.dumps({"name": name.hex, "key": key.hex(), "type": type_key})
    token = base64.urlsafe_b64encode(keyring().records.seal(body, owner_id=actor.id or 0)).decode()
    return Taken(token, preview, suggest(kind, preview.header))


def again(*, actor: Actor, token: str) -> tuple[dict[str, str], Preview]:
    """What ``take`` stored. Raises FileRefused when it is not there (any more) or another user's."""
    actor.require(Permission.IMPORT_RUN)
    try:
        held = orjson.loads(keyring().records.open(base64.urlsafe_b64decode(token), owner_id=actor.id or 0))
        with _stored(held) as stored:
            return held, look(stored, rows=5)  # type: ignore[arg-type]
    except (SealBroken, ValueError, FileNotFoundError) as error:
        raise FileRefused("file_gone") from error


def targets(kind: ObjectType) -> list[str]:
    return [EXTERNAL_ID, *PEOPLE, *(item.key for item in fields_of(kind))]


def suggest(kind: ObjectType, header: Sequence[str]) -> list[str]:
    """A target for each column, "" where none fits; each target once."""
    by_name: dict[str, str] = {}
    for item in fields_of(kind):
        for name in (item.key, item.label_zh, item.label_en):
            by_name.setdefault(plain(name), item.key)
    people = {target.partition(".")[2]: target for target in PEOPLE}
    names = ("id", "external_id", "编号", "外部编号", "外部 ID", f"{kind.key}_id", f"{kind.label_zh}编号")
    own = {plain(name) for name in names}
    found: list[str] = []
    for cell in header:
        name = plain(cell)
        target = by_name.get(name) or (EXTERNAL_ID if name in own else people.get(target_of(cell) or "", ""))
        found.append(target if target not in found else "")
    return found


def try_out(*, actor: Actor, held: dict[str, str], mapping: Sequence[str]) -> Tally:
    """The first rows, writing nothing. Raises MappingRefused, FileRefused."""
    kind = object_type(held["type"])
    check_mapping(kind, mapping)
    tally = Tally()
    with _stored(held) as stored:
        for rows in _batches(islice(_rows(stored), TRIED), 500):
            _apply(actor, kind, rows, mapping, tally, write=False)
    return tally


def start(*, actor: Actor, held: dict[str, str], mapping: Sequence[str]) -> Job:
    """Raises MappingRefused, ObjectTypeNotFound."""
    actor.require(Permission.IMPORT_RUN)
    actor.require(Permission.CONTACT_EDIT)
    kind = object_type(held["type"])
    check_mapping(kind, mapping)
    key = keyring().records.seal(bytes.fromhex(held["key"]), owner_id=kind.pk).hex()
    params = {"type": kind.key, "name": held["name"], "key": key, "mapping": list(mapping), "reject": uuid.uuid4().hex}
    with transaction.atomic():
        job = job_start(
            actor=actor,
            kind=KIND,
            params=params,
            title=gettext_noop("Import of %(kind)s"),
            title_params={"kind": " ".join(dict.fromkeys((kind.label_zh, kind.label_en)))},
        )
        record(actor=actor, action="objects.imported", subject_kind="object_type", subject_id=kind.key)
    return job


def run(*, actor: Actor, params: dict[str, Any], progress: Callable[[int, int | None], None]) -> dict[str, Any]:
    """A second run after a crash finds what the first has made: upserts by external id."""
    kind = object_type(params["type"])
    held = {"name": params["name"], "key": _key_of(kind, params).hex()}
    tally = Tally()
    reject = rest.path_of(uuid.UUID(params["reject"]))
    try:
        with _stored(held) as stored, SealedWriter(reject, _key_of(kind, params)) as rejected:
            buffer = io.StringIO()
            writer = csv.writer(buffer, lineterminator="\r\n")
            header = look(stored, rows=1).header  # type: ignore[arg-type]
            writer.writerow([*header, "line", "problem"])
            for rows in _batches(_rows(stored), _BATCH):
                bad = _apply(actor, kind, rows, params["mapping"], tally, write=True)
                writer.writerows([[*map(neutralise, cells), str(line), code] for line, cells, code in bad])
                rejected.write(buffer.getvalue().encode())
                buffer.seek(0)
                buffer.truncate()
                progress(tally.rows, None)
            rejected.write(buffer.getvalue().encode())
            rejected.commit()
    except FileNotFoundError as error:
        raise FileRefused("file_gone") from error
    rest.remove(uuid.UUID(params["name"]))
    if not tally.refused:
        rest.remove(uuid.UUID(params["reject"]))
    return tally.as_json()


def rejected_rows(*, actor: Actor, job: Job) -> BinaryIO:
    """The rows that were refused, with the line and the reason. Raises FileRefused when they are gone."""
    actor.require(Permission.IMPORT_RUN)
    actor.require(Permission.CONTACT_IDENTITY)
    kind = object_type(job.params["type"])
    try:
        return SealedReader(rest.path_of(uuid.UUID(job.params["reject"])), _key_of(kind, job.params))  # type: ignore[return-value]
    except FileNotFoundError as error:
        raise FileRefused("file_gone") from error


def check_mapping(kind: ObjectType, mapping: Sequence[str]) -> None:
    """Raises MappingRefused."""
    known = set(targets(kind))
    chosen = [target for target in mapping if target]
    for target in chosen:
        if target not in known:
            raise MappingRefused("mapping_unknown", target=target[:64])
        if chosen.count(target) > 1:
            raise MappingRefused("mapping_twice", target=target)
    if EXTERNAL_ID not in chosen:
        raise MappingRefused("mapping_needs", target=EXTERNAL_ID)
    if not any(target in PEOPLE for target in chosen):
        raise MappingRefused("mapping_needs", target="contact.email")


def _key_of(kind: ObjectType, params: dict[str, Any]) -> bytes:
    return keyring().records.open(bytes.fromhex(params["key"]), owner_id=kind.pk)


def _stored(held: dict[str, str]) -> SealedReader:
    return SealedReader(rest.path_of(uuid.UUID(held["name"])), bytes.fromhex(held["key"]))


_Line = tuple[int, "list[str] | RowFault"]


def _rows(stored: Any) -> Iterator[_Line]:
    preview = look(stored, rows=1)
    if not preview.sheets:
        yield from DelimitedReader(stored, preview.dialect).rows()
        return
    lines = sheet_rows(stored, preview.sheet)
    if preview.dialect.has_header:
        next(lines, None)
    width = len(preview.header)
    for line, cells in lines:
        if any(cells):
            yield line, (cells + [""] * width)[:width]


def _batches(rows: Iterator[_Line], size: int) -> Iterator[list[_Line]]:
    while batch := list(islice(rows, size)):
        yield batch


def _apply(
    actor: Actor, kind: ObjectType, lines: list[_Line], mapping: Sequence[str], tally: Tally, *, write: bool
) -> list[tuple[int, list[str], str]]:
    """One batch; returns what was refused (line, cells, code)."""
    read: list[tuple[int, list[str]]] = []
    bad: list[tuple[int, list[str], str]] = []
    for line, cells in lines:
        tally.rows += 1
        if isinstance(cells, RowFault):
            bad.append((line, [], cells.code.value))
            _note(tally, line, "", cells.code.value, "")
        else:
            read.append((line, [restore(cell.strip()) for cell in cells]))
    people = _people(read, mapping)
    rows = [
        ObjectIn(_cell(cells, mapping, EXTERNAL_ID), people.get(line), _values(cells, mapping)) for line, cells in read
    ]
    outcomes = objects_upsert(actor=actor, type_key=kind.key, rows=rows, source="import", write=write)
    for (line, cells), outcome in zip(read, outcomes, strict=True):
        if outcome.act != "refused":
            setattr(tally, outcome.act, getattr(tally, outcome.act) + 1)
            continue
        target, code = next(iter(outcome.problems.items()))
        bad.append((line, cells, f"{target}: {code}"))
        _note(tally, line, target, code, _cell(cells, mapping, target))
    tally.refused += len(bad)
    return bad


def _note(tally: Tally, line: int, column: str, code: str, value: str) -> None:
    if len(tally.problems) < SHOWN:
        tally.problems.append((line, column, code, value[:80]))


def _cell(cells: Sequence[str], mapping: Sequence[str], target: str) -> str:
    return next((cell for cell, mapped in zip(cells, mapping, strict=False) if mapped == target), "")


def _values(cells: Sequence[str], mapping: Sequence[str]) -> dict[str, str]:
    """Empty cells say nothing: they do not clear what is held."""
    out = {EXTERNAL_ID, *PEOPLE, ""}
    return {target: cell for cell, target in zip(cells, mapping, strict=False) if target not in out and cell}


def _people(read: Sequence[tuple[int, list[str]]], mapping: Sequence[str]) -> dict[int, int]:
    """Line → contact."""
    rows = [{kind: _cell(cells, mapping, target) for target, kind in PEOPLE.items()} for _line, cells in read]
    found = contacts_of(rows)
    return {line: pk for (line, _cells), pk in zip(read, found, strict=True) if pk is not None}

"""An import begins: its file is stored, read in part, and read again as its owner says."""

import hashlib
import re
import uuid
from collections.abc import Iterable
from typing import BinaryIO

from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest.drafts import apply_preview, draft
from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.preview import look, with_choices
from hongyan.ingest.files.types import MAX_FILE_BYTES, Dialect, Preview
from hongyan.ingest.models import Import
from hongyan.ingest.storage import SealedReader, SealedWriter, new_key
from hongyan.ingest.types import Options

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def import_create(*, actor: Actor, file: BinaryIO | Iterable[bytes], filename: str) -> Import:
    """Store an uploaded file, find out how it is written and suggest a mapping. Raises FileRefused."""
    actor.require(Permission.IMPORT_RUN)
    rest.check_free_space()
    name, key = uuid.uuid4(), new_key()
    digest = hashlib.sha256()
    try:
        with SealedWriter(rest.path_of(name), key) as writer:
            for block in _blocks(file):
                digest.update(block)
                writer.write(block)
                check_size(writer.size)
            size = writer.commit()
        with SealedReader(rest.path_of(name), key) as stored:
            preview = look(stored)  # type: ignore[arg-type]
        return _create(actor, filename, size, digest.digest(), name, key, preview)
    except BaseException:
        rest.remove(name)
        raise


def check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise FileRefused("file_too_large", limit="1 GiB")


@transaction.atomic
def _create(  # noqa: PLR0917 - the second half of import_create
    actor: Actor, filename: str, size: int, digest: bytes, name: uuid.UUID, key: bytes, preview: Preview
) -> Import:
    row = Import.objects.create(
        file_name=clean_name(filename),
        size=size,
        sha256=digest,
        stored_name=name,
        owner_id=actor.id if actor.kind == "user" else None,
        options=Options().dump(),
    )
    row.stored_key = keyring().records.seal(key, owner_id=row.pk)
    apply_preview(row, preview)
    row.save()
    record(
        actor=actor,
        action="import.uploaded",
        subject_kind="import",
        subject_id=str(row.public_id),
        data={"size": size, "columns": len(preview.header)},
    )
    return row


def clean_name(filename: str) -> str:
    """A name to show: no path, no control or direction characters, at most 255. Never used on disk."""
    name = re.split(r"[/\\]", filename)[-1]
    return _CONTROLS.sub("", name).strip()[:255] or "file"


def import_reread(
    *,
    actor: Actor,
    public_id: uuid.UUID,
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
    sheet: str | None = None,
) -> Import:
    """Read the file with the user's encoding, delimiter, header choice or sheet; None means: guess again.

    The mapping is suggested anew. Raises FileRefused, and nothing changes, when it cannot be read so.
    """
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = draft(public_id)
        with rest.open_stored(row) as stored:
            source: BinaryIO = stored  # type: ignore[assignment]
            chosen = with_choices(source, encoding=encoding, delimiter=delimiter, has_header=has_header)
            preview = look(source, sheet=sheet or row.sheet, chosen=chosen)
        if preview.sheet != row.sheet or preview.dialect.has_header != Dialect(**row.dialect).has_header:
            rest.remove(row.copied_name)
            row.copied_name = None
        apply_preview(row, preview)
        row.save()
    return row


def _blocks(file: BinaryIO | Iterable[bytes]) -> Iterable[bytes]:
    read = getattr(file, "read", None)
    if read is None:
        yield from file
        return
    while block := read(1 << 20):
        yield block

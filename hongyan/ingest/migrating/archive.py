"""The ZIP that some systems deliver: its tables become imports, one each, to be configured one after the other."""

import zipfile
from collections.abc import Iterator
from typing import IO, BinaryIO

from django.db import transaction

from hongyan.accounts.types import Actor
from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.types import MAX_FILE_BYTES
from hongyan.ingest.models import Import
from hongyan.ingest.services import import_create

MAX_TABLES = 20
MAX_RATIO = 200  # a table of words shrinks to a tenth, a bomb to a thousandth
_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx")
_BLOCK = 1 << 20


def is_archive(file: BinaryIO) -> bool:
    """A ZIP of files, and not a workbook, which is a ZIP as well."""
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        file.seek(0)
        return False
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return False
    finally:
        file.seek(0)
    return "[Content_Types].xml" not in names and any(name.lower().endswith(_ENDINGS) for name in names)


def imports_create(*, actor: Actor, file: BinaryIO) -> list[Import]:
    """One import for each table; a file that is none is passed over. Raises FileRefused, and nothing is kept."""
    made = []
    with transaction.atomic(), zipfile.ZipFile(file) as archive:
        for entry in _tables(archive):
            with archive.open(entry) as table:
                made.append(import_create(actor=actor, file=_blocks(table), filename=entry.filename))
    return made


def _tables(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found = [
        entry
        for entry in archive.infolist()
        if not entry.is_dir() and entry.file_size and entry.filename.lower().endswith(_ENDINGS)
    ]
    if any(entry.flag_bits & 1 for entry in found):
        raise FileRefused("file_protected")
    if not found or len(found) > MAX_TABLES:
        raise FileRefused("file_zip")
    if any(entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in found):
        raise FileRefused("workbook_bomb")
    return found


def _blocks(table: IO[bytes]) -> Iterator[bytes]:
    """What comes out is counted: the sizes in the directory are only what the archive says of itself."""
    size = 0
    while block := table.read(_BLOCK):
        size += len(block)
        if size > MAX_FILE_BYTES:
            raise FileRefused("file_too_large", limit="1 GiB")
        yield block

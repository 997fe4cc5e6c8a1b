"""One look at a file: what it is, how it is written, its header and first rows; the wizard shows it after upload."""

from dataclasses import replace
from itertools import islice
from typing import BinaryIO

from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files import dialect as dialects
from hongyan.ingest.files.delimited import DelimitedReader
from hongyan.ingest.files.encoding import ENCODINGS
from hongyan.ingest.files.sniff import sniff
from hongyan.ingest.files.types import Dialect, FileKind, Preview, Row
from hongyan.ingest.files.workbook import check_archive, sheet_names, sheet_rows

SAMPLE_BYTES = 1 << 18


def look(source: BinaryIO, *, rows: int = 50, sheet: str = "", chosen: Dialect | None = None) -> Preview:
    """chosen: the user's dialect, which replaces the guess. Raises FileRefused."""
    source.seek(0)
    head = source.read(SAMPLE_BYTES)
    if sniff(head) is FileKind.WORKBOOK:
        check_archive(source)
        return _look_at_workbook(source, rows, sheet, chosen)
    written = chosen or dialects.guess(head)
    reader = DelimitedReader(source, written)
    found = list(islice(reader.rows(), rows))
    if not found:
        raise FileRefused("file_header_only")
    return Preview(written, reader.header, found)


def with_choices(
    source: BinaryIO, *, encoding: str | None, delimiter: str | None, has_header: bool | None
) -> Dialect | None:
    """A dialect in which the user's choices win over the guess; None for a workbook."""
    source.seek(0)
    head = source.read(SAMPLE_BYTES)
    if sniff(head) is FileKind.WORKBOOK:
        return None if has_header is None else Dialect(has_header=has_header, from_workbook=True)
    if encoding is not None and encoding not in ENCODINGS:
        raise FileRefused("encoding_unknown", encoding=encoding[:40])
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\x00'):
        raise FileRefused("delimiter_unknown")
    guessed = dialects.guess(head, encoding=encoding, delimiter=delimiter)
    return guessed if has_header is None else replace(guessed, has_header=has_header)


def _look_at_workbook(source: BinaryIO, rows: int, sheet: str, chosen: Dialect | None) -> Preview:
    names = sheet_names(source)
    name = sheet if sheet in names else (names[0] if names else "")
    found: list[Row] = [(line, cells) for line, cells in islice(sheet_rows(source, name), rows + 1)]
    if not found:
        raise FileRefused("file_empty")
    first = found[0][1]
    assert isinstance(first, list)  # noqa: S101 - sheets have no faults at this level
    has_header = chosen.has_header if chosen else not dialects.looks_like_values(first)
    header = first if has_header else [""] * len(first)
    body = found[1:] if has_header else found
    if not body:
        raise FileRefused("file_header_only")
    width = len(header)
    padded: list[Row] = [(line, (list(cells) + [""] * width)[:width]) for line, cells in body]  # type: ignore[arg-type]
    return Preview(Dialect(has_header=has_header, from_workbook=True), header, padded, names, name)

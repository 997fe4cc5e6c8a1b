"""XLSX in: refuses bombs before inflating anything, then copies one sheet into the delimited form the rest reads.

The copy keeps row numbers (an empty sheet row becomes an empty line), writes dates as ISO 8601 and numbers without a
trailing ``.0``. Formulas count with their stored result, never evaluated; external links are never followed.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from defusedxml.common import DefusedXmlException

from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.types import MAX_COLUMNS, MAX_FIELD_CHARS, MAX_ROWS

MAX_ENTRIES = 2_000
MAX_INFLATED = 2 << 30  # a sheet of 1,048,576 rows × 12 columns is about 600 MB of XML
MAX_RATIO = 200  # honest sheets inflate 5 to 40 times, very repetitive ones up to 100
_SMALL = 8 << 20  # below this much inflated data the ratio does not matter
_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCRYPTED = 0x1


def check_archive(source: BinaryIO) -> None:
    """Look at the table of contents only. Raises FileRefused."""
    source.seek(0)
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise FileRefused("workbook_damaged") from error
    with archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise FileRefused("workbook_bomb", entries=len(entries))
        names = {entry.filename for entry in entries}
        if any(entry.flag_bits & _ENCRYPTED for entry in entries):
            raise FileRefused("file_protected")
        if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
            raise FileRefused("file_zip")
        if "xl/workbook.xml" not in names:
            raise FileRefused("workbook_binary")
        inflated = sum(entry.file_size for entry in entries)
        packed = sum(entry.compress_size for entry in entries) or 1
        if inflated > MAX_INFLATED or (inflated > _SMALL and inflated / packed > MAX_RATIO):
            raise FileRefused("workbook_bomb", entries=len(entries))
        _refuse_declarations(archive, entries)


def _refuse_declarations(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Office never writes a document type; entities are how XML bombs and file disclosure work (defusedxml too)."""
    for entry in entries:
        if not entry.filename.endswith((".xml", ".rels")):
            continue
        try:
            with archive.open(entry) as part:
                head = part.read(65_536)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise FileRefused("workbook_damaged") from error
        except Exception as error:  # zlib.error has no public base class
            raise FileRefused("workbook_damaged") from error
        if _DECLARATION.search(head.replace(b"\x00", b"")):
            raise FileRefused("workbook_entities")


def sheet_names(source: BinaryIO) -> tuple[str, ...]:
    """Visible sheets first, in their order."""
    with _opened(source) as book:
        sheets = sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
        return tuple(sheet.title for sheet in sheets)


def sheet_rows(source: BinaryIO, sheet: str = "") -> Iterator[tuple[int, list[str]]]:
    """(row number, cells as text) of every row that holds something; trailing empty cells are cut."""
    with _opened(source) as book:
        chosen = book[sheet] if sheet in book.sheetnames else _first_with_data(book)
        chosen.reset_dimensions()  # the declared size is whatever the writer says: 2^20 x 16,384 costs nothing
        number = 0
        try:
            for number, row in enumerate(chosen.iter_rows(max_col=MAX_COLUMNS + 1), start=1):
                cells = [_text(cell.value, cell) for cell in row]
                while cells and not cells[-1]:
                    cells.pop()
                if len(cells) > MAX_COLUMNS:
                    raise FileRefused("too_many_columns", count=len(cells), limit=MAX_COLUMNS)
                if number > MAX_ROWS:
                    raise FileRefused("too_many_rows", limit=MAX_ROWS)
                if cells:
                    yield number, cells
        except DefusedXmlException as error:
            raise FileRefused("workbook_entities") from error
        except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError, EOFError, TypeError, AttributeError) as error:
            raise FileRefused("workbook_damaged", row=number + 1) from error


def copy_sheet(
    source: BinaryIO, sheet: str, write: Callable[[bytes], object], progress: Callable[[int], None] | None = None
) -> int:
    """Write the sheet as UTF-8 comma-separated text in which line n is row n of the sheet. Returns the rows written."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    line, count = 1, 0
    for number, cells in sheet_rows(source, sheet):
        buffer.write("\n" * (number - line))
        writer.writerow([cell[: MAX_FIELD_CHARS + 1] for cell in cells])
        line, count = number + 1, count + 1
        if buffer.tell() > 1 << 18:
            write(buffer.getvalue().encode("utf-8", "replace"))
            buffer.seek(0)
            buffer.truncate()
            if progress is not None:
                progress(count)
    write(buffer.getvalue().encode("utf-8", "replace"))
    return count


@contextmanager
def _opened(source: BinaryIO) -> Iterator[Any]:
    import openpyxl  # here and not above: every process would wait a quarter of a second for it when it starts

    source.seek(0)
    try:
        book = openpyxl.load_workbook(source, read_only=True, data_only=True, keep_links=False)
    except DefusedXmlException as error:
        raise FileRefused("workbook_entities") from error
    except Exception as error:  # the library lets KeyError, TypeError, XML and zlib errors of broken parts through
        raise FileRefused("workbook_damaged") from error
    try:
        yield book
    finally:
        book.close()


def _first_with_data(book: Any) -> Any:
    sheets = sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
    if not sheets:
        raise FileRefused("file_empty")
    return sheets[0]


def _text(value: Any, cell: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return "" if cell.data_type == "e" else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)

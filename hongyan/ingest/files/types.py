from dataclasses import dataclass, field
from enum import StrEnum

MAX_COLUMNS = 500
MAX_FIELD_CHARS = 32_767  # what a spreadsheet cell can hold; longer text is a broken quote or not a contact
MAX_RECORD_LINES = 2_000  # a quoted field that spans more lines was never closed
MAX_RECORD_CHARS = 2_000_000
MAX_RUNAWAY_RECORDS = 200  # more unclosed quotes than this: the file as a whole is not CSV
MAX_FILE_BYTES = 1 << 30
MAX_ROWS = 5_000_000


class FileKind(StrEnum):
    DELIMITED = "delimited"
    WORKBOOK = "workbook"


class FaultCode(StrEnum):
    """Why a row cannot be read, before anything is known about its meaning."""

    BAD_ENCODING = "bad_encoding"  # bytes that are not text in the file's encoding
    NUL_CHARACTER = "nul_character"
    FIELD_TOO_LONG = "field_too_long"
    TOO_FEW_CELLS = "too_few_cells"
    TOO_MANY_CELLS = "too_many_cells"
    UNCLOSED_QUOTE = "unclosed_quote"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited file is written.

    skip_lines: physical lines before the header (``sep=;``). from_workbook: our own copy of a sheet, where line numbers
    count rows of the sheet and short rows are filled up.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    has_header: bool = True
    skip_lines: int = 0
    from_workbook: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next record begins. offset: bytes in the stored file (in its UTF-8 form for UTF-16 and UTF-32)."""

    offset: int = 0
    line: int = 1
    record: int = 0  # records already passed, header not counted


@dataclass(frozen=True, slots=True)
class RowFault:
    code: FaultCode
    column: int | None = None  # 0-based
    value: str = ""
    offset: int | None = None  # byte offset of the bad line, or of the first bad byte


Row = tuple[int, "list[str] | RowFault"]  # physical line number of the record's first line, cells


@dataclass(frozen=True, slots=True)
class Chunk:
    rows: list[Row]
    start: Position
    end: Position
    blank: int = 0
    last: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What the upload page shows: header cells as written, a few rows, and how they were read."""

    dialect: Dialect
    header: list[str]
    rows: list[Row] = field(default_factory=list)
    sheets: tuple[str, ...] = ()
    sheet: str = ""

"""Streaming reader of delimited files that never gives up on the whole file because of one line.

Records follow Python's csv module (RFC 4180 with the usual leniency). Around it: physical line numbers, byte offsets,
lines that do not decode, NUL characters, over-long fields, ragged rows and quotes that are never closed become
``RowFault``s, and reading goes on with the next line.
"""

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.encoding import WIDE, bom_length
from hongyan.ingest.files.types import (
    MAX_COLUMNS,
    MAX_FIELD_CHARS,
    MAX_RECORD_CHARS,
    MAX_RECORD_LINES,
    MAX_RUNAWAY_RECORDS,
    Chunk,
    Dialect,
    FaultCode,
    Position,
    Row,
    RowFault,
)

_BLOCK = 1 << 20
_MAX_LINE_BYTES = 4 * MAX_RECORD_CHARS
# The module's own limit (131,072) raises an error that ends the whole file; ours below rejects one record instead.
csv.field_size_limit(2 * _MAX_LINE_BYTES)


class _Runaway(Exception):
    """The record being read has swallowed more than any record may: its quote was never closed."""


class DelimitedReader:
    """One pass over a seekable binary file. ``header`` is read at once; ``chunks`` yields the rest.

    start: a ``Chunk.end`` of an earlier pass over the same file with the same dialect.
    Raises FileRefused for an empty file, a file without a header, or too many columns.
    """

    def __init__(self, source: BinaryIO, dialect: Dialect, *, start: Position | None = None) -> None:
        self._source, self._dialect = source, dialect
        source.seek(0)
        self._mark = bom_length(source.read(4))
        self._lines = self._physical_lines()
        self._pushed_back: deque[bytes] = deque()
        self._held: list[bytes] = []  # lines of the record being read
        self._chars = 0
        self._spoilt: RowFault | None = None
        self._runaways = 0
        self._records = self._parse()
        self.line, self.offset, self._record = 1, 0, 0
        self.blank = 0
        self.header = self._read_header()
        self.width = len(self.header)
        if start is not None and start.offset > 0:
            self._jump(start)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """At most ``size`` records each (faults included, blank lines not). The last one says so and may be empty."""
        rows: list[Row] = []
        begin, blank_before = self.position, self.blank
        for row in self.rows():
            rows.append(row)
            if len(rows) == size:
                yield Chunk(rows, begin, self.position, self.blank - blank_before)
                rows, begin, blank_before = [], self.position, self.blank
        yield Chunk(rows, begin, self.position, self.blank - blank_before, last=True)

    def rows(self) -> Iterator[Row]:
        width, lenient = self.width, self._dialect.from_workbook
        for line, cells in self._records:
            if isinstance(cells, list):
                if len(cells) != width:
                    if not any(cells):
                        self.blank += 1
                        continue
                    self._record += 1
                    yield line, _fit(cells, width, lenient=lenient)
                    continue
                if not any(cells):
                    self.blank += 1
                    continue
            self._record += 1
            yield line, cells

    @property
    def position(self) -> Position:
        return Position(self.offset, self.line, self._record)

    def _read_header(self) -> list[str]:
        for _ in range(self._dialect.skip_lines):
            skipped = next(self._lines, b"")
            self.offset += len(skipped)
            self.line += 1
        begin = self.position
        for _, cells in self._records:
            if isinstance(cells, RowFault):
                raise FileRefused("header_unreadable", reason=cells.code.value)
            if not any(cell.strip() for cell in cells):
                begin = self.position
                continue
            if len(cells) > MAX_COLUMNS:
                raise FileRefused("too_many_columns", count=len(cells), limit=MAX_COLUMNS)
            if self._dialect.has_header:
                return cells
            self._rewind(begin)
            return [""] * len(cells)
        raise FileRefused("file_empty")

    def _rewind(self, begin: Position) -> None:
        """A file without a header: its first record is data and is read again."""
        self._restart()
        self._jump(begin)

    def _jump(self, start: Position) -> None:
        self._restart(skip=start.offset)
        self.line, self.offset, self._record = start.line, start.offset, start.record

    def _restart(self, skip: int = 0) -> None:
        self._lines = self._physical_lines(skip)
        self._pushed_back.clear()
        self._forget_record()
        self._records = self._parse()

    def _forget_record(self) -> None:
        self._held, self._chars, self._spoilt = [], 0, None

    def _parse(self) -> Iterator[Row]:
        while True:
            reader = csv.reader(self._feed(), delimiter=self._dialect.delimiter)
            try:
                for cells in reader:
                    yield self._finish(cells)
            except (_Runaway, csv.Error):
                yield self._give_up()
                continue
            return

    def _finish(self, cells: list[str]) -> Row:
        line = self.line
        fault = self._spoilt
        if self._chars > MAX_FIELD_CHARS and fault is None:
            fault = _too_long(cells)
        if fault is not None and fault.code is FaultCode.NUL_CHARACTER:
            fault = _locate_nul(cells, fault.offset)
        self.line += 1 if self._dialect.from_workbook else len(self._held)
        self.offset += sum(map(len, self._held))
        self._forget_record()
        return line, fault if fault is not None else cells

    def _give_up(self) -> Row:
        """Reject the first line of the record and read the following lines as records of their own."""
        self._runaways += 1
        if self._runaways > MAX_RUNAWAY_RECORDS:
            raise FileRefused("quotes_broken", line=self.line)
        line, first = self.line, self._held[0]
        fault = RowFault(
            FaultCode.UNCLOSED_QUOTE, None, first[:200].decode("utf-8", "replace"), self._mark + self.offset
        )
        self._pushed_back.extendleft(reversed(self._held[1:]))
        self.line += 1
        self.offset += len(first)
        self._forget_record()
        return line, fault

    def _feed(self) -> Iterator[str]:
        """Decoded physical lines for the csv module; what goes wrong on the way is remembered for ``_finish``."""
        encoding = "utf-8" if self._dialect.encoding in WIDE else self._dialect.encoding
        wide = self._dialect.encoding in WIDE
        while True:
            raw = self._pushed_back.popleft() if self._pushed_back else next(self._lines, b"")
            if not raw:
                if self._held:
                    raise _Runaway
                return
            self._held.append(raw)
            self._chars += len(raw)
            if len(self._held) > MAX_RECORD_LINES or (self._chars > MAX_RECORD_CHARS and len(self._held) > 1):
                raise _Runaway
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError as error:
                text = raw.decode(encoding, "replace")
                self._spoil(FaultCode.BAD_ENCODING, self.offset + self._chars - len(raw) + error.start, text)
            if wide and "\ufffd" in text:
                self._spoil(FaultCode.BAD_ENCODING, None, text)
            if "\x00" in text:
                self._spoil(FaultCode.NUL_CHARACTER, self.offset, text)
            yield text

    def _spoil(self, code: FaultCode, offset: int | None, text: str) -> None:
        if self._spoilt is None:
            place = None if offset is None else self._mark + offset
            self._spoilt = RowFault(code, None, text.strip("\r\n")[:200], place)

    def _physical_lines(self, skip: int = 0) -> Iterator[bytes]:
        """Lines with their ends (LF, CRLF or CR). A line longer than any record is cut to its beginning."""
        tail, dropping = b"", False
        for block in self._blocks(skip):
            data = tail + block
            lines = data.splitlines(keepends=True)
            tail = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
            if dropping and lines:
                self.offset += len(lines.pop(0))
                dropping = False
            yield from lines
            if len(tail) > _MAX_LINE_BYTES:
                if not dropping:
                    self.offset += len(tail) - MAX_RECORD_CHARS - 2
                    yield tail[: MAX_RECORD_CHARS + 1] + b"\n"
                else:
                    self.offset += len(tail)
                tail, dropping = b"", True
        if not dropping:
            yield from tail.splitlines(keepends=True)

    def _blocks(self, skip: int) -> Iterator[bytes]:
        if self._dialect.encoding not in WIDE:
            # Positions count from after the byte order mark; reported offsets include it.
            self._source.seek(self._mark + skip)
            while block := self._source.read(_BLOCK):
                yield block
            return
        self._source.seek(self._mark)
        decoder = codecs.getincrementaldecoder(self._dialect.encoding)("replace")
        while block := self._source.read(_BLOCK):
            encoded = decoder.decode(block).encode("utf-8", "replace")
            if skip >= len(encoded):
                skip -= len(encoded)
                continue
            yield encoded[skip:]
            skip = 0
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")[skip:]


def _fit(cells: list[str], width: int, *, lenient: bool) -> "list[str] | RowFault":
    """Trailing empty cells are dropped; other differences in length are faults, except in copies of a sheet."""
    if len(cells) > width:
        if not any(cells[width:]):
            return cells[:width]
        return RowFault(FaultCode.TOO_MANY_CELLS, width, cells[width][:200])
    if lenient:
        return cells + [""] * (width - len(cells))
    return RowFault(FaultCode.TOO_FEW_CELLS, len(cells) - 1, cells[-1][:200])


def _too_long(cells: list[str]) -> RowFault | None:
    for column, cell in enumerate(cells):
        if len(cell) > MAX_FIELD_CHARS:
            return RowFault(FaultCode.FIELD_TOO_LONG, column, cell[:200])
    return None


def _locate_nul(cells: list[str], offset: int | None) -> RowFault:
    column = next((index for index, cell in enumerate(cells) if "\x00" in cell), None)
    value = cells[column].replace("\x00", "␀")[:200] if column is not None else ""
    return RowFault(FaultCode.NUL_CHARACTER, column, value, offset)

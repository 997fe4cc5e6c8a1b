"""What every reader can do, and what they share."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from hongyan.ingest.sources.types import Looked, Page, Record

PAGE = 1_000  # records a transaction
SAMPLE = 20  # records of a first look
MAX_COLUMNS = 300
MAX_VALUE_CHARS = 32_767
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class FileRead:
    """A version of a file of which ``rows`` have been taken."""

    id: int
    rows: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of a source when a run begins. files: by path and version."""

    cursor: str = ""
    files: Mapping[tuple[str, str], FileRead] = field(default_factory=dict)


class Files(Protocol):
    """How a reader says that it begins with a file."""

    def __call__(self, path: str, version: str) -> int: ...


class Reader(Protocol):
    """resumes: every page carries a cursor, so that a run that broke off goes on in the middle; otherwise it begins
    anew and what was taken already is recognised as unchanged."""

    resumes: bool

    def look(self) -> Looked:
        """A first look. Raises SourceFailed, SourceRefused."""
        ...

    def pages(self, known: Known, begin_file: Files) -> Iterator[Page]: ...


def flat(raw: Any) -> Record:
    """One level with names joined by dots; lists of plain values as text, other lists as JSON.

    >>> flat({"id": 1, "address": {"city": "上海"}, "tags": ["a", "b"]})
    {'id': 1, 'address.city': '上海', 'tags': 'a, b'}
    """
    record: Record = {}
    _flatten(raw if isinstance(raw, dict) else {"value": raw}, "", record, 0)
    return record


def _flatten(raw: Mapping[str, Any], prefix: str, record: Record, depth: int) -> None:
    for name, value in raw.items():
        key = f"{prefix}{name}"[:200]
        if isinstance(value, Mapping) and value and depth < _DEPTH:
            _flatten(value, key + ".", record, depth + 1)
        elif len(record) < MAX_COLUMNS:
            record[key] = _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool, type(None), datetime, date, time, Decimal)):
        return value[:MAX_VALUE_CHARS].replace("\x00", "") if isinstance(value, str) else value
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return ", ".join(map(str, value))[:MAX_VALUE_CHARS]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace").replace("\x00", "")[:MAX_VALUE_CHARS]
    if isinstance(value, UUID):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)[:MAX_VALUE_CHARS]


def text(value: Any) -> str:
    """A value as a cell of a file would have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # JSON and sheets have no whole numbers
    return str(value)


def columns_of(records: list[Record]) -> list[str]:
    """In the order of their first appearance."""
    return list(dict.fromkeys(name for record in records for name in record))[:MAX_COLUMNS]

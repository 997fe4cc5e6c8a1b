"""What files of the population hold, and what a question gets to read.

Files of people (Parquet; one row a contact, ascending ``contact_id``):

    contact_id  int64
    f:<key>     the field of the catalogue: see ``ColumnKind``; null when the value is missing
    filled      list<string>   sealed fields that have a value; null instead of an empty list, as in the next three
    tags        list<int64>    ids of tags
    lists       list<int64>    ids of lists
    consents    list<string>   ``consent_code`` of what was said about a channel or topic; "nothing said" has none

Files of objects: one row an object, ascending by contact, with ``contact_id``, ``f:<key of the object's field>`` and
``filled``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pyarrow as pa


class ColumnKind(StrEnum):
    """What a column holds; ``compiler.emit_values`` decides, also about wrong types and empty texts."""

    TEXT = "text"  # string; also days (ISO) and instants of custom fields (ISO in UTC), compared byte by byte
    NUMBER = "number"  # decimal(precision, scale), exact; money in the major unit
    BOOLEAN = "boolean"
    INSTANT = "instant"  # int64, µs since 1970 UTC
    TEXTS = "texts"  # list<string>
    IDS = "ids"  # list<int64>


@dataclass(frozen=True, slots=True)
class Column:
    kind: ColumnKind
    precision: int = 0  # of numbers
    scale: int = 0

    @property
    def type(self) -> pa.DataType:
        match self.kind:
            case ColumnKind.TEXT:
                return pa.string()
            case ColumnKind.NUMBER:
                return pa.decimal128(self.precision, self.scale)
            case ColumnKind.BOOLEAN:
                return pa.bool_()
            case ColumnKind.INSTANT:
                return pa.int64()
            case ColumnKind.TEXTS:
                return pa.list_(pa.string())
            case ColumnKind.IDS:
                return pa.list_(pa.int64())


def field_column(key: str) -> str:
    return f"f:{key}"


def consent_code(channel: str, topic_id: int | None, state: str) -> str:
    """
    >>> consent_code("email", 3, "given"), consent_code("email", None, "withdrawn")
    ('email|3|given', 'email||withdrawn')
    """
    return f"{channel}|{'' if topic_id is None else topic_id}|{state}"


class NotHeld(Exception):
    """Files cannot answer this exactly: they are not built yet, or a column is missing. PostgreSQL has to."""


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """One file that counts. ``path`` is relative to the store. columns: beside ``contact_id``."""

    id: int
    path: str
    chunk: int
    rows: int
    bytes: int
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Rows:
    """Files of people, or of the objects of one kind, and the fresh rows in the same columns.

    Numbers may be wider in some files than in others: ``portions`` groups files that are alike."""

    files: Sequence[PeopleFile]
    fresh: pa.Table
    fresh_columns: Mapping[str, Column]

    def portions(self, columns: Sequence[str]) -> Iterator[tuple[list[PeopleFile], Mapping[str, Column]]]:
        """Files in as few groups as the types of these columns allow."""
        groups: dict[tuple[Column, ...], list[PeopleFile]] = {}
        for file in self.files:
            groups.setdefault(tuple(file.columns[name] for name in columns), []).append(file)
        for types, files in groups.items():
            yield files, dict(zip(columns, types, strict=True))


@dataclass(frozen=True, slots=True)
class PeopleSnapshot:
    """All that is needed to answer exactly, as of one PostgreSQL snapshot. Rows of ``stale`` contacts in files do not
    count; those who still exist are in ``fresh``. Whoever is neither stale nor in a file does not exist."""

    people: Rows
    objects: Mapping[str, Rows]  # by key of the type
    stale: pa.Int64Array  # ascending, unique
    version: tuple[int, ...] = ()  # ids of the files: answers over files alone may be kept under it
    since: datetime | None = None  # when the oldest change happened that is in no file; None: all are

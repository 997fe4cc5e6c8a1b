"""People and their objects out of PostgreSQL into Arrow, in the columns of files."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection
from pyarrow import csv

from hongyan.audience.population.columns import OBJECT, PEOPLE, Wanted, joins, selection
from hongyan.audience.population.types import Column, ColumnKind
from hongyan.core.sql import numbers, statement
from hongyan.events.history.arrays import Typed

CHUNK_BITS = 16
_SEPARATOR: Final = "\x1f"
FILLED: Final = {"filled": Column(ColumnKind.TEXTS)}
SETS: Final = {
    **FILLED,
    "tags": Column(ColumnKind.IDS),
    "lists": Column(ColumnKind.IDS),
    "consents": Column(ColumnKind.TEXTS),
}
_COPIED: Final = {ColumnKind.BOOLEAN: pa.bool_(), ColumnKind.INSTANT: pa.int64()}  # others come as text


def chunk_of(contact_id: int) -> int:
    return contact_id >> CHUNK_BITS


class Which(Protocol):
    """Some contacts."""

    def sql(self, column: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Chunk:
    number: int

    def sql(self, column: str) -> str:
        return f"{column} >= {self.number << CHUNK_BITS} AND {column} < {(self.number + 1) << CHUNK_BITS}"


@dataclass(frozen=True, slots=True)
class Ids:
    ids: Sequence[int]

    def sql(self, column: str) -> str:
        return f"{column} = ANY('{numbers(self.ids)}'::bigint[])"


@dataclass(frozen=True, slots=True)
class Read:
    """rows: ``contact_id`` and the columns. odd: columns with a number that no decimal of 38 digits holds; it is null
    there, so such a column answers nothing."""

    rows: pa.Table
    columns: Mapping[str, Column]
    odd: frozenset[str] = frozenset()


def people(link: Connection[Any], wanted: Mapping[str, Wanted], which: Which) -> Read:
    """Ascending by contact."""
    text = statement("hongyan.audience", "population.sql", "people")
    chosen = selection(wanted, PEOPLE)
    text = text.format(
        values=chosen.text,
        joins=joins(wanted, PEOPLE),
        here=which.sql("c.id"),
        there=which.sql("contact_id"),
    )
    return _read(_copied(link, text, chosen.params), wanted, SETS)


def objects(link: Connection[Any], wanted: Mapping[str, Wanted], type_id: int, which: Which) -> Read:
    text = statement("hongyan.audience", "population.sql", "objects")
    chosen = selection(wanted, OBJECT)
    text = text.format(
        values=chosen.text, joins=joins(wanted, OBJECT), type_id=int(type_id), there=which.sql("o.contact_id")
    )
    return _read(_copied(link, text, chosen.params), wanted, FILLED)


def _copied(link: Connection[Any], text: str, params: Mapping[str, Any]) -> bytes:
    with link.cursor() as cursor, cursor.copy(text.encode(), params) as answer:
        return b"".join(bytes(block) for block in answer)


def _read(data: bytes, wanted: Mapping[str, Wanted], sets: Mapping[str, Column]) -> Read:
    raw = _parsed(data, wanted, sets)
    found: dict[str, pa.Array] = {"contact_id": _whole(raw["contact_id"])}
    columns: dict[str, Column] = {}
    odd: set[str] = set()
    for name, column in wanted.items():
        values, columns[name], is_odd = _typed(_whole(raw[name]), column.kind)
        found[name] = values
        if is_odd:
            odd.add(name)
    for name, kept in sets.items():
        parts = pc.split_pattern(_whole(raw[name]), _SEPARATOR)
        found[name], columns[name] = parts.cast(kept.type), kept
    return Read(pa.table(found), columns, frozenset(odd))


def _parsed(data: bytes, wanted: Mapping[str, Wanted], sets: Mapping[str, Column]) -> pa.Table:
    types = {"contact_id": pa.int64()}
    types |= {name: _COPIED.get(column.kind, pa.string()) for name, column in wanted.items()}
    types |= dict.fromkeys(sets, pa.string())
    if not data:
        return pa.table({name: pa.array([], type_) for name, type_ in types.items()})
    return csv.read_csv(
        io.BytesIO(data),
        read_options=csv.ReadOptions(column_names=list(types), use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types,
            # COPY writes nothing for NULL and quotes for an empty text.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t", "true"],
            false_values=["f", "false"],
        ),
    )


def _typed(values: pa.Array, kind: ColumnKind) -> tuple[pa.Array, Column, bool]:
    match kind:
        case ColumnKind.NUMBER:
            typed = Typed.of(values)
            exact = typed.columns.get("n", pa.nulls(len(values), pa.decimal128(9, 0)))
            return exact, Column(kind, exact.type.precision, exact.type.scale), typed.odd is not None
        case ColumnKind.TEXTS:
            return _lists(values), Column(kind), False
        case _:
            return values, Column(kind), False


def _lists(texts: pa.Array) -> pa.Array:
    """JSON arrays as lists of the strings in them; few different ones."""
    coded = texts.dictionary_encode()
    lists = [[one for one in orjson.loads(text) if isinstance(one, str)] for text in coded.dictionary.to_pylist()]
    return pa.array(lists, pa.list_(pa.string())).take(coded.indices)


def _whole(values: pa.ChunkedArray) -> pa.Array:
    found = values.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)

"""Event rows out of PostgreSQL into Arrow, with some properties as JSON text."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from pyarrow import csv

from hongyan.core.sql import statement
from hongyan.events.history.arrays import value_column
from hongyan.events.history.types import TAIL_SCHEMA

# COPY's text format: tabs between, backslashes before what would be taken for one. JSON text has no control characters,
# so unescaping needs no more than dropping the backslash.
_PARSE: Final = csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, escape_char="\\")


def copy(connection: psycopg.Connection[Any], name: str, values: Mapping[str, Any], keys: Sequence[str]) -> pa.Table:
    """The rows of a statement of ``history.sql`` with TAIL_SCHEMA and the properties."""
    text = statement("hongyan.events", "history.sql", name)
    query = sql.SQL("COPY ({}) TO STDOUT (NULL '')").format(sql.SQL(text).format(columns=_columns(keys)))
    with connection.cursor() as cursor, cursor.copy(query, values) as answer:
        data = b"".join(bytes(block) for block in answer)
    return parse(data, keys)


def _columns(keys: Sequence[str]) -> sql.Composable:
    """The name as JSON, so that it holds no control character; times as whole microseconds."""
    own = "e.contact_id, to_json(e.name), (extract(epoch FROM e.occurred_at) * 1000000)::bigint, e.id"
    parts = [sql.SQL(own), *(sql.SQL("(e.properties -> {})").format(sql.Literal(key)) for key in keys)]
    return sql.SQL(", ").join(parts)


def parse(data: bytes, keys: Sequence[str]) -> pa.Table:
    names = [*TAIL_SCHEMA.names, *map(value_column, keys)]
    types = {name: pa.string() for name in names} | {
        "contact_id": pa.int64(),
        "at_us": pa.int64(),
        "event_id": pa.int64(),
        "name": pa.dictionary(pa.int32(), pa.string()),
    }
    if not data:
        return pa.table({name: pa.array([], pa.string() if name == "name" else types[name]) for name in names})
    table = csv.read_csv(
        io.BytesIO(data),
        read_options=csv.ReadOptions(column_names=names),
        parse_options=_PARSE,
        convert_options=csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True),
    )
    return table.set_column(1, "name", _plain(table["name"]))


def _plain(names: pa.ChunkedArray) -> pa.ChunkedArray:
    """JSON strings, few of them different, as text."""
    chunks = [
        pa.DictionaryArray.from_arrays(
            chunk.indices, pa.array([orjson.loads(text) for text in chunk.dictionary.to_pylist()], pa.string())
        ).dictionary_decode()
        for chunk in names.chunks
    ]
    return pa.chunked_array(chunks, pa.string())


def contacts_of(table: pa.Table) -> set[int]:
    return set(pc.unique(table["contact_id"]).to_pylist())

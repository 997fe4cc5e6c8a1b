"""Parquet in: the columns as the delimited text the rest reads. Sizes are looked at before anything is unpacked."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv, parquet

from hongyan.ingest.errors import FileRefused
from hongyan.ingest.files.types import MAX_COLUMNS, MAX_ROWS

MAGIC = b"PAR1"
_BATCH = 20_000
_MAX_INFLATED = 2 << 30


def as_delimited(source: BinaryIO) -> Iterator[bytes]:
    """UTF-8, commas, LF, with a header. Numbers keep the shortest text that reads back the same. Raises FileRefused."""
    source.seek(0)
    try:
        file = parquet.ParquetFile(pa.PythonFile(source, mode="r"))
        _check(file)
        for number, batch in enumerate(file.iter_batches(batch_size=_BATCH)):
            buffer = io.BytesIO()
            csv.write_csv(_plain(batch), buffer, csv.WriteOptions(include_header=number == 0, quoting_style="needed"))
            yield buffer.getvalue()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FileRefused("parquet_damaged") from error


def _check(file: Any) -> None:
    about = file.metadata
    if about.num_rows > MAX_ROWS:
        raise FileRefused("too_many_rows", limit=f"{MAX_ROWS:,}")
    if len(file.schema_arrow) > MAX_COLUMNS:
        raise FileRefused("too_many_columns", count=len(file.schema_arrow), limit=MAX_COLUMNS)
    inflated = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
    if inflated > _MAX_INFLATED:
        raise FileRefused("file_too_large", limit="2 GiB")


def _plain(batch: Any) -> Any:
    """Lists and structs have no place in a row of cells; decimals and times have a text form of their own."""
    columns = []
    for column, field in zip(batch.columns, batch.schema, strict=True):
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            raise FileRefused("parquet_nested", column=field.name[:80])
        if pa.types.is_dictionary(field.type):
            columns.append(column.dictionary_decode())
        elif pa.types.is_timestamp(field.type) and field.type.tz is None:
            columns.append(column.cast(pa.timestamp("s"), safe=False))
        else:
            columns.append(column)
    return pa.record_batch(columns, names=[str(name) for name in batch.schema.names])

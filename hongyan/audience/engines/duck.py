"""DuckDB in this process, over the files."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from django.conf import settings

from hongyan.audience.compiler.nodes import Op
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.dialects import DuckDB
from hongyan.audience.engines.kept import kept
from hongyan.audience.engines.reader import Reader
from hongyan.audience.engines.types import Extreme, Ids, Lasting, Leaf, Query, Unanswerable
from hongyan.events.history.store import Store

# What one question may take before it spills to disk; sequences over years of a million people stay below.
MEMORY: Final = "3GB"
_TESTS: Final[dict[Op, Callable[[Any, int], Any]]] = {Op.GE: np.greater_equal, Op.EQ: np.equal}


class DuckReader(Reader):
    dialect = DuckDB()
    beside_us = True

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._tables: list[str] = []

    def files(self, store: Store, paths: Sequence[str]) -> str:
        quoted = ", ".join("'" + store.local(path).replace("'", "''") + "'" for path in paths)
        return f"read_parquet([{quoted}])"

    def table(self, rows: pa.Table) -> str:
        name = f"rows_{len(self._tables)}"
        self.connection.register(name, rows)
        self._tables.append(name)
        return name

    def bits(self, leaf: Leaf, size: int) -> Bits:
        if isinstance(leaf, Ids):
            return self._ids(leaf.query, size) if leaf.lasting is None else self._lasting(leaf.lasting, size)
        found = self._found(leaf.query)
        ids = found["contact_id"]
        if isinstance(leaf, Extreme):
            return Bits.of_extremes(ids, found["t"], size, earliest=leaf.earliest, low=leaf.low, end=leaf.end)
        # Ids are dense: adding up by address costs a tenth of a hash table (measured 4 against 50 ns a row).
        test = _TESTS[leaf.op]
        return Bits.of_tally(ids, found["v"], size, lambda sums: test(sums, leaf.count))

    def _lasting(self, leaf: Lasting, size: int) -> Bits:
        said = (leaf.files.text, *sorted(leaf.files.params.items()), size)
        found = kept().get(said, lambda: self._ids(leaf.files, size))
        if len(leaf.stale):
            found -= Bits.of_ids(leaf.stale.to_numpy(zero_copy_only=False), size)
        return found if leaf.fresh is None else found | self._ids(leaf.fresh, size)

    def _ids(self, query: Query, size: int) -> Bits:
        return Bits.of_ids(self._found(query)["contact_id"], size)

    def _found(self, query: Query) -> dict[str, Any]:
        try:
            return self.connection.execute(query.text, query.params).fetchnumpy()
        except duckdb.OutOfRangeException as error:  # a sum beyond 38 digits
            raise Unanswerable("digits") from error


@contextmanager
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    """Of the database this process keeps: it remembers the footers and warm blocks of files it has read."""
    link = _own(os.getpid()).cursor()
    try:
        yield link
    finally:
        link.close()


@cache
def _own(_process: int) -> duckdb.DuckDBPyConnection:
    """A child process must not use its parent's."""
    scratch = settings.HONGYAN_DATA_DIR / "cache" / "duckdb"
    return opened(memory=MEMORY, scratch=str(scratch))


def opened(*, threads: int = 0, memory: str = MEMORY, scratch: str = "") -> duckdb.DuckDBPyConnection:
    """A connection that reads local files and never reaches for the network."""
    config: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "preserve_insertion_order": "false",
        "memory_limit": memory,
    }
    if threads:
        config["threads"] = threads
    if scratch:
        config["temp_directory"] = scratch
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET parquet_metadata_cache = true")  # files never change
    return connection

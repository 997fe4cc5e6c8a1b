"""Apache Spark through Spark Connect, over the same files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hongyan.audience.compiler.nodes import Op
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.compare import within
from hongyan.audience.engines.dialects import Spark
from hongyan.audience.engines.reader import Reader
from hongyan.audience.engines.types import Extreme, Leaf, Tally, Unanswerable
from hongyan.events.history.store import Store

# A bitmap of Spark: 4 KB for 32,768 neighbouring ids, the first bit for id 1.
_BUCKET_BYTES: Final = 4096
_TOGETHER: Final = 64  # conditions of one statement; planning takes longer and longer for more
_SIGNS: Final = {Op.GE: ">=", Op.EQ: "="}


class SparkReader(Reader):
    """Sets come back as bitmaps that the cluster has made: a hundred million people are 12 MB."""

    dialect = Spark()
    beside_us = False

    def __init__(self, session: Any) -> None:
        self.session = session
        self._views: dict[tuple[str, ...], str] = {}

    def files(self, store: Store, paths: Sequence[str]) -> str:
        urls = tuple(store.url(path).replace("s3://", "s3a://", 1) for path in paths)
        if urls not in self._views:
            self._views[urls] = self._view(self.session.read.parquet(*urls))
        return self._views[urls]

    def table(self, rows: pa.Table) -> str:
        return self._view(self.session.createDataFrame(rows))

    def bits(self, leaf: Leaf, size: int) -> Bits:
        return self.all_bits([leaf], size)[0]

    def all_bits(self, leaves: Sequence[Leaf], size: int) -> list[Bits]:
        """One statement: the cluster plans once, and reads at the same time what leaves need."""
        found: list[Bits] = []
        while some := leaves[len(found) : len(found) + _TOGETHER]:
            text = " UNION ALL ".join(self._bitmaps(place, leaf, size) for place, leaf in enumerate(some))
            params = {name: value for leaf in some for name, value in leaf.query.params.items()}
            rows = self._collected(text, params)
            found += [_joined(rows.filter(pc.equal(rows["leaf"], place)), size) for place in range(len(some))]
        return found

    @staticmethod
    def _bitmaps(place: int, leaf: Leaf, size: int) -> str:
        members = leaf.query.text
        if isinstance(leaf, Extreme):
            chosen = within("min(t)" if leaf.earliest else "max(t)", leaf.low, leaf.end)
            members = f"SELECT contact_id FROM ({members}) GROUP BY contact_id HAVING {chosen}"
        elif isinstance(leaf, Tally):
            members = (
                f"SELECT contact_id FROM ({members}) GROUP BY contact_id HAVING sum(v) {_SIGNS[leaf.op]} {leaf.count}"
            )
        return (
            f"SELECT {place} AS leaf, bitmap_bucket_number(contact_id) AS bucket, "
            "bitmap_construct_agg(bitmap_bit_position(contact_id)) AS bits "
            f"FROM ({members}) WHERE contact_id BETWEEN 1 AND {size} GROUP BY 1, 2"
        )

    def _collected(self, text: str, params: dict[str, Any]) -> pa.Table:
        from pyspark.errors.exceptions.connect import ArithmeticException

        try:
            return self.session.sql(text, args=params).toArrow()
        except ArithmeticException as error:  # a sum beyond 38 digits
            raise Unanswerable("digits") from error

    def close(self) -> None:
        for name in self._views.values():
            self.session.catalog.dropTempView(name)

    def _view(self, frame: Any) -> str:
        name = f"v_{uuid4().hex}"
        frame.createOrReplaceTempView(name)
        self._views.setdefault((name,), name)
        return name


def _joined(found: pa.Table, size: int) -> Bits:
    data = np.zeros((size + 7) // 8, np.uint8)
    for bucket, bits in zip(found["bucket"].to_pylist(), found["bits"].to_pylist(), strict=True):
        begin = (bucket - 1) * _BUCKET_BYTES
        part = np.frombuffer(bits, np.uint8)[: len(data) - begin]
        data[begin : begin + len(part)] = part
    return Bits(data)


@contextmanager
def session(url: str) -> Iterator[Any]:
    """One for a question: sessions of Spark Connect are cheap, and what they name is gone with them."""
    from pyspark.sql import SparkSession

    found = SparkSession.builder.remote(url).create()
    try:
        for name, value in SETTINGS.items():
            found.conf.set(name, value)
        yield found
    finally:
        found.stop()


SETTINGS: Final = {
    "spark.sql.caseSensitive": "true",  # properties may differ by case alone
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # a sum that is too long is an error, not NULL
}

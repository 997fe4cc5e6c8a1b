from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pyarrow as pa

from hongyan.audience.compiler.nodes import Op


class Engine(StrEnum):
    AUTO = "auto"
    POSTGRES = "postgres"
    DUCKDB = "duckdb"
    SPARK = "spark"


class Unanswerable(Exception):
    """Files cannot say this exactly; PostgreSQL answers the leaf."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement in a reader's dialect with its bound values."""

    text: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lasting:
    """The same people said apart: what files say, which stays so as long as they are the files, but for ``stale``
    contacts, and whom ``fresh`` rows add."""

    files: Query
    stale: pa.Int64Array
    fresh: Query | None


@dataclass(frozen=True, slots=True)
class Ids:
    """Rows of ``contact_id``, repeats allowed: whoever is among them. inverted: everybody else. lasting: where the
    answer of files may be remembered."""

    query: Query
    inverted: bool = False
    lasting: Lasting | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of ``contact_id`` and a whole number ``v`` ≥ 0, added up by contact: whose sum is so. Nobody without a row
    is meant. inverted: everybody else."""

    query: Query
    op: Op
    count: int
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Extreme:
    """Rows of ``contact_id`` and ``t`` (µs), repeats allowed: whose earliest (or latest) is in [low, end). inverted:
    everybody else."""

    query: Query
    earliest: bool
    low: int | None
    end: int | None
    inverted: bool = False


Leaf = Ids | Tally | Extreme

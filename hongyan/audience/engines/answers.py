"""What came out of a question."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from hongyan.audience import rows
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.types import Engine
from hongyan.core.sql import SQL


class Answer(ABC):
    """Who fulfils a segment, as of one moment. engine: who said so."""

    engine: Engine

    @abstractmethod
    def count(self) -> int: ...

    @abstractmethod
    def ids(self) -> pa.Int64Array:
        """Contact ids, ascending."""

    @abstractmethod
    def sample(self, n: int) -> list[int]:
        """The newest n contacts, newest first."""


@dataclass(frozen=True, slots=True)
class BitsAnswer(Answer):
    bits: Bits
    engine: Engine

    def count(self) -> int:
        return self.bits.count()

    def ids(self) -> pa.Int64Array:
        return pa.array(self.bits.ids(), pa.int64())

    def sample(self, n: int) -> list[int]:
        return self.bits.last(n)


@dataclass(frozen=True, slots=True)
class SQLAnswer(Answer):
    """A statement, asked only for what is wanted of it; each method sees the database of its own moment."""

    members: SQL
    engine: Engine = Engine.POSTGRES

    def count(self) -> int:
        return int(self._query("SELECT count(*) FROM ({members}) members")[0][0])

    def ids(self) -> pa.Int64Array:
        found = self._query("SELECT id FROM ({members}) members ORDER BY id")
        return pa.array([row[0] for row in found], pa.int64())

    def sample(self, n: int) -> list[int]:
        found = self._query("SELECT id FROM ({members}) members ORDER BY id DESC LIMIT %(n)s", n=n)
        return [row[0] for row in found]

    def _query(self, text: str, **more: object) -> list[tuple[Any, ...]]:
        return rows.query(text.format(members=self.members.text), {**self.members.params, **more})


def bits_of(found: Sequence[tuple[Any, ...]], size: int) -> Bits:
    return Bits.of_ids(np.array([row[0] for row in found], np.int64), size)

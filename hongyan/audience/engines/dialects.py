"""Where DuckDB and Spark spell the same thing differently."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final

UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Dialect(ABC):
    text: str  # the type of texts

    @abstractmethod
    def quote(self, name: str) -> str: ...

    def name(self, place: int) -> str:
        """Of the bound value at this place of a statement."""
        return f"a{place}"

    @abstractmethod
    def placeholder(self, name: str) -> str: ...

    @abstractmethod
    def starts(self, text: str, part: str) -> str: ...

    @abstractmethod
    def in_window(self, low: int | None, end: int) -> str:
        """How many of the list ``times`` fall into [low, end)."""

    @abstractmethod
    def exploded(self, lists: Mapping[str, str], plain: Sequence[str], source: str) -> str:
        """SELECT with a row an element: ``contact_id``, each list (quoted column) under its name, then ``plain``
        expressions. source: what follows FROM."""

    @abstractmethod
    def holds(self, column: str, value: str) -> str:
        """The list holds the value; NULL or false when not."""

    @abstractmethod
    def overlaps(self, column: str, numbers: Sequence[int]) -> str:
        """The list of numbers holds one of these; NULL or false when not."""

    @abstractmethod
    def follows(self, before: str, step: str, span: int | None) -> str:
        """Rows (contact_id, t) of ``step`` with a row of ``before`` earlier, by at most ``span`` µs."""

    @abstractmethod
    def stays_away(self, before: str, step: str, span: int) -> str:
        """Rows of ``before`` with no row of ``step`` later by at most ``span`` µs."""

    @abstractmethod
    def chosen(self, value: str, *, first: bool) -> str:
        """The value in the first or last row of a group, by time and event id."""

    @abstractmethod
    def part(self, text: str, form: str) -> str:
        """What of the text has that form (a regular expression of our own, without quotation marks); "" for nothing."""

    @abstractmethod
    def clock_micros(self, text: str) -> str:
        """µs since 1970 of "2026-11-22T10:00:00.5", read as if it were in UTC; NULL for what no calendar has."""

    def whole_number(self, text: str) -> str:
        return f"TRY_CAST({text} AS INT)"

    def fold(self, text: str) -> str:
        """A–Z to lower case and nothing else, as ``compiler.emit.fold``."""
        return f"translate({text}, '{UPPER}', '{UPPER.lower()}')"

    def contains(self, text: str, part: str) -> str:
        return f"instr({text}, {part}) > 0"

    def when(self, low: int | None, end: int, at: str) -> str:
        return f"{at} < {end}" if low is None else f"{at} >= {low} AND {at} < {end}"


class DuckDB(Dialect):
    text = "VARCHAR"

    def quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def placeholder(self, name: str) -> str:
        return f"${name}"

    def starts(self, text: str, part: str) -> str:
        return f"starts_with({text}, {part})"

    def in_window(self, low: int | None, end: int) -> str:
        return f"len(list_filter(times, lambda x: {self.when(low, end, 'x')}))"

    def exploded(self, lists: Mapping[str, str], plain: Sequence[str], source: str) -> str:
        taken = [f"unnest({column}) AS {name}" for name, column in lists.items()]
        return f"SELECT {', '.join(['contact_id', *taken, *plain])} FROM {source}"

    def holds(self, column: str, value: str) -> str:
        return f"list_contains({column}, {value})"

    def overlaps(self, column: str, numbers: Sequence[int]) -> str:
        return f"list_has_any({column}, [{', '.join(map(str, numbers))}]::BIGINT[])"

    def chosen(self, value: str, *, first: bool) -> str:
        return f"arg_{'min' if first else 'max'}({value}, row(t, i))"

    def part(self, text: str, form: str) -> str:
        return f"regexp_extract({text}, '{form}')"

    def clock_micros(self, text: str) -> str:
        return f"epoch_us(TRY_CAST({text} AS TIMESTAMP))"

    def follows(self, before: str, step: str, span: int | None) -> str:
        near = "" if span is None else f" WHERE s.t - p.t <= {span}"
        return (
            f"SELECT s.contact_id, s.t FROM {step} s ASOF JOIN {before} p "
            f"ON s.contact_id = p.contact_id AND s.t > p.t{near}"
        )

    def stays_away(self, before: str, step: str, span: int) -> str:
        return (
            f"SELECT p.contact_id, p.t FROM {before} p ASOF LEFT JOIN {step} s "
            f"ON p.contact_id = s.contact_id AND p.t < s.t WHERE s.t IS NULL OR s.t - p.t > {span}"
        )


class Spark(Dialect):
    text = "STRING"

    def __init__(self) -> None:
        self._places = count()

    def name(self, place: int) -> str:  # noqa: ARG002
        """Never the same twice, so that statements can be put together."""
        return f"a{next(self._places)}"

    def quote(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def placeholder(self, name: str) -> str:
        return f":{name}"

    def starts(self, text: str, part: str) -> str:
        return f"startswith({text}, {part})"

    def in_window(self, low: int | None, end: int) -> str:
        return f"size(filter(times, x -> {self.when(low, end, 'x')}))"

    def exploded(self, lists: Mapping[str, str], plain: Sequence[str], source: str) -> str:
        zipped = f"arrays_zip({', '.join(lists.values())})"
        inner = f"SELECT contact_id, inline({zipped}) AS ({', '.join(lists)}) FROM {source}"
        return f"SELECT {', '.join(['contact_id', *lists, *plain])} FROM ({inner})"

    def holds(self, column: str, value: str) -> str:
        return f"array_contains({column}, {value})"

    def overlaps(self, column: str, numbers: Sequence[int]) -> str:
        return f"arrays_overlap({column}, array({', '.join(f'{number}L' for number in numbers)}))"

    def chosen(self, value: str, *, first: bool) -> str:
        return f"{'min' if first else 'max'}_by({value}, struct(t, i))"

    def part(self, text: str, form: str) -> str:
        return f"regexp_extract({text}, '{form}', 0)"

    def clock_micros(self, text: str) -> str:
        """With the zone said, so that the session's does not count, and with seconds."""
        whole = f"concat({text}, CASE WHEN length({text}) = 16 THEN ':00Z' ELSE 'Z' END)"
        return f"unix_micros(TRY_CAST({whole} AS TIMESTAMP))"

    def follows(self, before: str, step: str, span: int | None) -> str:
        near = "" if span is None else f" AND t - p <= {span}"
        earlier = self._near("max", 0, "UNBOUNDED PRECEDING AND 1 PRECEDING")
        return self._beside(before, step, earlier, f"k = 1 AND p IS NOT NULL{near}")

    def stays_away(self, before: str, step: str, span: int) -> str:
        later = self._near("min", 1, "1 FOLLOWING AND UNBOUNDED FOLLOWING")
        return self._beside(before, step, later, f"k = 0 AND (p IS NULL OR p - t > {span})")

    @staticmethod
    def _near(which: str, kind: int, rows: str) -> str:
        return (
            f"{which}(CASE WHEN k = {kind} THEN t END) OVER (PARTITION BY contact_id ORDER BY t RANGE BETWEEN {rows})"
        )

    @staticmethod
    def _beside(before: str, step: str, other: str, kept: str) -> str:
        both = f"SELECT contact_id, t, 0 AS k FROM {before} UNION ALL SELECT contact_id, t, 1 AS k FROM {step}"
        return f"SELECT contact_id, t FROM (SELECT contact_id, t, k, {other} AS p FROM ({both})) WHERE {kept}"


class Values:
    """Bound values of one statement."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.held: dict[str, Any] = {}

    def bind(self, value: object) -> str:
        name = self.dialect.name(len(self.held))
        self.held[name] = value
        return self.dialect.placeholder(name)

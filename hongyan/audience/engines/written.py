"""Times written in texts, as DuckDB and Spark read them alike. ``compiler.written`` says what is one."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hongyan.audience.compiler.written import DAY, LOCAL, OFFSET, PLAIN, ZONED, Span, micros
from hongyan.audience.engines.dialects import Dialect, DuckDB, Values
from hongyan.audience.engines.duck import cursor

NONE: Final = 0
A_DAY: Final = 1
A_CLOCK_TIME: Final = 2
AN_INSTANT: Final = 3


@dataclass(frozen=True, slots=True)
class Times:
    """What texts say as times: how each is written, and its µs since 1970, of days and clock times as if in UTC."""

    kinds: NDArray[np.int8]
    at: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        return int(self.kinds.nbytes + self.at.nbytes)


def times_of(texts: pa.Array) -> Times:
    kinds, at = np.zeros(len(texts), np.int8), np.zeros(len(texts), np.int64)
    rows = pa.table({"place": np.arange(len(texts)), "text": texts})
    with cursor() as link:
        link.register("texts", rows)
        found = link.execute(_READ).fetchnumpy()
    kinds[found["place"]], at[found["place"]] = found["kind"], found["moment"]
    return Times(kinds, at)


def span_marked(times: Times, meant: Span) -> NDArray[np.bool_]:
    days = _between(times, A_DAY, *_of_days(meant))
    clock_times = _between(times, A_CLOCK_TIME, *_micros(meant.clock_first, meant.clock_end))
    return np.asarray(days | clock_times | _between(times, AN_INSTANT, *_micros(meant.first, meant.end)))


def _between(times: Times, kind: int, first: int | None, end: int | None) -> NDArray[np.bool_]:
    found = times.kinds == kind
    if first is not None:
        found &= times.at >= first
    if end is not None:
        found &= times.at < end
    return np.asarray(found)


def written_test(text: str, meant: Span, values: Values) -> str:
    """text: a column that may hold anything."""
    dialect = values.dialect
    day = _within(_micros_of_day(text, dialect), *_of_days(meant))
    clock_time = _within(_micros_of_clock(text, dialect), *_micros(meant.clock_first, meant.clock_end))
    instant = _within(_micros_of_instant(text, dialect), *_micros(meant.first, meant.end))
    return (
        f"(CASE WHEN {_has(text, DAY, dialect)} THEN {day} WHEN {_has(text, LOCAL, dialect)} THEN {clock_time} "
        f"WHEN {_has(text, ZONED, dialect)} THEN {instant} END)"
    )


def _of_days(meant: Span) -> tuple[int | None, int | None]:
    """As the µs of their midnights."""
    after, to = (
        None if day is None else np.datetime64(day, "us").astype(np.int64) for day in (meant.days_after, meant.days_to)
    )
    return None if after is None else int(after) + 1, None if to is None else int(to) + 1


def _micros(first: Any, end: Any) -> tuple[int | None, int | None]:
    low, high = (None if at is None else micros(at) for at in (first, end))
    return low, high


def _within(at: str, first: int | None, end: int | None) -> str:
    parts = [f"{at} >= {first}"] if first is not None else []
    return " AND ".join([*parts, f"{at} < {end}"] if end is not None else parts) or f"{at} IS NOT NULL"


def _has(text: str, form: str, dialect: Dialect) -> str:
    """All of the text: before a line's end "end" means one thing here and another there."""
    return f"{dialect.part(text, form)} = {text}"


def _micros_of_day(text: str, dialect: Dialect) -> str:
    return dialect.clock_micros(f"concat({text}, 'T00:00')")


def _micros_of_clock(text: str, dialect: Dialect) -> str:
    return dialect.clock_micros(dialect.part(text, PLAIN))


def _micros_of_instant(text: str, dialect: Dialect) -> str:
    digits = f"replace({dialect.part(text, OFFSET)}, ':', '')"
    hours, minutes = (f"coalesce({dialect.whole_number(f'substr({digits}, {place}, 2)')}, 0)" for place in (2, 4))
    size = f"({hours} * 60 + {minutes}) * CASE WHEN substr({digits}, 1, 1) = '-' THEN -1 ELSE 1 END"
    return f"({_micros_of_clock(text, dialect)} - CAST({size} AS BIGINT) * 60000000)"


def _read() -> str:
    duck = DuckDB()
    forms = [
        (A_DAY, DAY, _micros_of_day("text", duck)),
        (A_CLOCK_TIME, LOCAL, _micros_of_clock("text", duck)),
        (AN_INSTANT, ZONED, _micros_of_instant("text", duck)),
    ]
    kinds = " ".join(f"WHEN {_has('text', form, duck)} THEN {kind}" for kind, form, _ in forms)
    ats = " ".join(f"WHEN {_has('text', form, duck)} THEN {at}" for _, form, at in forms)
    inner = f"SELECT place, CASE {kinds} ELSE {NONE} END AS kind, CASE {ats} END AS moment FROM texts"
    return f"SELECT place, kind, moment FROM ({inner}) WHERE moment IS NOT NULL"


_READ: Final = _read()

"""Comparisons that two columnar engines and Python decide alike, to the last digit and microsecond."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from hongyan.audience.compiler.compare import fold
from hongyan.audience.compiler.nodes import Op
from hongyan.audience.compiler.times import end_instant, first_instant
from hongyan.audience.engines.dialects import Values
from hongyan.audience.engines.types import Unanswerable

WIDEST: Final = 38  # digits of a decimal in both engines
EXACT: Final = Context(prec=2000)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Digits:
    """Type of a decimal column."""

    precision: int
    scale: int

    @property
    def sql(self) -> str:
        return f"DECIMAL({self.precision}, {self.scale})"

    def joined(self, other: "Digits") -> "Digits":
        """Wide enough for both. Raises Unanswerable when no decimal is."""
        whole = max(self.precision - self.scale, other.precision - other.scale)
        scale = max(self.scale, other.scale)
        if whole + scale > WIDEST:
            raise Unanswerable("digits")
        return Digits(max(1, whole + scale), scale)


def number(value: object) -> Decimal:
    """As it was written: 0.1 is a tenth."""
    return Decimal(str(value))


def digits_of(value: Decimal) -> Digits:
    """The narrowest type that holds the value."""
    _sign, figures, exponent = value.normalize(EXACT).as_tuple()
    exponent = int(exponent)
    scale = max(0, -exponent)
    found = Digits(max(len(figures) + max(0, exponent), scale, 1), scale)
    if found.precision > WIDEST:
        raise Unanswerable("digits")
    return found


def number_test(expression: str, digits: Digits, op: Op, value: Any) -> str:
    """A decimal column against a number (several for ``in`` and ``between``). The number is first brought to the
    column's own scale, rounded so that the comparison stays the same, so no engine converts anything."""
    match op:
        case Op.IS_SET:
            return f"{expression} IS NOT NULL"
        case Op.IN:
            return _any(number_test(expression, digits, Op.EQ, one) for one in value)
        case Op.BETWEEN:
            low, high = value
            above = number_test(expression, digits, Op.GE, low)
            return f"({above} AND {number_test(expression, digits, Op.LE, high)})"
        case _:
            return _single(expression, digits, op, number(value))


def _single(expression: str, digits: Digits, op: Op, value: Decimal) -> str:
    units = value.scaleb(digits.scale, EXACT)
    low, high = (int(units.to_integral_value(way, EXACT)) for way in (ROUND_FLOOR, ROUND_CEILING))
    most = 10**digits.precision - 1
    match op:
        case Op.EQ:
            if low != high or abs(low) > most:
                return "FALSE"
            return f"{expression} = {_literal(low, digits)}"
        case Op.GE | Op.LT:  # x ≥ v as x ≥ ⌈v⌉, x < v as x < ⌈v⌉
            edge = high
            if edge > most:
                return "FALSE" if op is Op.GE else f"{expression} IS NOT NULL"
            if edge < -most:
                return f"{expression} IS NOT NULL" if op is Op.GE else "FALSE"
        case _:  # x > v as x > ⌊v⌋, x ≤ v as x ≤ ⌊v⌋
            edge = low
            if edge > most:
                return "FALSE" if op is Op.GT else f"{expression} IS NOT NULL"
            if edge < -most:
                return f"{expression} IS NOT NULL" if op is Op.GT else "FALSE"
    return f"{expression} {op.value} {_literal(edge, digits)}"


def _literal(units: int, digits: Digits) -> str:
    return f"CAST('{Decimal(units).scaleb(-digits.scale, EXACT):f}' AS {digits.sql})"


def text_test(expression: str, op: Op, value: Any, values: Values) -> str:
    """A text column in which NULL is missing; an empty text counts as missing too."""
    dialect = values.dialect
    match op:
        case Op.IS_SET:
            return f"{expression} <> ''"
        case Op.IN:
            return f"{expression} IN ({', '.join(values.bind(one) for one in value)})"
        case Op.CONTAINS:
            return dialect.contains(dialect.fold(expression), values.bind(fold(value)))
        case Op.STARTS_WITH:
            return dialect.starts(dialect.fold(expression), values.bind(fold(value)))
        case _:
            return f"{expression} = {values.bind(value)}"


def micros(at: datetime) -> int:
    """µs since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant_test(expression: str, op: Op, value: Any, now: datetime, zone: ZoneInfo) -> str:
    """An instant in µs."""
    return within(expression, *instant_bounds(op, value, now, zone))


def within(expression: str, low: int | None, end: int | None) -> str:
    """A whole number in [low, end)."""
    parts = [f"{expression} >= {low}"] if low is not None else []
    parts += [f"{expression} < {end}"] if end is not None else []
    return f"({' AND '.join(parts)})" if parts else f"{expression} IS NOT NULL"


def instant_bounds(op: Op, value: Any, now: datetime, zone: ZoneInfo) -> tuple[int | None, int | None]:
    """[low, end) in µs that a comparison of instants means."""
    match op:
        case Op.IS_SET:
            return None, None
        case Op.BEFORE:
            return None, micros(first_instant(value, zone))
        case Op.AFTER:
            return micros(end_instant(value, zone)), None
        case Op.BETWEEN:
            return micros(first_instant(value[0], zone)), micros(end_instant(value[1], zone))
        case Op.WITHIN_LAST_DAYS:
            return micros(now - timedelta(days=value)), micros(now) + 1
        case _:
            return micros(now), micros(now + timedelta(days=value)) + 1


def _any(tests: Any) -> str:
    return f"({' OR '.join(tests)})"

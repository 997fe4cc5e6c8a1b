"""How two plain values compare, in Python. Numbers are exact: 0.1 is a tenth, as PostgreSQL's numeric holds it."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hongyan.audience.compiler.nodes import Op


def compare_plain(op: Op, have: Any, want: Any) -> bool:
    """``have`` is not missing, ``op`` is not negative."""
    match op:
        case Op.EQ:
            return same(have, want)
        case Op.IN:
            return any(same(have, item) for item in want)
        case Op.CONTAINS:
            return fold(want) in fold(have)
        case Op.STARTS_WITH:
            return fold(have).startswith(fold(want))
        case Op.BETWEEN:
            return exact(want[0]) <= exact(have) <= exact(want[1])
        case Op.GT:
            return exact(have) > exact(want)
        case Op.GE:
            return exact(have) >= exact(want)
        case Op.LT:
            return exact(have) < exact(want)
        case _:
            return exact(have) <= exact(want)


def same(have: Any, want: Any) -> bool:
    if isinstance(have, bool) or isinstance(want, bool):
        return have is want
    if is_number(have) and is_number(want):
        return exact(have) == exact(want)
    return bool(have == want)


def exact(number: Any) -> Fraction:
    """The number as it was written.

    >>> exact(0.1)
    Fraction(1, 10)
    """
    return number if isinstance(number, Fraction) else Fraction(Decimal(str(number)))


def is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool)


def fold(text: str) -> str:
    """A–Z to lower case and nothing else: what ``lower`` does under the C collation on every PostgreSQL, so that the
    answer does not depend on how the database was set up."""
    return "".join(letter.lower() if "A" <= letter <= "Z" else letter for letter in text)

"""Conditions on a pair of records, each in SQL for Splink and in Python for one pair at a time. A property test holds
the two together; combined with ``&``, ``|`` and ``~`` they stay together by construction.

What is unknown fulfils no condition: in SQL every condition is true or false, never NULL.
Thresholds of similarity lie beside round numbers, so that no rounding of the last bit decides.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from hongyan.identity.matching.features import Features


@dataclass(frozen=True, slots=True)
class Condition:
    sql: str
    test: Callable[[Features, Features], bool]

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(f"({self.sql} and {other.sql})", lambda a, b: self.test(a, b) and other.test(a, b))

    def __or__(self, other: "Condition") -> "Condition":
        return Condition(f"({self.sql} or {other.sql})", lambda a, b: self.test(a, b) or other.test(a, b))

    def __invert__(self) -> "Condition":
        return Condition(f"(not {self.sql})", lambda a, b: not self.test(a, b))


def text(row: Features, column: str) -> str:
    """Its value, "" when unknown."""
    return getattr(row, column) or ""


def unknown(column: str) -> Condition:
    return Condition(
        f"({column}_l is null or {column}_r is null)",
        lambda a, b: getattr(a, column) is None or getattr(b, column) is None,
    )


def same(column: str) -> Condition:
    return Condition(f"coalesce({column}_l = {column}_r, false)", lambda a, b: text(a, column) == text(b, column) != "")


def crossed(left: str, right: str) -> Condition:
    """The value of one column on the left in another on the right."""
    return Condition(f"coalesce({left}_l = {right}_r, false)", lambda a, b: text(a, left) == text(b, right) != "")


def near(left: str, at_least: float, right: str = "") -> Condition:
    """Jaro-Winkler similarity."""
    right = right or left
    return Condition(
        f"coalesce(jaro_winkler_similarity({left}_l, {right}_r) >= {at_least}, false)",
        lambda a, b: (
            bool(text(a, left) and text(b, right)) and JaroWinkler.similarity(text(a, left), text(b, right)) >= at_least
        ),
    )


def typos(column: str, at_most: int, *, longer_than: int = 0) -> Condition:
    """Damerau-Levenshtein distance. longer_than: of the shorter value, in characters."""
    left, right = f"{column}_l", f"{column}_r"
    # Cheap tests first: DuckDB's Levenshtein takes a tenth of the time and counts a transposition as two.
    sql = (
        f"abs(length({left}) - length({right})) <= {at_most} and levenshtein({left}, {right}) <= {2 * at_most} "
        f"and damerau_levenshtein({left}, {right}) <= {at_most}"
    )

    def test(a: Features, b: Features) -> bool:
        x, y = text(a, column), text(b, column)
        if min(len(x), len(y)) <= longer_than:
            return False
        return DamerauLevenshtein.distance(x, y, score_cutoff=at_most) <= at_most

    return Condition(f"coalesce(least(length({left}), length({right})) > {longer_than} and {sql}, false)", test)


def long(column: str, at_least: int) -> Condition:
    """Both values have that many characters."""
    return Condition(
        f"coalesce(length({column}_l) >= {at_least} and length({column}_r) >= {at_least}, false)",
        lambda a, b: min(len(text(a, column)), len(text(b, column))) >= at_least,
    )


def part(column: str, start: int, length: int, other: int = 0) -> Condition:
    """Characters from ``start`` (1-based) are the same; other: where they stand on the right."""
    other = other or start
    return Condition(
        f"coalesce(substr({column}_l, {start}, {length}) = substr({column}_r, {other}, {length}), false)",
        lambda a, b: (
            bool(text(a, column) and text(b, column))
            and text(a, column)[start - 1 : start - 1 + length] == text(b, column)[other - 1 : other - 1 + length]
        ),
    )


def ending(column: str, length: int) -> Condition:
    return Condition(
        f"coalesce(right({column}_l, {length}) = right({column}_r, {length}), false)",
        lambda a, b: text(a, column)[-length:] == text(b, column)[-length:] != "",
    )


def initial(column: str) -> Condition:
    """One of the two is an initial, and of the other."""
    return Condition(
        f"coalesce(least(length({column}_l), length({column}_r)) = 1 "
        f"and substr({column}_l, 1, 1) = substr({column}_r, 1, 1), false)",
        lambda a, b: min(len(text(a, column)), len(text(b, column))) == 1 and text(a, column)[0] == text(b, column)[0],
    )


def share(column: str) -> Condition:
    """Two lists have something in common; column: one of ``features.LISTS``."""
    return Condition(
        f"coalesce(list_has_any({column}_l, {column}_r), false)",
        lambda a, b: not set(getattr(a, column)).isdisjoint(getattr(b, column)),
    )

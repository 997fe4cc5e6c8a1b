"""One pair at a time, in Python: the same levels, weights and rare values as Splink uses."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hongyan.identity.matching.comparisons import Comparison, Level
from hongyan.identity.matching.features import Features
from hongyan.identity.matching.weights import Weights

Frequency = Callable[[str, str], float | None]  # column, value → share of records that have it; None: rare


@dataclass(frozen=True, slots=True)
class Finding:
    """What one comparison said. level "unknown": nothing."""

    comparison: str
    level: str
    weight: float
    rarity: float = 0.0  # part of the weight that comes from how rare the value is

    def dump(self) -> dict[str, Any]:
        return {
            "comparison": self.comparison,
            "level": self.level,
            "weight": round(self.weight, 3),
            "rarity": round(self.rarity, 3),
        }


@dataclass(frozen=True, slots=True)
class Score:
    weight: float  # log2 of the odds
    start: float  # … before anything was compared
    findings: tuple[Finding, ...]

    @property
    def probability(self) -> float:
        return probability(self.weight)


def probability(weight: float) -> float:
    """As Splink computes it: 2^w / (1 + 2^w)."""
    if weight > 1000:
        return 1.0
    return 2**weight / (1 + 2**weight)


def score(a: Features, b: Features, weights: Weights, frequency: Frequency) -> Score:
    implied = weights.notes.get("implied", ())
    a, b = _without(a, implied), _without(b, implied)
    findings = tuple(_find(item, a, b, weights, frequency) for item in weights.comparisons)
    return Score(weights.start + sum(item.weight for item in findings), weights.start, findings)


def _without(row: Features, implied: Sequence[str]) -> Features:
    """Columns that the city implies, see ``Engine``, are compared only where the city is not known."""
    unknown: dict[str, Any] = dict.fromkeys(implied)
    return row._replace(**unknown) if unknown and row.city is not None else row


def _find(item: Comparison, a: Features, b: Features, weights: Weights, frequency: Frequency) -> Finding:
    if item.unknown.test(a, b):
        return Finding(item.name, "unknown", 0.0)
    for level, weight in zip(item.levels, weights.levels[item.name], strict=True):
        if level.when.test(a, b):
            values = values_of(level.tf, a, b) if level.tf and weights.trained else set()
            rarity = _rarity(level, weight.u, values, weights.tf_floor, frequency) if values else 0.0
            return Finding(item.name, level.name, weight.weight + rarity, rarity)
    raise AssertionError(f"{item.name} has no last level")  # pragma: no cover


def values_of(column: str, a: Features, b: Features) -> set[str]:
    return {value for row in (a, b) if (value := getattr(row, column)) is not None}


def _rarity(level: Level, u: float, values: set[str], floor: float, frequency: Frequency) -> float:
    """A rare value in common says more than a common one. Of two values the more frequent counts."""
    known = [found for value in sorted(values) if (found := frequency(level.tf, value)) is not None]
    return level.tf_weight * (math.log2(u) - math.log2(max([*known, floor])))

"""The model as data: for each level how often it happens among matches (m) and among others (u). JSON in, JSON out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from hongyan.identity.matching.comparisons import ALL, BY_NAME, Comparison

PRIOR_RECORDS = 1000  # lambda of the shipped weights, when nothing is known: one record in … has a given twin


@dataclass(frozen=True, slots=True)
class LevelWeight:
    m: float
    u: float

    @property
    def weight(self) -> float:
        return math.log2(self.m / self.u)


@dataclass(frozen=True, slots=True)
class Weights:
    """trained False: the shipped ones, for records too few to say what is rare. chance: that two records taken at
    random are one person. tf_floor: rarer values count as this rare."""

    chance: float
    tf_floor: float
    levels: Mapping[str, tuple[LevelWeight, ...]]  # by comparison, in the order of its levels
    trained: bool = False
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def comparisons(self) -> Sequence[Comparison]:
        return [BY_NAME[name] for name in self.levels]

    @property
    def start(self) -> float:
        """The weight before anything was compared."""
        return math.log2(self.chance / (1 - self.chance))

    def dump(self) -> dict[str, Any]:
        return {
            "chance": self.chance,
            "tf_floor": self.tf_floor,
            "trained": self.trained,
            "notes": dict(self.notes),
            "comparisons": {
                name: {
                    level.name: {"m": weight.m, "u": weight.u, "tf": level.tf, "tf_weight": level.tf_weight}
                    for level, weight in zip(BY_NAME[name].levels, weights, strict=True)
                }
                for name, weights in self.levels.items()
            },
        }

    @classmethod
    def load(cls, raw: Mapping[str, Any]) -> Self:
        """Comparisons and levels that this version does not know are left out; missing ones keep their prior."""
        levels = {
            name: tuple(
                LevelWeight(found[level.name]["m"], found[level.name]["u"])
                if level.name in found
                else LevelWeight(level.m, level.u)
                for level in BY_NAME[name].levels
            )
            for name, found in raw["comparisons"].items()
            if name in BY_NAME
        }
        return cls(raw["chance"], raw["tf_floor"], levels, trained=raw["trained"], notes=raw.get("notes", {}))

    def with_levels(self, levels: Mapping[str, tuple[LevelWeight, ...]], chance: float) -> Self:
        return replace(self, levels=dict(levels), chance=chance, trained=True)


def prior(filled: Mapping[str, float], records: int) -> Weights:
    """The shipped weights for the columns that are filled at all. filled: column → share of records."""
    used = [item for item in ALL if all(filled.get(column, 0) > 0 for column in item.needs)]
    used = used or [ALL[0]]  # Splink wants something to compare
    levels = {item.name: tuple(LevelWeight(level.m, level.u) for level in item.levels) for item in used}
    return Weights(1 / max(records, 2), tf_floor(records), levels)


def tf_floor(records: int) -> float:
    """A value that one or two records have says no more than that it is rare."""
    return 2 / max(records, 2)


def splink_settings(weights: Weights, rules: Sequence[str]) -> dict[str, Any]:
    """rules: blocking conditions in SQL."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "uid",
        "probability_two_random_records_match": weights.chance,
        "retain_matching_columns": True,  # without them Splink leaves the levels out
        "retain_intermediate_calculation_columns": True,
        "comparisons": [_comparison(item, weights) for item in weights.comparisons],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in rules],
    }


def _comparison(item: Comparison, weights: Weights) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": item.unknown.sql, "label_for_charts": "unknown", "is_null_level": True}
    ]
    for level, weight in zip(item.levels, weights.levels[item.name], strict=True):
        entry: dict[str, Any] = {
            "sql_condition": level.when.sql,
            "label_for_charts": level.name,
            "m_probability": weight.m,
            "u_probability": weight.u,
        }
        if level.tf and weights.trained:
            entry |= {
                "tf_adjustment_column": level.tf,
                "tf_adjustment_weight": level.tf_weight,
                "tf_minimum_u_value": weights.tf_floor,
                "disable_tf_exact_match_detection": True,
            }
        levels.append(entry)
    return {"output_column_name": item.name, "comparison_levels": levels}

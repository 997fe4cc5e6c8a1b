"""How RFM scores and tiers follow from what a contact bought. Pure: no database, no clock.

Each of the three values – time of the last order, number of orders, total – becomes a score of 1 (worst) to 5 (best) by
four thresholds: a value scores one more for every threshold it reaches, so **equal values always get equal scores**,
whoever computes them and whenever. Thresholds are either written down ("fixed") or follow from the present customers
("quantile"): threshold k (1…4) is the smallest present value such that at least k fifths of all customers have a
strictly lower one. Ties are never split: if three fifths of the customers ordered once, they all score 1, the next
value up scores 4, and the scores between stay empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

MOST_TIERS: Final = 20
SCORES: Final = (1, 2, 3, 4, 5)


class Method(StrEnum):
    FIXED = "fixed"
    QUANTILE = "quantile"


@dataclass(frozen=True, slots=True)
class Scale:
    """cuts: four values of a fixed scale. Recency: days since the last order at most, falling (270, 120, 60, 30);
    frequency: orders at least, rising; monetary: total at least, in whole units of the organisation's currency,
    rising."""

    method: Method
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tier:
    """A contact belongs to the first tier whose three ranges hold its scores; the last tier takes everybody left."""

    key: str
    name_zh: str
    name_en: str
    recency: tuple[int, int] = (1, 5)
    frequency: tuple[int, int] = (1, 5)
    monetary: tuple[int, int] = (1, 5)

    @property
    def is_rest(self) -> bool:
        return self.recency == self.frequency == self.monetary == (1, 5)

    def holds(self, recency: int, frequency: int, monetary: int) -> bool:
        return all(
            low <= score <= high
            for (low, high), score in zip(
                (self.recency, self.frequency, self.monetary), (recency, frequency, monetary), strict=True
            )
        )


@dataclass(frozen=True, slots=True)
class RFMRules:
    recency: Scale
    frequency: Scale
    monetary: Scale
    tiers: tuple[Tier, ...]

    def tier_of(self, recency: int, frequency: int, monetary: int) -> Tier:
        return next(tier for tier in self.tiers if tier.holds(recency, frequency, monetary))


DEFAULTS: Final = RFMRules(
    recency=Scale(Method.FIXED, (270, 120, 60, 30)),  # as the stages: at risk after 120 days, lost after 270
    frequency=Scale(Method.FIXED, (2, 3, 5, 10)),
    monetary=Scale(Method.QUANTILE),
    tiers=(
        Tier("vip", "贵宾", "VIP", (4, 5), (4, 5), (4, 5)),
        Tier("win_back", "重点挽回", "Win back", (1, 2), (3, 5), (3, 5)),
        Tier("loyal", "忠诚", "Loyal", (3, 5), (3, 5)),
        Tier("new", "新客", "New", (4, 5), (1, 1)),
        Tier("potential", "潜力", "Potential", (3, 5)),
        Tier("dormant", "沉睡", "Dormant", (2, 2)),
        Tier("lost", "流失", "Lost"),
    ),
)


def as_json(rules: RFMRules) -> dict[str, Any]:
    def scale(one: Scale) -> dict[str, Any]:
        return {"method": one.method.value, **({"cuts": list(one.cuts)} if one.method is Method.FIXED else {})}

    return {
        "recency": scale(rules.recency),
        "frequency": scale(rules.frequency),
        "monetary": scale(rules.monetary),
        "tiers": [
            {
                "key": tier.key,
                "name_zh": tier.name_zh,
                "name_en": tier.name_en,
                "recency": list(tier.recency),
                "frequency": list(tier.frequency),
                "monetary": list(tier.monetary),
            }
            for tier in rules.tiers
        ],
    }


def from_json(data: Mapping[str, Any]) -> RFMRules:
    """Of a stored definition, which ``problems`` found right."""

    def scale(one: Mapping[str, Any]) -> Scale:
        return Scale(Method(one["method"]), tuple(one.get("cuts", ())))

    def pair(values: Sequence[int]) -> tuple[int, int]:
        return values[0], values[1]

    return RFMRules(
        scale(data["recency"]),
        scale(data["frequency"]),
        scale(data["monetary"]),
        tuple(
            Tier(
                tier["key"],
                tier["name_zh"],
                tier["name_en"],
                pair(tier["recency"]),
                pair(tier["frequency"]),
                pair(tier["monetary"]),
            )
            for tier in data["tiers"]
        ),
    )

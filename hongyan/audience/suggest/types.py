from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

# Called between steps with how far the work is (of 100); raises when the person who asked has cancelled.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that tells these people from everyone: the mean here and among everyone, in the unit of ``kind``."""

    kind: str  # count, number, ago (days), flag (share)
    label_zh: str
    label_en: str
    here: float | None
    everyone: float | None
    more: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule with what it is worth. size: people it means now, exactly. fresh: of them, those not in the group asked
    for. precision = hits / found, recall = hits / own: counted over everybody where ``exact``, otherwise over the
    people of the sample that the model has not seen (groups among more people than are drawn have no members beside
    the drawn). unseen_precision, unseen_recall: on those people in any case, weighted to all; much less than the others
    would mean that the rule was learnt by heart."""

    kind: str  # focused, balanced, broad of a look-alike; cluster
    name_zh: str
    name_en: str
    tree: dict[str, Any]
    size: int
    fresh: int
    precision: float
    recall: float
    hits: int  # both found and of the group
    found: int
    own: int
    exact: bool
    unseen_precision: float
    unseen_recall: float
    tested: int  # people of the unseen half
    differences: list[Difference] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found. base: how common the group is among everyone (look-alike)."""

    suggestions: list[Suggestion]
    population: int
    sampled: int
    features: int
    base: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

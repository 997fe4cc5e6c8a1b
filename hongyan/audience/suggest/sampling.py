"""Drawing people, and counting what a rule finds among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.insight.members import Ids, member_ids
from hongyan.audience.suggest.features import LONG_AGO, NEVER, Feature, Kind
from hongyan.audience.suggest.reading import Matrix
from hongyan.audience.suggest.types import Difference

SEED: Final = 20_261_122  # the same people for the same question
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """People drawn, what is known of them, and into which half each fell. weight: how many people each stands for."""

    ids: Ids
    weight: Any
    features: list[Feature]
    values: Matrix
    learn: Any  # rows the model sees
    test: Any  # rows it does not
    catalogue: Catalogue
    now: datetime


def drawn(ids: Ids, n: int, rng: np.random.Generator) -> Ids:
    """At most n of them, ascending."""
    return ids if ids.size <= n else np.sort(rng.choice(ids, size=n, replace=False))


def halves(rows: int, rng: np.random.Generator) -> tuple[Any, Any]:
    order = rng.permutation(rows)
    return np.sort(order[: rows // 2]), np.sort(order[rows // 2 :])


def found_by(tree: dict[str, Any], sample: Sample) -> tuple[Any, Ids]:
    """Which of the sample the rule means, and everybody it means: asked of the segment language, not of the model."""
    members = member_ids(tree, catalogue=sample.catalogue, now=sample.now)
    return np.isin(sample.ids, members, assume_unique=True), members


def differences(sample: Sample, here: Any, *, n: int = SHOWN) -> list[Difference]:
    """What tells the rows ``here`` from all rows most, in standard deviations; one per event or field."""
    if not here.any():
        return []
    features, values, weight = sample.features, sample.values, sample.weight
    shown = scaled(features, values)
    mean, spread = np.average(shown, axis=0, weights=weight), shown.std(axis=0)
    inside = np.average(shown[here], axis=0, weights=weight[here])
    distance = np.where(spread > 1e-9, (inside - mean) / np.maximum(spread, 1e-9), 0.0)
    made: list[Difference] = []
    told: set[str] = set()
    for place in np.argsort(-np.abs(distance)):
        item = features[place]
        about = (
            f"{item.event} {item.part.get('value', '')}"
            if item.event
            else item.key or str(item.part.get("field") or item.label_en)
        )
        if abs(distance[place]) < 0.2 or len(made) == n:
            break
        if told & {about, item.label_en}:
            continue
        told |= {about, item.label_en}
        made.append(
            Difference(
                item.kind.value,
                item.label_zh,
                item.label_en,
                _mean(item, values[here, place], weight[here]),
                _mean(item, values[:, place], weight),
                bool(distance[place] > 0),
            )
        )
    return made


def scaled(features: Sequence[Feature], values: Matrix) -> NDArray[np.float64]:
    """Counts and ages by their logarithm: ten orders more matter less when there are a hundred."""
    made = values.astype(np.float64)
    for place, item in enumerate(features):
        column = made[:, place]
        if item.kind is Kind.AGO:
            made[:, place] = -np.log1p(np.minimum(-column, 3_650))
        elif item.kind in {Kind.COUNT, Kind.NUMBER}:
            column = np.where(column <= NEVER / 2, -1.0, column)
            made[:, place] = np.sign(column) * np.log1p(np.abs(column))
    return made


def _mean(feature: Feature, column: Any, weight: Any) -> float | None:
    """Of those who have a value."""
    there = np.ones(column.shape, dtype=bool)
    if feature.kind is Kind.NUMBER:
        there = column > NEVER / 2
    elif feature.kind is Kind.AGO:
        there = column > LONG_AGO
    if not there.any():
        return None
    mean = float(np.average(column[there], weights=weight[there]))
    return -mean if feature.kind is Kind.AGO else mean

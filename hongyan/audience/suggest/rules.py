"""A fitted decision tree as conditions of the segment language.

Of the tree's leaves some are chosen. A split both of whose sides are wholly chosen says nothing and falls away; bounds
on the same feature along one path are drawn together; what is left is a short "all of these, or all of those".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hongyan.audience.suggest.features import Feature, above, not_above, rounded

EVERYONE: Final = {"everyone": True}


@dataclass(frozen=True, slots=True)
class Leaf:
    number: int  # of the fitted tree's node


@dataclass(frozen=True, slots=True)
class Split:
    """left: value ≤ threshold; right: above it."""

    feature: int
    threshold: float
    left: "Branch"
    right: "Branch"


Branch = Leaf | Split
_Bound = tuple[int, bool]  # feature, above it or not


def branches(fitted: Any, features: Sequence[Feature], values: Any) -> Branch:
    """A scikit-learn tree_ as nodes of ours, its thresholds rounded to what people can remember. values: the matrix it
    was fitted on, from which the gap around each threshold is seen."""

    def visit(number: int) -> Branch:
        if fitted.children_left[number] == -1:
            return Leaf(number)
        place, threshold = int(fitted.feature[number]), float(fitted.threshold[number])
        low, high = _gap(values[:, place], threshold)
        return Split(
            place,
            rounded(features[place], threshold, low, high),
            visit(int(fitted.children_left[number])),
            visit(int(fitted.children_right[number])),
        )

    return visit(0)


def _gap(column: Any, threshold: float) -> tuple[float, float]:
    """The greatest value not above the threshold and the smallest above it; one off it where there is none."""
    below = column <= threshold
    low = float(column[below].max()) if below.any() else threshold - 1
    return low, float(column[~below].min()) if not below.all() else threshold + 1


def rule(root: Branch, chosen: set[int], features: Sequence[Feature]) -> dict[str, Any] | None:
    """Who ends in the chosen leaves. None: nobody."""
    paths = _paths(root, chosen)
    if paths is None:
        return dict(EVERYONE)
    if not paths:
        return None
    parts = [_path_tree(path, features) for path in paths]
    return parts[0] if len(parts) == 1 else {"any": parts}


def _paths(branch: Branch, chosen: set[int]) -> list[dict[_Bound, float]] | None:
    """Ways into chosen leaves; None when every way leads into one."""
    if isinstance(branch, Leaf):
        return None if branch.number in chosen else []
    left, right = _paths(branch.left, chosen), _paths(branch.right, chosen)
    if left is None and right is None:
        return None
    found = [_bounded(path, (branch.feature, True), branch.threshold) for path in ([{}] if right is None else right)]
    found += [_bounded(path, (branch.feature, False), branch.threshold) for path in ([{}] if left is None else left)]
    return found


def _bounded(path: dict[_Bound, float], bound: _Bound, threshold: float) -> dict[_Bound, float]:
    """A deeper split on the same side is the tighter one: it stands already."""
    return {bound: path.get(bound, threshold), **path}


def _path_tree(path: dict[_Bound, float], features: Sequence[Feature]) -> dict[str, Any]:
    conditions = [
        above(features[place], threshold) if over else not_above(features[place], threshold)
        for (place, over), threshold in path.items()
    ]
    return conditions[0] if len(conditions) == 1 else {"all": conditions}

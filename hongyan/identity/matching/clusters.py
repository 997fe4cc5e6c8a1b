"""From pairs to people. Pairs are joined strongest first; a chain must not pull people together who contradict each
other: before two groups become one, all their members are held against each other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

MAX_CROSS = 400  # pairs weighed when two groups meet; what speaks against a pair is asked of all
Pair = tuple[int, int, float]  # ids, weight


@dataclass(slots=True)
class Clusters:
    """of: record → smallest id of its cluster. held: pairs above the threshold that were not joined, and why not."""

    of: dict[int, int] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)
    held: list[tuple[int, int, str]] = field(default_factory=list)

    def root(self, record: int) -> int:
        return self.of.get(record, record)

    def group(self, record: int) -> list[int]:
        return self.members.get(self.root(record), [self.root(record)])


def cluster(
    pairs: Iterable[Pair],
    *,
    conflict: Callable[[int, int], str | None],
    weight: Callable[[int, int], float],
    against: float,
) -> Clusters:
    """pairs: those above the merge threshold. conflict: why two records cannot be one person, or None. weight: of any
    two records. Groups join only when their members agree on the whole: the mean weight of all pairs across is at least
    ``against``. Deterministic: equal weights go by id."""
    found = Clusters()
    for low, high, _ in sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1])):
        a, b = found.root(low), found.root(high)
        if a == b:
            continue
        left, right = found.group(low), found.group(high)
        why = _speaks_against(left, right, conflict, weight, against)
        if why is not None:
            found.held.append((low, high, why))
            continue
        root, gone = min(a, b), max(a, b)
        merged = sorted([*left, *right])
        found.members.pop(gone, None)
        found.members[root] = merged
        for record in merged:
            found.of[record] = root
    return found


def _speaks_against(
    left: list[int],
    right: list[int],
    conflict: Callable[[int, int], str | None],
    weight: Callable[[int, int], float],
    against: float,
) -> str | None:
    cross = [(a, b) for a in left for b in right]
    for a, b in cross:
        why = conflict(a, b)
        if why is not None:
            return why
    cross = cross[:MAX_CROSS]
    if len(cross) > 1 and sum(weight(a, b) for a, b in cross) / len(cross) < against:
        return "chain"
    return None


def by_root(clusters: Mapping[int, int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for record, root in clusters.items():
        found[root].append(record)
    return dict(found)

"""Learning the weights from the records themselves.

u, how often a level happens among different people, comes from random pairs (Splink, fixed seed). m, how often it
happens among records of one person, and the chance of a pair come from expectation maximisation over the pairs of all
blocking rules together: they hold nearly all true pairs, so m is not bent by a blocking rule, as it is where every rule
trains apart. Rare values count in it (term frequencies). Few pairs lean on the shipped weights.
"""

import math
from collections.abc import Mapping, Sequence

import duckdb

from hongyan.identity.matching.comparisons import BY_NAME
from hongyan.identity.matching.weights import LevelWeight, Weights

ITERATIONS = 40
SETTLED = 1e-4  # no m or chance moves further than this share of itself
PRIOR_PAIRS = 15.0  # the shipped weights count as so many pairs of every comparison
_FLOOR = 1e-9


def smoothed_u(weights: Weights, sampled: Mapping[str, Sequence[float | None]], pairs: float) -> Weights:
    """sampled: shares of the levels among random pairs; None where none was seen in ``pairs``."""
    levels = {}
    for name, old in weights.levels.items():
        shares = sampled[name]
        fresh = []
        for weight, share in zip(old, shares, strict=True):
            seen = (share or 0.0) * pairs
            fresh.append(
                LevelWeight(weight.m, max((seen + weight.u * 2) / (pairs + 2), min(weight.u, 0.5 / pairs), _FLOOR))
            )
        levels[name] = tuple(fresh)
    return weights.with_levels(levels, weights.chance)


def maximise(
    con: duckdb.DuckDBPyConnection, vectors: str, weights: Weights, *, share: float, all_pairs: float
) -> Weights:
    """vectors: table with gamma_<comparison> and mw_tf_adj_<comparison> of a sample of the blocked pairs. share: of the
    blocked pairs that are in it. all_pairs: of records there are."""
    names = list(weights.levels)
    _patterns(con, vectors, weights)
    sampled = weights
    for turn in range(ITERATIONS):
        found = _expect(con, names, weights, sampled)
        fresh = _updated(found, weights, sampled, share=share, all_pairs=all_pairs, correct=turn >= 4)
        moved = _moved(weights, fresh)
        weights = fresh
        if moved < SETTLED and turn >= 6:
            break
    con.execute("drop table patterns")
    return weights


def _patterns(con: duckdb.DuckDBPyConnection, vectors: str, weights: Weights) -> None:
    """Pairs that look alike are counted together; adjustments for rare values are rounded to half a bit."""
    gammas = ", ".join(f'"gamma_{name}"' for name in weights.levels)
    rare = (
        " + ".join(f'"mw_tf_adj_{name}"' for name in weights.levels if any(level.tf for level in BY_NAME[name].levels))
        or "0.0"
    )
    con.execute(
        f"create temp table patterns as select {gammas}, round(2 * ({rare})) / 2 as rare, count(*) as pairs "
        f"from {vectors} group by all"
    )


def _expect(
    con: duckdb.DuckDBPyConnection, names: Sequence[str], weights: Weights, sampled: Weights
) -> dict[tuple[str, int], float]:
    """Expected number of matches for each level, under ("", 0) in all."""
    total = " + ".join([str(weights.start), "rare", *(_weight_sql(name, weights, sampled) for name in names)])
    sums = ", ".join(
        f'sum(p) filter (where "gamma_{name}" = {_gamma(name, place)}) as "{name}/{place}"'
        for name in names
        for place in range(len(BY_NAME[name].levels))
    )
    cursor = con.execute(
        f"with odds as (select *, pairs / (1 + pow(2, -greatest(least({total}, 60), -60))) as p from patterns) "
        f'select {sums}, sum(p) as "/0" from odds'
    )
    columns = [entry[0] for entry in cursor.description or ()]
    row = cursor.fetchall()[0]
    found = {}
    for column, value in zip(columns, row, strict=True):
        name, _, place = column.rpartition("/")
        found[name, int(place)] = float(value or 0.0)
    return found


def _gamma(name: str, place: int) -> int:
    """Splink numbers levels from the last (0) upwards; -1 is unknown."""
    return len(BY_NAME[name].levels) - 1 - place


def _weight_sql(name: str, weights: Weights, sampled: Weights) -> str:
    """The adjustment for rare values was worked out from the u that was sampled; what u has moved since is added."""
    cases = []
    for place, (level, weight, first) in enumerate(
        zip(BY_NAME[name].levels, weights.levels[name], sampled.levels[name], strict=True)
    ):
        moved = level.tf_weight * (math.log2(weight.u) - math.log2(first.u)) if level.tf else 0.0
        cases.append(f"when {_gamma(name, place)} then {weight.weight + moved!r}")
    return f'case "gamma_{name}" {" ".join(cases)} else 0.0 end'


def _updated(
    found: Mapping[tuple[str, int], float],
    weights: Weights,
    sampled: Weights,
    *,
    share: float,
    all_pairs: float,
    correct: bool,
) -> Weights:
    chance = min(max(found["", 0] / share / all_pairs, 0.1 / all_pairs), 0.5)
    levels = {}
    for name, old in weights.levels.items():
        counts = [found[name, place] for place in range(len(old))]
        whole = sum(counts) + PRIOR_PAIRS
        fresh = []
        for level, weight, first, count in zip(BY_NAME[name].levels, old, sampled.levels[name], counts, strict=True):
            m = max((count + PRIOR_PAIRS * level.m) / whole, 1e-6)
            # Random pairs hold matches too; where everybody comes ten times they make up most of the agreement.
            u = max((first.u - chance * m) / (1 - chance), first.u * 0.05, _FLOOR) if correct else weight.u
            fresh.append(LevelWeight(m, u))
        levels[name] = tuple(fresh)
    return weights.with_levels(levels, chance)


def _moved(old: Weights, new: Weights) -> float:
    steps = [abs(a.m - b.m) for name in old.levels for a, b in zip(old.levels[name], new.levels[name], strict=True)]
    return max([*steps, abs(math.log(new.chance / old.chance))])

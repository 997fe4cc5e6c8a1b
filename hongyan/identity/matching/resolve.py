"""A whole run over records in an engine: pairs, thresholds, people."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hongyan.identity.matching.clusters import Clusters, cluster
from hongyan.identity.matching.comparisons import BY_NAME
from hongyan.identity.matching.engine import Engine
from hongyan.identity.matching.features import COLUMNS, Features
from hongyan.identity.matching.guards import AGAINST, Guards, doubtless, homes_are_shared
from hongyan.identity.matching.scoring import probability, score
from hongyan.identity.matching.weights import Weights

PRECISION = 0.99  # of the pairs that are merged without asking, so many should be one person
REVIEW = 0.10  # probability from which a person is asked
_MOST = 0.95  # where the records hold no doubtful pairs that would draw the line
_LEAST = 0.5  # nothing less likely than not is merged, whatever the target


@dataclass(frozen=True, slots=True)
class Thresholds:
    merge: float
    review: float


@dataclass(slots=True)
class Resolved:
    weights: Weights
    thresholds: Thresholds
    clusters: Clusters
    table: str  # of pairs from the review threshold, in the engine
    pairs: int  # looked at
    notes: dict[str, Any] = field(default_factory=dict)


def resolve(
    engine: Engine,
    *,
    weights: Weights | None = None,
    precision: float = PRECISION,
    apart: Callable[[int, int], bool] = lambda low, high: False,  # noqa: ARG005 - of nobody anything is known
    pairs_a_rule: int | None = None,
) -> Resolved:
    """Blocking, weights (unless given), probabilities, thresholds, people. The same records give the same answer."""
    pairs = engine.block(pairs_a_rule=pairs_a_rule)
    weights = weights or engine.train()
    table = engine.predict(weights, at_least=REVIEW)
    found = thresholds(engine, table, precision)
    engine.progress("clusters")
    shared = _homes(engine, table, weights, found.merge)
    clusters = _people(engine, table, weights, found.merge, apart, shared_homes=shared)
    return Resolved(weights, found, clusters, table, pairs, {"shared_homes": shared})


def thresholds(engine: Engine, table: str, precision: float) -> Thresholds:
    """The lowest probability from which the pairs above it are, by their own probabilities, right often enough."""
    rows = engine.con.execute(
        f"select bucket, sum(p), count(*) from (select floor(match_probability * 1000) / 1000 as bucket, "
        f"match_probability as p from {table}) group by 1 order by 1 desc"
    ).fetchall()
    merge, right, many = 1.0, 0.0, 0
    for bucket, share, count in rows:
        right, many = right + share, many + count
        if bucket < _LEAST or right < precision * many:
            break
        merge = bucket
    return Thresholds(min(float(merge), _MOST), REVIEW)


def _homes(engine: Engine, table: str, weights: Weights, merge: float) -> bool:
    if "given_name" not in weights.levels or "birth_date" not in weights.levels:
        return True
    rows = engine.con.execute(
        f"select count(*) filter (where gamma_birth_date >= 2), "
        f"count(*) filter (where gamma_birth_date between 0 and 1) "
        f"from {table} where gamma_given_name = 0 and match_probability >= ?",
        [merge],
    ).fetchall()
    return homes_are_shared(*rows[0])


def _people(
    engine: Engine, table: str, weights: Weights, merge: float, apart: Callable[[int, int], bool], *, shared_homes: bool
) -> Clusters:
    rows = engine.con.execute(
        f"select least(uid_l, uid_r), greatest(uid_l, uid_r), match_weight from {table} where match_probability >= ?",
        [merge],
    ).fetchall()
    rows = _with_same_keys(engine, rows)
    features = features_of(engine, {record for low, high, _ in rows for record in (low, high)})
    frequencies = frequencies_of(engine, weights)
    known = {(low, high): weight for low, high, weight in rows}

    def weight(low: int, high: int) -> float:
        pair = (min(low, high), max(low, high))
        if pair not in known:
            known[pair] = score(features[low], features[high], weights, lambda c, v: frequencies.get((c, v))).weight
        return float(known[pair])

    guards = Guards(apart, features.__getitem__, shared_homes, lambda low, high: doubtless(weight(low, high)))
    alone = [(low, high, weight) for low, high, weight in rows if guards.only_name(low, high, probability(weight))]
    few = set(alone)
    found = cluster([row for row in rows if row not in few], conflict=guards.conflict, weight=weight, against=AGAINST)
    found.held += [(low, high, "only_name") for low, high, _ in alone if found.root(low) != found.root(high)]
    return found


_KEYS = ("email", "national_id")
_SHARED = 10  # records with one value: a switchboard, a default, an agency; no key of a person
_CERTAIN = 40.0  # weight of a pair with the same key


def _with_same_keys(engine: Engine, rows: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Pairs with an exact key in common are joined first, whatever else is known of them; the guards still hold."""
    found = {(low, high): weight for low, high, weight in rows}
    for key in _KEYS:
        same = engine.con.execute(
            f"with few as (select {key} from people where {key} is not null "
            f"group by 1 having count(*) between 2 and {_SHARED}) select a.uid, b.uid from few "
            f"join people a using ({key}) join people b on a.{key} = b.{key} and a.uid < b.uid"
        ).fetchall()
        found.update({(low, high): max(found.get((low, high), 0.0), _CERTAIN) for low, high in same})
    return [(low, high, weight) for (low, high), weight in found.items()]


def features_of(engine: Engine, records: set[int]) -> dict[int, Features]:
    """Read back from the engine: keeping a million of them in Python as well would cost gigabytes."""
    found = {}
    wanted = sorted(records)
    for start in range(0, len(wanted), 50_000):
        rows = engine.con.execute(
            f"select uid, {', '.join(COLUMNS)} from people where uid in (select unnest(?))",
            [wanted[start : start + 50_000]],
        ).fetchall()
        for uid, *values in rows:
            plain: list[Any] = [tuple(value) if isinstance(value, list) else value for value in values]
            found[uid] = Features(*plain)
    return found


def customer_numbers(engine: Engine, records: set[int]) -> dict[int, list[str]]:
    """Of those records that have any."""
    rows = engine.con.execute(
        "select uid, numbers from people where len(numbers) > 0 and uid in (select unnest(?))", [sorted(records)]
    ).fetchall()
    return dict(rows)


def frequencies_of(engine: Engine, weights: Weights) -> dict[tuple[str, str], float]:
    """Column and value → share of the records, for values more frequent than the floor."""
    columns = sorted({level.tf for name in weights.levels for level in BY_NAME[name].levels if level.tf})
    found: dict[tuple[str, str], float] = {}
    for column in columns:
        rows = engine.con.execute(
            f"with counted as (select {column} as value, count(*) as n from people "
            f"where {column} is not null group by 1) "
            f"select value, n / (select sum(n) from counted) from counted where n > 1"
        ).fetchall()
        found.update({(column, value): share for value, share in rows if share > weights.tf_floor})
    return found


@dataclass(frozen=True, slots=True)
class PairRow:
    low: int
    high: int
    weight: float
    probability: float
    evidence: tuple[dict[str, Any], ...]


def pair_rows(engine: Engine, table: str, weights: Weights) -> Iterator[PairRow]:
    """Every pair from the review threshold with what spoke for and against it; no values."""
    names = list(weights.levels)
    columns = _evidence_columns(names, trained=weights.trained)
    rows = engine.con.execute(
        f"select least(uid_l, uid_r) as low, greatest(uid_l, uid_r) as high, match_weight, match_probability, "
        f"{columns} from {table} order by low, high"
    ).fetchall()
    for low, high, weight, likely, *parts in rows:
        yield PairRow(low, high, weight, likely, tuple(_evidence(names, parts)))


def _evidence_columns(names: Sequence[str], *, trained: bool) -> str:
    rare = {
        name: f'"mw_tf_adj_{name}"' if trained and any(level.tf for level in BY_NAME[name].levels) else "0.0"
        for name in names
    }
    return ", ".join(f'"gamma_{name}", "mw_{name}", {rare[name]}' for name in names)


def _evidence(names: Sequence[str], parts: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for place, name in enumerate(names):
        gamma, weight, rarity = parts[3 * place : 3 * place + 3]
        levels = BY_NAME[name].levels
        level = "unknown" if gamma == -1 else levels[len(levels) - 1 - gamma].name
        total = (weight or 0.0) + (rarity or 0.0)
        yield {"comparison": name, "level": level, "weight": round(total, 3), "rarity": round(rarity or 0.0, 3)}

"""Seconds to find the people in 1,000,000 records, and what Splink alone takes on the same table.

Ours: from records to people: normalising, blocking, weights learned from the records, probabilities, thresholds,
clusters with their guards. Reference: Splink with the settings its own tutorials use (names, date of birth, e-mail,
city with term frequencies; three blocking rules; two passes of expectation maximisation; clusters at 0.95), given the
columns that ours has normalised already. Writing down merges is not part of either.

Afterwards the people found are merged, as a run does it, in a database that holds all records with their consents,
lists, tags and facts: ``applying_s`` and ``merges_per_s`` beside the figure.

    python -m bench.identity          SCALE=0.1 for a quick look; APPLY=0 without merging
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bench.identity_data import records
from bench.merging import applied, contacts, lives
from bench.outbox_data import installation

SEED = 11
RECORDS = 1_000_000
BATCH = 50_000


def main() -> None:
    with installation() as folder:
        line, rows, groups = resolved()
        if os.environ.get("APPLY", "1") != "0":
            line |= applied_to(folder, rows, groups)
    print(json.dumps(line))


def resolved() -> tuple[dict[str, Any], list[Any], list[list[int]]]:
    """The figures, the records and the people found: places of records."""
    from hongyan.identity.matching.engine import Engine
    from hongyan.identity.matching.features import features
    from hongyan.identity.matching.resolve import resolve

    wanted: int = int(RECORDS * float(os.environ.get("SCALE", "1")))
    people, rows = records(wanted)
    steps: list[tuple[str, float]] = []
    engine = Engine(progress=lambda step: steps.append((step, time.perf_counter())))
    began, cpu = time.perf_counter(), time.process_time()
    for start in range(0, wanted, BATCH):
        block = rows[start : start + BATCH]
        engine.load((start + place, features(record)) for place, record in enumerate(block))
    steps.insert(0, ("normalising", began))
    found = resolve(engine)
    value, cpu = time.perf_counter() - began, time.process_time() - cpu
    _tell(steps, began + value)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    precision, recall = _quality(people, found.clusters.members)
    print(f"{wanted:,} records, {found.pairs:,} pairs, {cpu:.0f} CPU s, {memory:.1f} GB")
    print(f"precision {precision:.4f}, recall {recall:.4f}")
    reference, groups = _splink(engine)
    precision, recall = _quality(people, groups)
    print(f"Splink alone: {reference:.0f} s, precision {precision:.4f}, recall {recall:.4f}")
    line = {
        "bench": "identity",
        "value": round(value, 1),
        "unit": "s",
        "reference": "Splink alone, tutorial settings",
        "reference_value": round(reference, 1),
        "ratio": round(value / reference, 2),
    }
    engine.close()
    return line, rows, list(found.clusters.members.values())


def applied_to(folder: Path, rows: list[Any], groups: list[list[int]]) -> dict[str, Any]:
    ids = contacts(rows)
    lives(ids)
    owned: set[int] = set()  # records with one e-mail address are one contact already, maybe of another group
    found = []
    for group in groups:
        people = sorted({ids[place] for place in group} - owned - {0})
        owned.update(people)
        if len(people) > 1:
            found.append(people)
    figures = applied(folder, found, len(ids))
    return {
        "applying_s": figures["applying_s"],
        "merges": figures["merges"],
        "merges_per_s": figures["value"],
        "merge_cpu_ms": figures["cpu_ms"],
    }


def _tell(steps: list[tuple[str, float]], end: float) -> None:
    for (name, at), (_, after) in zip(steps, [*steps[1:], ("", end)], strict=True):
        print(f"  {name}: {after - at:.1f} s", file=sys.stderr)


def _quality(people: list[int], groups: dict[int, list[int]]) -> tuple[float, float]:
    """Of pairs."""
    sizes: dict[int, int] = {}
    for who in people:
        sizes[who] = sizes.get(who, 0) + 1
    truth = sum(size * (size - 1) // 2 for size in sizes.values())
    said = right = 0
    for group in groups.values():
        said += len(group) * (len(group) - 1) // 2
        same: dict[int, int] = {}
        for record in group:
            same[people[record]] = same.get(people[record], 0) + 1
        right += sum(size * (size - 1) // 2 for size in same.values())
    return right / (said or 1), right / (truth or 1)


def _splink(engine: Any) -> tuple[float, dict[int, list[int]]]:
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    con = engine.con
    con.execute("create table reference as select uid, given, family, birth, email, city, phone from people")
    began = time.perf_counter()
    api = DuckDBAPI(con)
    given = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="uid",
        comparisons=[
            cl.NameComparison("given"),
            cl.NameComparison("family"),
            cl.LevenshteinAtThresholds("birth", [1, 2]),
            cl.EmailComparison("email"),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("given", "family", "city"),
            block_on("family", "birth"),
            block_on("email"),
        ],
        retain_matching_columns=False,
    )
    linker = Linker(api.register("reference"), given, log_level=None)
    rules: list[Any] = [block_on("given", "family", "birth"), block_on("email")]
    linker.training.estimate_probability_two_random_records_match(rules, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
    for rule in (block_on("given", "family"), block_on("birth", "city")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule, max_pairs=1e6)
    pairs = linker.inference.predict(threshold_match_probability=0.5, warning_mode="never")
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.95)
    rows = con.execute(f"select cluster_id, uid from {clusters.physical_name}").fetchall()
    took = time.perf_counter() - began
    groups: dict[int, list[int]] = {}
    for cluster, uid in rows:
        groups.setdefault(cluster, []).append(uid)
    return took, {root: group for root, group in groups.items() if len(group) > 1}


if __name__ == "__main__":
    main()

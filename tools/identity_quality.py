"""How well matching does on records whose truth is known: ``python -m tools.identity_quality FOLDER``.

FOLDER holds the public sets febrl1.csv, febrl4a.csv, febrl4b.csv, fake_1000.csv and historical_people_half.parquet (as
far as they are there); the generated Chinese set needs none. Every set is resolved as one heap of records with
Hongyan's general settings, exactly as ``hongyan identity run`` does; precision and recall count pairs of the people
found. Row ids and truth columns are never shown to matching.
"""

import csv
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from hongyan.identity.matching.engine import Engine
from hongyan.identity.matching.features import features
from hongyan.identity.matching.record import Record
from hongyan.identity.matching.resolve import Resolved, resolve
from hongyan.identity.truth import generated

Truth = Callable[[str], Hashable]


@dataclass(frozen=True, slots=True)
class Set:
    """records: (who it truly is, the record)."""

    name: str
    records: list[tuple[Hashable, Record]]


@dataclass(frozen=True, slots=True)
class Quality:
    records: int
    true_pairs: int
    precision: float
    recall: float
    seconds: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / ((self.precision + self.recall) or 1)


def measure(given: Set) -> tuple[Quality, Resolved]:
    began = time.process_time()
    engine = Engine()
    engine.load((number, features(record)) for number, (_, record) in enumerate(given.records))
    resolved = resolve(engine)
    found = resolved.clusters.members.values()
    people: dict[Hashable, list[int]] = defaultdict(list)
    for number, (who, _) in enumerate(given.records):
        people[who].append(number)
    truth, said = pairs(people.values()), pairs(found)
    right = len(truth & said)
    quality = Quality(
        len(given.records),
        len(truth),
        right / (len(said) or 1),
        right / (len(truth) or 1),
        time.process_time() - began,
    )
    engine.close()
    return quality, resolved


def pairs(groups: Iterable[list[int]]) -> set[tuple[int, int]]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def sets(folder: Path | None) -> Iterator[Set]:
    if folder is not None:
        for with_id in (False, True):
            suffix = ", with soc_sec_id" if with_id else ""
            yield from _febrl(folder, ("febrl1.csv",), "febrl1" + suffix, with_id=with_id)
            yield from _febrl(folder, ("febrl4a.csv", "febrl4b.csv"), "febrl4" + suffix, with_id=with_id)
        yield from _fake(folder)
        yield from _historical(folder)
    yield Set("generated Chinese", [(row.person, row.record) for row in generated(4000)])


def _febrl(folder: Path, names: tuple[str, ...], title: str, *, with_id: bool) -> Iterator[Set]:
    """rec-223-org and rec-223-dup-0 are one person."""
    if not all((folder / name).exists() for name in names):
        return
    rows = [(name, row) for name in names for row in _rows(folder / name)]
    yield Set(title, [(row["rec_id"].split("-")[1], _febrl_record(row, name, with_id=with_id)) for name, row in rows])


def _febrl_record(row: dict[str, str], name: str, *, with_id: bool) -> Record:
    first = " ".join(filter(None, (row["street_number"], row["address_1"])))
    return Record(
        given_name=row["given_name"],
        family_name=row["surname"],
        street=", ".join(filter(None, (first, row["address_2"]))),
        city=row["suburb"],
        region=row["state"],
        postal_code=row["postcode"],
        birth_date=row["date_of_birth"],
        national_id=row["soc_sec_id"] if with_id else "",
        source=name,
    )


def _fake(folder: Path) -> Iterator[Set]:
    path = folder / "fake_1000.csv"
    if path.exists():
        yield Set(
            "fake_1000",
            [
                (
                    row["cluster"],
                    Record(
                        given_name=row["first_name"],
                        family_name=row["surname"],
                        birth_date=row["dob"],
                        city=row["city"],
                        email=row["email"],
                    ),
                )
                for row in _rows(path)
            ],
        )


def _historical(folder: Path) -> Iterator[Set]:
    path = folder / "historical_people_half.parquet"
    if not path.exists():
        return
    from pyarrow import parquet

    sexes = {"male": "1", "female": "2"}
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    records = [
        Record(
            given_name=row["first_name"] or "",
            family_name=row["surname"] or "",
            full_name=row["full_name"] or "",
            birth_date=str(row["dob"] or ""),
            birth_place=row["birth_place"] or "",
            occupation=row["occupation"] or "",
            postal_code=row["postcode_fake"] or "",
            sex=sexes.get(row["gender"] or "", ""),
        )
        for row in rows
    ]
    yield Set("historical_people (half)", list(zip((row["cluster"] for row in rows), records, strict=True)))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            yield {key.strip(): (value or "").strip() for key, value in row.items()}


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else None
    print("| set | records | true pairs | precision | recall | F1 | merge from | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for given in sets(folder):
        quality, resolved = measure(given)
        print(
            f"| {given.name} | {quality.records:,} | {quality.true_pairs:,} | {quality.precision:.4f} "
            f"| {quality.recall:.4f} | **{quality.f1:.4f}** | {resolved.thresholds.merge:.2f} "
            f"| {quality.seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])

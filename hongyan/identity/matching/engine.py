"""Records in, pairs with their probability out: Splink on DuckDB, with weights learned from these very records.

All of it happens in one DuckDB in memory; nothing that identifies anybody is written to disk.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import pyarrow as pa
from splink import Linker
from splink.backends.duckdb import DuckDBAPI

from hongyan.identity.matching import blocking, training
from hongyan.identity.matching.features import COLUMNS, LISTS, Features
from hongyan.identity.matching.weights import Weights, prior, splink_settings

SEED = 20_260_101
RANDOM_PAIRS = 1e6
TRAINING_PAIRS = 1_000_000
IMPLIED = 0.5  # of the pairs with one city that share the column too: from there on it tells nothing new
MIN_RECORDS = 150  # fewer teach nothing: the shipped weights are used
_SCHEMA = pa.schema(
    [("uid", pa.int64()), *((name, pa.list_(pa.string()) if name in LISTS else pa.string()) for name in COLUMNS)]
)
Progress = Callable[[str], None]  # name of the step that begins; may raise to stop


@dataclass(slots=True)
class Engine:
    """One run. ``load`` in batches, then ``train`` (or bring weights), then ``predict``."""

    threads: int = 0
    memory: str = ""
    progress: Progress = lambda _: None
    con: duckdb.DuckDBPyConnection = field(init=False)
    records: int = field(init=False, default=0)
    implied: tuple[str, ...] = field(init=False, default=())
    filled: dict[str, float] = field(init=False, default_factory=dict)
    _api: DuckDBAPI = field(init=False)
    _rules: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        logging.getLogger("splink").setLevel(logging.ERROR)
        self.con = duckdb.connect(":memory:")
        # Without a folder for overflow DuckDB fails rather than spilling people's data onto a disk.
        self.con.execute("set temp_directory = ''")
        self.con.execute("set enable_progress_bar = false")
        if self.threads:
            self.con.execute(f"set threads = {int(self.threads)}")
        if self.memory:
            self.con.execute("set memory_limit = ?", [self.memory])
        columns = ", ".join(f"{name} {'varchar[]' if name in LISTS else 'varchar'}" for name in COLUMNS)
        self.con.execute(f"create table people (uid bigint, {columns})")

    def load(self, rows: Iterable[tuple[int, Features]]) -> None:
        rows = list(rows)
        data = [pa.array([uid for uid, _ in rows], pa.int64())]
        values = list(zip(*(row for _, row in rows), strict=True)) or [()] * len(COLUMNS)
        data += [pa.array(column, kind.type) for column, kind in zip(values, list(_SCHEMA)[1:], strict=True)]
        batch = pa.Table.from_arrays(data, schema=_SCHEMA)
        self.con.register("batch", batch)
        self.con.execute("insert into people select * from batch")
        self.con.unregister("batch")
        self.records += len(rows)

    def block(self, *, pairs_a_rule: int | None = None) -> int:
        """Work out which pairs are looked at. Returns how many."""
        self.progress("blocking")
        self.implied = self._drop_implied()
        shares = ", ".join(
            f"count(distinct {name}) > 1, count({name}) / count(*)" for name in COLUMNS if name not in LISTS
        )
        row = self.con.execute(f"select {shares} from people").fetchall()[0]
        plain = [name for name in COLUMNS if name not in LISTS]
        few = self.records < MIN_RECORDS  # what all have tells many records nothing, but two a lot
        self.filled = {name: float(row[2 * n + 1] or 0) if row[2 * n] or few else 0.0 for n, name in enumerate(plain)}
        columns = frozenset(name for name, share in self.filled.items() if share > 0)
        self._rules = blocking.add_keys(
            self.con, "people", columns=columns, pairs_a_rule=pairs_a_rule or max(self.records // 2, 300_000)
        )
        pairs = self._link(prior(self.filled, self.records)).inference.compute_blocked_pairs_for_predict()
        self.con.execute(f"create or replace view pairs as select * from {pairs.physical_name}")
        return self._count("pairs")

    def _drop_implied(self) -> tuple[str, ...]:
        """A province, or a postal code of a whole city, says nothing more where the city agrees already: counted again
        it would make namesakes of one city one person. Whether that is so, the records tell."""
        found = []
        for column in ("region", "postcode"):
            both = f"from people where city is not null and {column} is not null"
            together, city = self.con.execute(
                f"select (select sum(n * n - n) from (select count(*) as n {both} group by city, {column})), "
                f"(select sum(n * n - n) from (select count(*) as n {both} group by city))"
            ).fetchall()[0]
            if city and together > IMPLIED * city:
                self.con.execute(f"update people set {column} = null where city is not null")
                found.append(column)
        return tuple(found)

    def train(self) -> Weights:
        """The weights of these records; the shipped ones when they are too few to learn from."""
        weights = prior(self.filled, self.records)
        pairs = self._count("pairs")
        if self.records < MIN_RECORDS or not pairs:
            return replace(weights, notes={"implied": list(self.implied)})
        self.progress("random_pairs")
        weights = self._random(weights)
        self.progress("training")
        share = min(1.0, TRAINING_PAIRS / pairs)
        keep = f"where hash(join_key_l, join_key_r) % 1000000 < {round(share * 1_000_000)}" if share < 1 else ""
        self.con.execute(f"create or replace table sampled as select * from pairs {keep}")
        share = max(self._count("sampled"), 1) / pairs
        vectors = self._predict("sampled", weights, None)
        everything = self.records * (self.records - 1) / 2
        trained = training.maximise(self.con, vectors, weights, share=share, all_pairs=everything)
        self.con.execute(f"drop table {vectors}")
        self.con.execute("drop table sampled")
        return replace(trained, notes={"implied": list(self.implied)})

    def _random(self, weights: Weights) -> Weights:
        linker = self._link(weights)
        linker.training.estimate_u_using_random_sampling(
            max_pairs=RANDOM_PAIRS, seed=SEED, min_count_per_level=None, num_chunks=1
        )
        trained = linker.misc.save_model_to_json(out_path=None)
        sampled = {
            entry["output_column_name"]: [
                level.get("u_probability") for level in entry["comparison_levels"] if not level.get("is_null_level")
            ]
            for entry in trained["comparisons"]
        }
        return training.smoothed_u(weights, sampled, min(RANDOM_PAIRS, self.records * (self.records - 1) / 2))

    def predict(self, weights: Weights, *, at_least: float) -> str:
        """Name of the table of pairs with at least this probability, and their levels and weights."""
        self.progress("scoring")
        return self._predict("pairs", weights, at_least)

    def _predict(self, pairs: str, weights: Weights, at_least: float | None) -> str:
        linker = self._link(weights)
        linker.table_management.register_blocked_pairs_for_predict(self._api.register(pairs))
        frame = linker.inference.predict(threshold_match_probability=at_least, warning_mode="never")
        return str(frame.physical_name)

    def _link(self, weights: Weights) -> Linker:
        self._api = DuckDBAPI(self.con)
        settings: dict[str, Any] = splink_settings(weights, self._rules)
        return Linker(self._api.register("people"), settings, log_level=None, validate_settings=False)

    def _count(self, table: str) -> int:
        row = self.con.execute(f"select count(*) from {table}").fetchall()[0]
        return int(row[0])

    def close(self) -> None:
        self.con.close()

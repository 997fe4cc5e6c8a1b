"""What a process keeps of files, and counts, times and measures made of it."""

import itertools
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.fs as pafs
import pytest

from hongyan.audience.compiler.evaluate import Happened
from hongyan.audience.compiler.nodes import Did, Measured
from hongyan.audience.compiler.parse import parse
from hongyan.audience.engines import settled
from hongyan.audience.engines.duck import DuckReader, opened
from hongyan.audience.engines.events import Compiler
from hongyan.audience.engines.kept import Kept
from hongyan.audience.engines.quick import Quick
from hongyan.audience.engines.reader import Events
from hongyan.audience.engines.settled import Sums
from hongyan.audience.engines.tidying import prune
from hongyan.audience.engines.types import Unanswerable
from hongyan.events.history.store import Store
from tests.audience.engines.factory import Row, write

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Piece:
    nbytes: int


def test_what_was_not_asked_about_for_longest_goes_first() -> None:
    kept, made = Kept(100), []

    def ask(key: str, size: int = 40) -> None:
        def make() -> Piece:
            made.append(key)
            return Piece(size)

        kept.get(key, make)

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert made == ["a", "b", "c", "b"]
    assert kept.used == 80
    ask("large", 60)
    ask("large", 60)
    assert made[-2:] == ["large", "large"], "a piece that would push out half of the others is not kept"
    assert kept.used == 80


def test_a_piece_that_many_ask_for_at_once_is_made_once() -> None:
    kept, made, gate = Kept(100), [], threading.Barrier(8)

    def ask(_number: int) -> Piece:
        gate.wait()
        return kept.get("a", lambda: made.append(1) or Piece(10))  # type: ignore[func-returns-value]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(made) == 1
    assert len({id(piece) for piece in found}) == 1


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Events]:
    """A hundred people with ids far apart; every tenth of an event's amounts is missing."""
    rows: list[Row] = []
    for number in range(1, 101):
        for turn in range(number % 4):
            at = NOW - timedelta(days=10 * turn + number % 7, hours=number % 24)
            amount = {"x": round(number / 4 + turn, 2)} if number % 10 else {}
            rows.append((number * 1000, len(rows) + 1, Happened("a", at, {**amount, "y": f"k{number % 5}"})))
    written = write(rows, ["x", "y"], tmp_path, random.Random(5))
    with opened(threads=1) as connection:
        yield Events(DuckReader(connection), written.snapshot, written.store)


CONDITIONS: list[dict[str, Any]] = [
    {"event": "a", "op": ">=", "count": 2},
    {"event": "a", "op": "=", "count": 1, "within_days": 12},
    {"event": "a", "within_days": 12},
    {"event": "a", "op": ">=", "count": 300},
    {"event": "a", "where": {"property": "y", "op": "in", "value": ["k1", "k3"]}},
    {"event": "a", "measure": "sum", "property": "x", "op": ">=", "value": 20.5},
    {"event": "a", "measure": "average", "property": "x", "op": "<", "value": 12.125},
    {"event": "a", "measure": "max", "property": "x", "op": "between", "value": [3, 9.75]},
    {"event": "a", "measure": "last_at", "op": "before", "value": "2026-06-20"},
    {"event": "a", "measure": "first_at", "op": "after", "value": "2026-06-20", "within_days": 20},
]


@pytest.mark.parametrize("tree", CONDITIONS, ids=str)
def test_ids_far_apart_and_a_small_population(history: Events, tree: dict[str, Any]) -> None:
    """Counts stand by row where ids are far apart; whoever is beyond the population is nobody."""
    node = parse(tree)
    assert isinstance(node, Did | Measured)
    for size in (100_000, 50_500):
        leaf = Compiler(history, NOW, ZoneInfo("UTC")).leaf(node)
        said = history.reader.bits(leaf, size)
        found = Quick(history, Kept(1 << 20), NOW, ZoneInfo("UTC"), size).bits(node)
        everybody = {number * 1000 for number in range(1, 101) if number * 1000 <= size}
        wanted = everybody - set(said.ids().tolist()) if leaf.inverted else everybody & set(said.ids().tolist())
        assert everybody & set(found.ids().tolist()) == wanted


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Events]:
    """Amounts of forty people over a year, some with another number of digits; some people are stale."""
    chance = random.Random(11)
    rows: list[Row] = []
    for number in range(1, 600):
        at = NOW - timedelta(hours=chance.randrange(365 * 24))
        amount = round(chance.uniform(-20, 90), 3 if at.month == 3 else 2)
        rows.append((chance.randint(1, 40), number, Happened("a", at, {"x": amount} if number % 9 else {})))
    written = write(rows, ["x"], tmp_path, chance)
    assert len(written.snapshot.stale)
    assert written.snapshot.tail.num_rows
    with opened(threads=1) as connection:
        yield Events(DuckReader(connection), written.snapshot, written.store)


@pytest.mark.parametrize("days", [365, 200, 100, 20])
def test_sums_of_months_gone_by_are_added_up_once(year: Events, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, added = Kept(1 << 20), 0

    def counted(*values: Any) -> Sums:
        nonlocal added
        added += 1
        return make(*values)

    make = settled._added
    monkeypatch.setattr(settled, "_added", counted)
    for window, value in itertools.product((days, days - 7), (0, 99.995, 300)):
        tree = {"event": "a", "measure": "sum", "property": "x", "op": ">", "value": value, "within_days": window}
        node = parse(tree)
        assert isinstance(node, Measured)
        said = year.reader.bits(Compiler(year, NOW, ZoneInfo("UTC")).leaf(node), 40)
        found = Quick(year, kept, NOW, ZoneInfo("UTC"), 40).bits(node)
        assert found.ids().tolist() == said.ids().tolist()
    assert 0 < added <= 2 if days >= 100 else added == 0, "once for each set of whole months, however many ask"


def test_a_file_without_rows_is_not_looked_at(history: Events) -> None:
    """Its people have numbers that no file holds; rows answer for them."""
    node = parse({"event": "a", "op": ">=", "count": 2})
    assert isinstance(node, Did)
    before = Quick(history, Kept(1 << 20), NOW, ZoneInfo("UTC"), 100_000).bits(node).count()
    empty = replace(history.snapshot.files[0], path="nowhere", rows=0, first=0, last=0)
    history.snapshot = replace(history.snapshot, files=[*history.snapshot.files, empty])
    assert Quick(history, Kept(1 << 20), NOW, ZoneInfo("UTC"), 100_000).bits(node).count() == before


def test_nothing_is_read_into_too_little_room(history: Events) -> None:
    node = parse({"event": "a", "where": {"property": "y", "op": "=", "value": "k1"}})
    assert isinstance(node, Did)
    for room in (0, 64):
        with pytest.raises(Unanswerable):
            Quick(history, Kept(room), NOW, ZoneInfo("UTC"), 100_000).bits(node)


def test_what_nobody_asks_for_any_more_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("hongyan.audience.engines.kept.time.monotonic", lambda: clock[0])
    kept, made = Kept(100), []

    def ask(key: str) -> None:
        kept.get(key, lambda: made.append(key) or Piece(10))  # type: ignore[func-returns-value]

    ask("old")
    ask("used")
    clock[0] = 3000.0
    ask("used")
    clock[0] = 4000.0
    kept.drop_idle(3600)
    assert kept.used == 10
    ask("used")
    ask("old")
    assert made == ["old", "used", "old"]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["events", "people"])
def test_local_copies_of_files_on_no_list_go(tmp_path: Path, kind: str) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "gone").write_bytes(b"rows")
    os.utime(tmp_path / "cache" / "gone", (0, 0))
    assert prune(Store(pafs.LocalFileSystem(), str(tmp_path / "bucket"), tmp_path / "cache"), kind) == 1
    assert not list((tmp_path / "cache").iterdir())

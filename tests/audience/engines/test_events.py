"""DuckDB over files of a history, cut apart at random, and the plain meaning give the same people."""

import random
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hongyan.audience.compiler.evaluate import Facts, evaluate
from hongyan.audience.compiler.nodes import Did, Measured, asks_lists
from hongyan.audience.compiler.parse import parse
from hongyan.audience.engines.duck import DuckReader, opened
from hongyan.audience.engines.events import Compiler
from hongyan.audience.engines.kept import Kept
from hongyan.audience.engines.quick import Quick
from hongyan.audience.engines.reader import Events
from hongyan.audience.engines.types import Unanswerable
from tests.audience.catalogue import small_catalogue
from tests.audience.engines.factory import Row, write
from tests.audience.generate import MOMENTS, Moment, _event, _measured, _sequence, facts_at

KEYS = ["x", "y"]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Moment, list[Facts], list[dict[str, Any]]]:
    moment = draw(MOMENTS)
    everybody = draw(st.lists(facts_at(moment), min_size=1, max_size=6))
    order = iter(draw(st.permutations(range(1, 1 + sum(len(one.events) for one in everybody)))))
    everybody = [
        replace(one, events=tuple(replace(event, id=next(order)) for event in one.events)) for one in everybody
    ]
    conditions = st.one_of(_event(moment), _event(moment), _measured(moment), _measured(moment), _sequence(moment))
    return moment, everybody, draw(st.lists(conditions, min_size=6, max_size=10))


# Shrinking takes minutes; the failing tree is printed as it is.
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(asked=questions(), seed=st.integers(0, 1000), fewest=st.sampled_from([1, 3]))
def test_files_and_meaning_agree(
    asked: tuple[Moment, list[Facts], list[dict[str, Any]]], seed: int, fewest: int
) -> None:
    moment, everybody, trees = asked
    catalogue = small_catalogue(zone=moment.zone)
    rows: list[Row] = [(who, event.id, event) for who, one in enumerate(everybody, start=1) for event in one.events]
    with (
        TemporaryDirectory() as folder,
        opened(threads=1) as connection,
        patch("hongyan.audience.engines.settled.FEWEST", fewest),  # of these small files too, sums are kept
    ):
        history = write(rows, KEYS, Path(folder), random.Random(seed))
        reader = DuckReader(connection)
        events, kept, size = Events(reader, history.snapshot, history.store), Kept(1 << 20), len(everybody)
        compiler = Compiler(events, moment.now, moment.zone)
        quick = Quick(events, kept, moment.now, moment.zone, size)
        for tree in trees:
            node = parse(tree)
            if asks_lists(node):
                continue  # PostgreSQL's to answer
            leaf = compiler.leaf(node)  # type: ignore[arg-type]
            found = set(reader.bits(leaf, len(everybody)).ids().tolist())
            if leaf.inverted:
                found = set(range(1, len(everybody) + 1)) - found
            expected = {
                who for who, one in enumerate(everybody, start=1) if evaluate(node, one, catalogue, now=moment.now)
            }
            assert found == expected, (tree, leaf)
            if isinstance(node, Did | Measured):
                with suppress(Unanswerable):
                    assert {who for who in quick.bits(node).ids().tolist() if who <= size} == expected, tree

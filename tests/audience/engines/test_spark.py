"""Spark over the same files and the plain meaning give the same people: one body of facts, many trees, one server."""

import random
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hongyan.audience.compiler.evaluate import Facts, evaluate
from hongyan.audience.compiler.happened import Where, property_holds
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.written import span
from hongyan.audience.engines.ask import ask_many
from hongyan.audience.engines.dialects import Spark, Values
from hongyan.audience.engines.spark import session
from hongyan.audience.engines.written import written_test
from tests.audience import world
from tests.audience.engines.server import spark_server
from tests.audience.generate import (
    NEW_YORK_IN_AUTUMN,
    SHANGHAI,
    _event,
    _measured,
    _object,
    _sequence,
    facts_at,
    trees_at,
)
from tests.audience.test_engines_agree import _own_place, in_order_of_writing, installation
from tests.audience.test_written import comparisons_at, texts_at

__all__ = ["_own_place"]  # the fixture
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:(pyspark|google|grpc).*"),
]
LEAVES = st.one_of(_event(SHANGHAI), _measured(SHANGHAI), _measured(SHANGHAI), _sequence(SHANGHAI), _object(SHANGHAI))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with spark_server(tmp_path_factory.mktemp("spark")) as found:
        yield found


# The same facts and trees in every run: Spark takes half a second for a condition. All kinds of them are among these.
@settings(
    max_examples=1,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
@given(
    everybody=st.lists(facts_at(SHANGHAI), min_size=8, max_size=8),
    trees=st.tuples(
        st.lists(LEAVES, min_size=12, max_size=12), st.lists(trees_at(SHANGHAI), min_size=3, max_size=3)
    ).map(lambda both: both[0] + both[1]),
)
def test_spark_agrees(
    address: str, settings: LazySettings, everybody: list[Facts], trees: list[dict[str, Any]]
) -> None:
    settings.HONGYAN_SPARK_URL = address
    with installation(everybody, SHANGHAI, random.Random(1)) as (catalogue, ids):
        seen = [world.renumbered(one, catalogue) for one in in_order_of_writing(everybody, ids)]
        nodes = [parse(tree) for tree in trees]
        answers = ask_many(nodes, catalogue=catalogue, now=SHANGHAI.now, engine="spark")
        for tree, node, answer in zip(trees, nodes, answers, strict=True):
            wanted = [
                who for who, one in zip(ids, seen, strict=True) if evaluate(node, one, catalogue, now=SHANGHAI.now)
            ]
            assert answer.ids().to_pylist() == wanted, tree
            assert answer.engine == "spark"


def test_spark_reads_times_in_texts_alike(address: str) -> None:
    moment = NEW_YORK_IN_AUTUMN
    texts, asked = texts_at(moment), list(comparisons_at(moment))[::8]
    values = Values(Spark())
    tests = [
        f"coalesce({written_test('text', span(op, value, moment.now, moment.zone), values)}, false) AS c{place}"
        for place, (op, value) in enumerate(asked)
    ]
    with session(address) as spark:
        spark.createDataFrame(pa.table({"place": range(len(texts)), "text": texts})).createOrReplaceTempView("written")
        found = spark.sql(f"SELECT place, {', '.join(tests)} FROM written ORDER BY place", args=values.held).toArrow()
    for place, (op, value) in enumerate(asked):
        when = Where(moment.now, moment.zone)
        wanted = [property_holds(op, text, value, where=when) for text in texts]
        assert found[f"c{place}"].to_pylist() == wanted, (op, value)

"""Composition and worth say the same over columns as over rows, also of what was changed since columns were written."""

import random
from decimal import Decimal
from typing import Any

import pytest

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.engines.types import Engine
from hongyan.audience.insight import columns, composition
from hongyan.audience.insight.members import members_sql
from hongyan.audience.insight.value import engagement_and_worth
from hongyan.audience.population.writer import copy_pass
from hongyan.contacts.models import Contact
from hongyan.core import clock
from tests.audience.factory import SYSTEM
from tests.audience.test_engines_agree import _own_place
from tests.population.factory import ACTS, World

__all__ = ["_own_place"]  # the fixture
pytestmark = pytest.mark.django_db(transaction=True)
TREES: tuple[Any, ...] = (
    {"tag": "vip"},
    {"not": {"tag": "vip"}},
    {"any": [{"field": "city", "op": "=", "value": "x"}, {"field": "orders.count", "op": ">=", "value": 3}]},
)
HUGE = "custom.points"  # of numbers beyond 64 bits, which only rows can part


def ordered(told: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Amounts compare as numbers, whatever their scale."""
    plain = [tuple(float(each) if isinstance(each, Decimal) else each for each in row) for row in told]
    return sorted(plain, key=repr)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_rows_and_columns_agree(seed: int) -> None:
    world = World(seed)
    steps = [world.random.choice([*ACTS, "attributes", "attributes", "facts", "facts", "tag"]) for _ in range(80)]
    acts = [step for step in steps if step not in {"erase", "merge"}]
    for step in acts[:50]:
        getattr(world, step)()
    copy_pass()
    for step in acts[50:]:  # read beside the files
        getattr(world, step)()
    catalogue, now = catalogue_now(), clock.now()
    keys = [key for key in composition.comparable(catalogue) if key != HUGE]
    assert {"city", "custom.likes", "custom.renewed", "custom.vip", "orders.total", "tags", "sex"} <= set(keys)
    for tree in TREES:
        rows = composition._by_rows(members_sql(tree, catalogue=catalogue), keys, catalogue, now)
        told = composition._by_columns(tree, keys, catalogue, now, Engine.DUCKDB)
        assert told is not None
        for place, key in enumerate(keys):
            assert ordered([row for row in told if row[0] == place]) == ordered(
                [row for row in rows if row[0] == place]
            ), key
        of_both = [
            engagement_and_worth(actor=SYSTEM, tree=tree, catalogue=catalogue, engine=engine)
            for engine in ("duckdb", "postgres")
        ]
        assert of_both[0] == of_both[1]


def test_fifths_fall_where_the_database_puts_them() -> None:
    """For every number of people: where a fifth of them is no whole number, and where values repeat."""
    world = World(5)
    chance = random.Random(5)
    catalogue = catalogue_now()
    for _ in range(16):
        world.create()
        world.random = chance
        world.facts()
        copy_pass()
        now = clock.now()
        members = members_sql({"everyone": True}, catalogue=catalogue)
        rows = composition._by_rows(members, ["orders.total", "orders.count"], catalogue, now)
        told = composition._by_columns(
            {"everyone": True}, ["orders.total", "orders.count"], catalogue, now, Engine.DUCKDB
        )
        assert told is not None
        assert ordered(told) == ordered(rows)


def test_numbers_too_long_for_columns_are_read_from_rows() -> None:
    world = World(6)
    copy_pass()
    for contact_id, number in zip(world.ids, (10**20, 5, 7), strict=False):
        Contact.objects.filter(pk=contact_id).update(attributes={"points": number})
    catalogue, now = catalogue_now(), clock.now()
    with columns.told({"everyone": True}, [HUGE], catalogue=catalogue, now=now, engine=Engine.DUCKDB) as people:
        assert people is None
    found = composition.profiles(
        actor=SYSTEM, tree={"everyone": True}, fields=[HUGE], catalogue=catalogue, language="en", engine="duckdb"
    )
    assert sum(item.everyone for item in found[0].slices) == len(world.ids)

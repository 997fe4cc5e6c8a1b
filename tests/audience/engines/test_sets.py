"""Sets of ids as bits, and numbers compared exactly."""

from decimal import Decimal

import duckdb
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.audience.compiler.compare import compare_plain
from hongyan.audience.compiler.nodes import Op
from hongyan.audience.engines.bits import Bits
from hongyan.audience.engines.compare import Digits, number_test

IDS = st.sets(st.integers(1, 70_000), max_size=20)


def bits(ids: set[int], size: int = 70_000) -> Bits:
    return Bits.of_ids(np.array(sorted(ids), np.int64), size)


@given(one=IDS, other=IDS)
def test_bits_are_sets(one: set[int], other: set[int]) -> None:
    assert (bits(one) & bits(other)).ids().tolist() == sorted(one & other)
    assert (bits(one) | bits(other)).ids().tolist() == sorted(one | other)
    assert (bits(one) - bits(other)).ids().tolist() == sorted(one - other)
    assert bits(one).count() == len(one)
    assert bits(one).last(3) == sorted(one, reverse=True)[:3]


def test_ids_that_nobody_has_are_dropped() -> None:
    assert Bits.of_ids(np.array([0, 5, 9, 10], np.int64), 9).ids().tolist() == [5, 9]


NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 0.1, 1e-7, 2.5, 1e20, -1e20, 99.99, 100, -99.995, 0.30000000000000004]),
    st.integers(-200, 200),
    st.decimals(-200, 200, places=3).map(float),
)


@settings(max_examples=200, deadline=None)
@given(
    have=st.decimals(Decimal("-99.99"), Decimal("99.99"), places=2),
    op=st.sampled_from([Op.EQ, Op.GT, Op.GE, Op.LT, Op.LE]),
    want=NUMBERS,
)
def test_a_number_is_compared_as_it_was_written(have: Decimal, op: Op, want: float) -> None:
    digits = Digits(4, 2)
    test = number_test(f"CAST('{have}' AS {digits.sql})", digits, op, want)
    row = duckdb.execute(f"SELECT {test}").fetchone()
    assert row is not None
    assert row[0] is compare_plain(op, have, want)

"""Intervals and comparisons: pure arithmetic against independent references."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.analytics.rates import Z_95, against_history, rate


@given(of=st.integers(1, 2_000_000), data=st.data())
def test_bounds_are_the_roots_of_the_score_equation(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    result = rate(count, of)
    assert result.value is not None
    assert result.low is not None
    assert result.high is not None
    assert 0 <= result.low <= result.value <= result.high <= 1
    for bound in (result.low, result.high):
        if 0 < bound < 1:
            # Wilson's interval inverts the score test: (p - bound)² = z² · bound (1 - bound) / n.
            left = (result.value - bound) ** 2
            right = Z_95**2 * bound * (1 - bound) / of
            assert left == pytest.approx(right, rel=1e-5, abs=1e-13)


def test_known_values() -> None:
    # 412 of 9,860: 4.2 % (3.8 to 4.6), the example of the interface guide.
    result = rate(412, 9860)
    assert (round(result.low or 0, 3), round(result.high or 0, 3)) == (0.038, 0.046)


@pytest.mark.parametrize(("count", "of"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_shares_are_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="denominator"):
        rate(count, of)


def test_nothing_delivered_has_no_rate() -> None:
    result = rate(0, 0)
    assert (result.value, result.low, result.high) == (None, None, None)
    assert against_history(result, [0.1, 0.2, 0.3]).verdict == "unknown"


@pytest.mark.parametrize(
    ("earlier", "verdict"),
    [
        ([], "unknown"),
        ([0.1, 0.1], "unknown"),
        ([0.1] * 3, "above"),
        ([0.9] * 3, "below"),
        ([0.29, 0.3, 0.31], "usual"),
    ],
)
def test_verdicts(earlier: list[float], verdict: str) -> None:
    assert against_history(rate(300, 1000), earlier).verdict == verdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.events.names import SPEC_NAMES, canonical


@pytest.mark.parametrize("name", sorted(SPEC_NAMES))
def test_title_case_and_snake_case_are_one_name(name: str) -> None:
    assert canonical(name.replace("_", " ").title()) == name
    assert canonical(name) == name


@given(st.text(max_size=60))
def test_canonical_is_stable(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)


def test_names_outside_the_spec_stay_as_they_came() -> None:
    assert canonical("  Started Mission 7 ") == "Started Mission 7"
    assert canonical("Viewed Product") == "product_viewed"

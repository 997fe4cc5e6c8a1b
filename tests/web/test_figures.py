from datetime import UTC, date, datetime

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from hongyan.web import figures


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_interval_holds_the_share(part: int, whole: int) -> None:
    part = min(part, whole)
    low, high = figures.wilson(part, whole)
    assert 0 <= low <= part / whole + 1e-12
    assert part / whole - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [(0, "0", "0"), (9999, "9,999", "10K"), (48201, "4.8万", "48.2K"), (12_000_000, "1200万", "12M"), (None, "—", "—")],
)
def test_compact(value: int | None, zh: str, en: str) -> None:
    with translation.override("zh-hans"):
        assert figures.compact(value) == zh
    with translation.override("en"):
        assert figures.compact(value) == en


def test_days_and_moments_in_both_languages() -> None:
    with translation.override("zh-hans"):
        assert figures.day(date(2026, 11, 2)) == "2026年11月2日"
    with translation.override("en"):
        assert figures.day(date(2026, 11, 2)) == "2 Nov 2026"
        assert figures.moment(datetime(2026, 11, 2, 6, 5, tzinfo=UTC)).startswith("2 Nov 2026, ")
        assert figures.moment(None) == "—"


def test_number_keeps_what_matters() -> None:
    assert figures.number(1234567) == "1,234,567"
    assert figures.number(12.5) == "12.5"
    assert figures.number(12.0) == "12"
    assert figures.number(None) == "—"


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (23_400, "23.4 kB"), (5_000_000, "5.0 MB")])
def test_size(size: int, text: str) -> None:
    assert figures.size(size) == text


def test_durations_read_as_people_say_them() -> None:
    with translation.override("en"):
        assert figures.duration(0.2) == "1 second"
        assert figures.duration(95) == "2 minutes"
        assert figures.duration(7200) == "2 hours"
        assert figures.duration(4 * 86400) == "4 days"
    with translation.override("zh-hans"):
        assert figures.duration(95) == "2 分钟"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("王小明", "小明"), ("欧阳 娜娜", "娜娜"), ("Ada Lovelace", "AL"), ("Prince", "P"), ("", "·"), ("  ", "·")],
)
def test_initials(name: str, letters: str) -> None:
    assert figures.initials(name) == letters


@given(st.lists(st.floats(0, 1e9), max_size=40))
def test_spark_stays_in_its_box(values: list[float]) -> None:
    for point in figures.spark_points(values).split():
        x, y = (float(part) for part in point.split(","))
        assert 0 <= x <= 96.05
        assert 0 <= y <= 24

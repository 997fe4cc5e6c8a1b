import doctest
import json
import logging
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core import batching, clock, env, ids, logs, money, proxies, sql


@pytest.mark.parametrize("module", [batching, money, proxies])
def test_examples_in_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_ids_sort_by_time_and_say_their_version() -> None:
    first = ids.uuid7()
    time.sleep(0.002)
    second = ids.uuid7()
    assert first < second
    assert {first.version, second.version} == {7}
    assert first.variant == second.variant


@given(minor=st.integers(-(10**12), 10**12), currency=st.sampled_from(["CNY", "JPY", "KWD", "CLF"]))
def test_money_survives_the_way_to_major_units(minor: int, currency: str) -> None:
    amount = money.Money(minor, currency)
    assert money.Money.of(amount.major(), currency) == amount


def test_money_rounds_half_to_even() -> None:
    assert [money.Money.of(Decimal(text), "CNY").amount_minor for text in ("0.005", "0.015", "-0.025")] == [0, 2, -2]


def test_frozen_clock_stands_still_inside_the_block_only() -> None:
    moment = clock.now()
    with clock.freeze(moment):
        assert clock.now() == moment
    assert clock.now() > moment


@pytest.mark.parametrize(("raw", "words"), [("abc", "whole number"), ("70000", "between")])
def test_malformed_setting_names_itself(monkeypatch: pytest.MonkeyPatch, raw: str, words: str) -> None:
    monkeypatch.setenv("HONGYAN_TEST_NUMBER", raw)
    with pytest.raises(env.BadSetting, match=f"HONGYAN_TEST_NUMBER.*{words}"):
        env.integer("HONGYAN_TEST_NUMBER", 1, "for this test", high=65535)
    env._TABLE.pop("HONGYAN_TEST_NUMBER")


def test_setting_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")
    monkeypatch.setenv("HONGYAN_TEST_SECRET_FILE", str(secret))
    assert env.text("HONGYAN_TEST_SECRET", "", "for this test") == "from the file"
    env._TABLE.pop("HONGYAN_TEST_SECRET")


def test_every_setting_is_documented() -> None:
    from tools.settings_page import PAGE

    documented = PAGE.read_text(encoding="utf-8")
    missing = [setting.name for setting in env.settings_table() if f"`{setting.name}`" not in documented]
    assert missing == [], "run: python -m tools.settings_page"


def test_statements_are_found_by_name() -> None:
    assert "INSERT INTO events_event" in sql.statement("hongyan.events", "events.sql", "append")
    with pytest.raises(KeyError):
        sql.statement("hongyan.events", "events.sql", "no_such_statement")


def test_logs_are_json_and_keep_exception_texts_out() -> None:
    try:
        raise ValueError("ann@example.com is not a number")
    except ValueError:
        record = logging.LogRecord("hongyan", logging.ERROR, __file__, 1, "row failed", None, sys.exc_info())
    record.row = 7
    line = logs.JSONFormatter().format(record)
    entry = json.loads(line)
    assert entry["exception"] == "ValueError"
    assert entry["row"] == 7
    assert "ann@example.com" not in line

"""The text form: nothing is lost either way, whatever the values; what cannot be read is pointed at."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.audience import segments
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.text import read, write
from hongyan.audience.errors import BadText
from tests.audience.catalogue import LIST_ID, small_catalogue
from tests.audience.generate import TREES

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
KEYS = WORDS.filter(lambda key: key.strip() != "")
SCALARS = st.one_of(
    WORDS,
    st.integers(-(2**53), 2**53),
    st.floats(-(2.0**53), 2.0**53, allow_nan=False),
    st.booleans(),
    st.sampled_from(["2026-01-31", "2026-01-31T10:00:00+08:00", "2026-01-31T10:00:00.5+08:00", "20260131", "9d"]),
)
HOSTILE = st.one_of(
    st.builds(lambda key, value: {"field": key, "op": "=", "value": value}, KEYS, SCALARS),
    st.builds(
        lambda key, values: {"field": key, "op": "in", "value": values}, KEYS, st.lists(SCALARS, min_size=1, max_size=3)
    ),
    st.builds(lambda key: {"tag": key}, KEYS),
    st.builds(
        lambda event, key, value: {"event": event, "where": {"property": key, "op": "!=", "value": value}},
        KEYS,
        KEYS,
        SCALARS,
    ),
    st.builds(
        lambda channel, topic, state: {"consent": {"channel": channel, "topic": topic, "state": state}},
        KEYS,
        KEYS,
        KEYS,
    ),
)
NESTED = st.recursive(
    HOSTILE,
    lambda inner: st.one_of(
        st.builds(lambda item: {"not": item}, inner),
        st.builds(lambda items: {"all": items}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda items: {"any": items}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)


@given(tree=st.one_of(TREES, NESTED))
@settings(max_examples=400)
def test_there_and_back_is_the_same_tree(tree: dict[str, Any]) -> None:
    text = write(tree)
    again = read(text)
    assert parse(again.tree) == parse(tree)
    assert write(again.tree) == text


@given(tree=TREES)
@settings(max_examples=100)
def test_every_part_knows_its_words(tree: dict[str, Any]) -> None:
    text = write(tree)
    reading = read(text)
    for path in _paths(reading.tree):
        span = reading.span_of(path)
        assert 0 <= span.start < span.end <= len(text), path


def _paths(value: Any, path: str = "") -> list[str]:
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _paths(inner, f"{path}/{index}")
    return found


@given(text=st.text(max_size=60))
@settings(max_examples=300)
def test_no_text_breaks_it(text: str) -> None:
    with translation.override("en"):
        try:
            read(text)
        except BadText as bad:
            for problem in bad.problems:
                assert 0 <= problem.span.start <= problem.span.end <= len(text)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("everyone", {"everyone": True}),
        ("city ＝ “上海”", {"field": "city", "op": "=", "value": "上海"}),
        ('city in （"上海"，"杭州"）', {"field": "city", "op": "in", "value": ["上海", "杭州"]}),
        ("city is not set # 不知道的", {"field": "city", "op": "is_not_set"}),
        (
            'did("email_opened") >= 3 times in 90 days',
            {"event": "email_opened", "op": ">=", "count": 3, "within_days": 90},
        ),
        ('did("order_completed") to 2026-06-30', {"event": "order_completed", "to": "2026-06-30"}),
        (
            'sum（"order_completed"，total）≥ 1000 in 90 days',
            {"event": "order_completed", "measure": "sum", "property": "total", "op": ">=", "value": 1000,
             "within_days": 90},
        ),
        (
            'avg("o", sum) between 1 and 5 between 90d and 30d ago',
            {"event": "o", "measure": "average", "property": "sum", "op": "between", "value": [1, 5],
             "days_ago": [90, 30]},
        ),
        ('last_at("a") in last 30d', {"event": "a", "measure": "last_at", "op": "within_last_days", "value": 30}),
        (
            'did("a") in 12h then did("b", where x = 1) within 7d then not did("c") within 30min',
            {
                "sequence": [
                    {"event": "a"},
                    {"event": "b", "where": {"property": "x", "op": "=", "value": 1}, "within": {"days": 7}},
                    {"not_event": "c", "within": {"minutes": 30}},
                ],
                "within_hours": 12,
            },
        ),
        ('has("pet", where kind = "cat") = 0', {
            "object": "pet", "op": "=", "count": 0, "where": {"property": "kind", "op": "=", "value": "cat"}
        }),
        # Words of the language are names where only a name can stand.
        ("sum > 3 and then = 4", {
            "all": [{"field": "sum", "op": ">", "value": 3}, {"field": "then", "op": "=", "value": 4}]
        }),
        ("a = 1 and b = 2 or c = 3", {
            "any": [
                {"all": [{"field": "a", "op": "=", "value": 1}, {"field": "b", "op": "=", "value": 2}]},
                {"field": "c", "op": "=", "value": 3},
            ]
        }),
        ("not a = 1 and b = 2", {
            "all": [{"not": {"field": "a", "op": "=", "value": 1}}, {"field": "b", "op": "=", "value": 2}]
        }),
    ],
)  # fmt: skip
def test_as_people_write_it(text: str, tree: dict[str, Any]) -> None:
    assert read(text).tree == tree


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ('city = "上海', '"上海', "open_quote"),
        ("city = ", "", "unfinished"),
        ("city ~ 3", "~", "unexpected"),
        ('did("email_opened", where tag("vip"))', 'tag("vip")', "not_inside"),
        ('town = "x" and city = "上海"', "town", "unknown_field"),
        ('city = "上海" and not tag("nope")', '"nope"', "unknown_tag"),
        ('did("email_opened") >= 0', "0", "empty_condition"),
        ('points = "many"', '"many"', "type_mismatch"),
        ("created_at > 2026-01-01", "> 2026-01-01", "operator_mismatch"),
        ('did("email_opened", where paid > 2026-01-01)', "> 2026-01-01", "operator_mismatch"),
        ('did("email_opened", where paid before "soon")', '"soon"', "type_mismatch"),
        ('did("email_opened", where paid between 2026-02-01 and 2026-01-01)', "between 2026-02-01 and 2026-01-01",
         "wrong_order"),
        ('last("email_opened", paid) after "2026-01-01 10:00"', '"2026-01-01 10:00"', "type_mismatch"),
        ("", "", "empty"),
        ('sum("order_completed") > 3', 'sum("order_completed") > 3', "missing_value"),
        ('sum("order_completed", total) > "x"', '"x"', "type_mismatch"),
        ('did("email_opened") then did("nope") within 7d', '"nope"', "unknown_event"),
        ('did("email_opened") >= 2 then did("order_completed")', "then", "unexpected"),
        ('did("email_opened") then not did("order_completed")', "", "unfinished"),
        ('has("pet", where age > 3)', "age", "unknown_property"),
        ('did("email_opened") between 30d and 90d ago', "between 30d and 90d ago", "wrong_order"),
    ],
)  # fmt: skip
def test_complaints_point_at_the_words(text: str, words: str, code: str) -> None:
    with translation.override("en"), pytest.raises(BadText) as refused:
        segments.from_text(text.replace("points", "custom.points"), catalogue=small_catalogue())
    problem = refused.value.problems[0]
    shown = text.replace("points", "custom.points")
    assert (problem.code, shown[problem.span.start : problem.span.end]) == (code, words)


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("city = 上海", "上海", 'double quotation marks: "上海"'),
        ("city = '上海'", "'上海'", 'double quotation marks: "上海"'),
        ('city == "上海"', "==", "Write: ="),
        ('city <> "上海"', "<>", "Write: !="),
        ('city is "上海"', '"上海"', "Write: ="),
        ('city = "a" AND city = "b"', "AND", "Write: and"),
        ('city = "a" & city = "b"', "&", "Write: and"),
        ('city ≠ "a" 且 tag("vip")', "且", "Write: and"),
        ('city = "a")', ")", "No bracket is open"),
        ("city in ()", ")", "Expected: a text"),
        ("has_email = yes", "yes", "Write: true"),
        ("custom.points > 1.000.000", "1.000.000", "Write: 1000000"),
        ("custom.points > 1,000", "1,000", "Write: 1000"),
        ('did("email_opened") in 2w', "2w", "such as 90d"),
        ('did("email_opened") since 2026-01-01', "since", "Write: from"),
        ('never did("email_opened") in 90d', "never", "Write: not"),
        ('没有 did("email_opened")', "没有", "Write: not"),
        ('and city = "a"', "and", "none stands before it"),
        ('city = "a" and or city = "b"', "or", "none stands before it"),
        ('city = "a"，has_email = true', "，", "Write: and"),
        ('did("email_opened") within 30d', "within", "Write: in"),
        ('tag = "vip"', "=", 'tag("…")'),
        ('did("email_opened", cat = "茶")', "cat", "where"),
        ("created_at before 2026/11/22", "2026/11/22", "2026-01-31T10:00:00+08:00"),
        ("created_at before 22.11.2026", "22.11.2026", "2026-01-31T10:00:00+08:00"),
        ("created_at before 2026-11-22 10:00", "10:00", "2026-01-31T10:00:00+08:00"),
        ("created_at > 2026-01-01", "> 2026-01-01", "before, after"),
        ('城市 = "上海"', "城市", "Is “city” meant?"),
        ('did("email_opend")', '"email_opend"', "Is “email_opened” meant?"),
        ('tag("贵宾")', '"贵宾"', "Is “vip” meant?"),
        ('list("Fair 2026")', '"Fair 2026"', LIST_ID),
        ('custom.level = "金卡"', '"金卡"', "Is “gold” meant?"),
        ('custom.level = "platinum"', '"platinum"', "gold, silver"),
        ('consent("email") = yes', "yes", "given, none"),
        ('sum("email_opened") > 3', 'sum("email_opened") > 3', "of which property"),
    ],
)  # fmt: skip
def test_what_people_are_likely_to_mean_is_said(text: str, words: str, message: str) -> None:
    with translation.override("en"), pytest.raises(BadText) as refused:
        segments.from_text(text, catalogue=small_catalogue())
    problem = refused.value.problems[0]
    assert text[problem.span.start : problem.span.end] == words
    assert message in problem.message


def test_every_example_of_the_reference_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
    examples = page[page.index("## Examples") : page.index("## Through the API")]
    texts = re.findall(r"^\|[^|]+\| `(.+)` \|$", examples, re.MULTILINE)
    assert len(texts) >= 8
    for text in texts:
        assert write(read(text).tree) == text
    trees = re.findall(r"```json\n(.+?)```", page, re.DOTALL)
    assert len(trees) >= 5
    for part in trees:
        for tree in re.split(r"\n(?=\{)", part.strip()):
            parse(json.loads(tree))


def test_both_languages_say_what_is_missing() -> None:
    for language, word in (("en", "Expected"), ("zh-hans", "这里可以是")):
        with translation.override(language), pytest.raises(BadText) as refused:
            read("city = ")
        assert word in refused.value.problems[0].message


@pytest.mark.django_db
def test_the_command_line_counts_lists_and_explains() -> None:
    from typer.testing import CliRunner

    from hongyan.audience import command
    from hongyan.contacts.models import Contact

    here = [Contact.objects.create(city="上海") for _ in range(3)]
    Contact.objects.create(city="杭州")
    app = typer.Typer()
    app.command("count")(command.segment_count)
    app.command("members")(command.segment_members)
    app.command("explain")(command.segment_explain)
    app.command("why")(command.segment_why)
    run = CliRunner().invoke
    assert run(app, ["count", 'city = "上海"']).stdout.strip() == "3"
    listed = run(app, ["members", 'city = "上海"', "--limit", "2"]).stdout.split()
    assert listed == [str(contact.public_id) for contact in here[:2]]
    sentences = run(app, ["explain", 'city = "上海"']).stdout.splitlines()
    assert len(sentences) == 2
    assert "Contacts whose city is" in sentences[1]
    reason = run(app, ["why", 'city = "上海" and did("email_opened")', str(here[0].public_id), "--language", "en"])
    assert [line.split()[0] for line in reason.stdout.splitlines()] == ["✗", "✓", "✗"]
    assert run(app, ["why", "everyone", "01900000-0000-7000-8000-000000000000"]).exit_code == 1
    refused = run(app, ["count", 'town = "上海"'])
    assert refused.exit_code == 2
    assert "→town←" in refused.stderr

"""Parsing, checking, rewriting, spelling: JSON in, what comes out beside it. No database."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation
from sqlglot.dialects.dialect import Dialect

from hongyan.audience.compiler.canonical import as_json, digest
from hongyan.audience.compiler.check import check
from hongyan.audience.compiler.emit import emit
from hongyan.audience.compiler.nodes import MAX_DEPTH, MAX_NODES, All, Everyone, Not
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.errors import BadTree
from tests.audience.catalogue import AUDIENCE_ID, LIST_ID, small_catalogue

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CATEGORY = {"property": "category", "op": "=", "value": "茶"}
A, B = {"event": "email_opened"}, {"event": "order_completed"}
TOTAL = {"event": "order_completed", "property": "total"}
CITY = {"field": "city", "op": "=", "value": "上海"}


def problems_of(tree: Any) -> list[tuple[str, str]]:
    try:
        node = parse(tree)
    except BadTree as bad:
        return [(problem.path, problem.code) for problem in bad.problems]
    return [(problem.path, problem.code) for problem in check(node, small_catalogue())]


GOOD: list[dict[str, Any]] = [
    {"everyone": True},
    CITY,
    {"all": [CITY, {"tag": "vip"}]},
    {"any": [CITY, {"not": {"tag_group": "value"}}]},
    {"field": "city", "op": "in", "value": ["上海", "北京"]},
    {"field": "city", "op": "is_not_set"},
    {"field": "birth_month", "op": "between", "value": [3, 5]},
    {"field": "custom.points", "op": ">=", "value": 0.5},
    {"field": "custom.renewal", "op": "within_next_days", "value": 30},
    {"field": "created_at", "op": "between", "value": ["2026-01-01", "2026-02-01T10:00:00+08:00"]},
    {"field": "sex", "op": "in", "value": [1, 2]},
    {"field": "custom.likes", "op": "contains", "value": "tea"},
    {"list": LIST_ID},
    {"audience": AUDIENCE_ID},
    {"consent": {"channel": "email", "topic": "promotion", "state": "given"}},
    {"consent": {"channel": "email", "state": "none"}},
    {"event": "email_opened"},
    {"event": "email_opened", "op": "=", "count": 0, "within_days": 30},
    {"event": "order_completed", "op": ">=", "count": 2, "from": "2026-01-01", "to": "2026-06-30"},
    {"event": "order_completed", "where": {"all": [{"property": "category", "op": "=", "value": "茶"}]}},
    {"event": "email_opened", "within_hours": 12},
    {"event": "email_opened", "days_ago": [90, 30]},
    {"event": "email_opened", "measure": "count", "op": ">", "count": 2, "days_ago": [90, 0]},
    {"event": "order_completed", "measure": "sum", "property": "total", "op": ">=", "value": 1000, "within_days": 90},
    {"event": "order_completed", "measure": "average", "property": "total", "op": "between", "value": [1, 2.5]},
    {"event": "order_completed", "measure": "max", "property": "total", "op": "is_set"},
    {"event": "order_completed", "measure": "last", "property": "coupon", "op": "starts_with", "value": "X"},
    {"event": "order_completed", "measure": "first", "property": "gift", "op": "=", "value": True},
    {"event": "order_completed", "measure": "last", "property": "due", "op": "within_next_days", "value": 3},
    {"event": "order_completed", "where": {"property": "due", "op": "between", "value": ["2026-01-01", "9999-12-31"]}},
    {"field": "created_at", "op": "after", "value": "9999-12-31"},
    {"event": "email_opened", "measure": "last_at", "op": "within_last_days", "value": 30},
    {"event": "email_opened", "measure": "first_at", "op": "before", "value": "2026-01-01", "where": CATEGORY},
    {"sequence": [{"event": "email_opened"}, {"event": "order_completed"}]},
    {
        "sequence": [{"event": "email_opened"}, {"not_event": "order_completed", "within": {"hours": 2}}],
        "within_days": 9,
    },
    {
        "sequence": [{"event": "email_opened", "where": CATEGORY}]
        + [{"event": "email_opened", "within": {"days": 7}}] * 4
    },
    {"object": "pet"},
    {"object": "pet", "op": "=", "count": 0, "where": {"property": "renewal", "op": "within_next_days", "value": 30}},
]


@pytest.mark.parametrize("tree", GOOD, ids=lambda tree: str(tree)[:60])
def test_good_trees_pass_and_survive_writing(tree: dict[str, Any]) -> None:
    assert problems_of(tree) == []
    assert digest(parse(as_json(parse(tree)))) == digest(parse(tree))


BAD: list[tuple[Any, str, str]] = [
    (None, "", "not_a_condition"),
    ({}, "", "not_a_condition"),
    ([], "", "not_a_condition"),
    ("everyone", "", "not_a_condition"),
    ({"everyone": False}, "/everyone", "bad_value"),
    ({"everyone": 1}, "/everyone", "bad_value"),
    ({"everyone": True, "tag": "vip"}, "", "several_conditions"),
    ({"all": []}, "/all", "empty_group"),
    ({"all": {}}, "/all", "empty_group"),
    ({"any": [CITY, None]}, "/any/1", "not_a_condition"),
    ({"all": [CITY, {}]}, "/all/1", "not_a_condition"),
    ({"not": None}, "/not", "not_a_condition"),
    ({"magic": 1}, "", "unknown_condition"),
    ({**CITY, "limit": 5}, "/limit", "unknown_key"),
    ({"field": "city", "value": "上海"}, "/op", "missing_operator"),
    ({"field": "city", "op": "="}, "/value", "missing_value"),
    ({"field": "city", "op": "=", "value": ""}, "/value", "missing_value"),
    ({"field": "city", "op": "=", "value": {"$ne": None}}, "/value", "bad_value"),
    ({"field": "city", "op": "=", "value": "a\x00"}, "/value", "bad_text"),
    ({"field": "city", "op": "=", "value": "\ud800"}, "/value", "bad_text"),
    ({"field": "city", "op": "=", "value": "x" * 401}, "/value", "too_long"),
    ({"field": "city", "op": "like", "value": "%"}, "/op", "unknown_operator"),
    ({"field": "city", "op": ">", "value": "a"}, "/op", "operator_mismatch"),
    ({"field": "city", "op": "=", "value": 5}, "/value", "type_mismatch"),
    ({"field": "city", "op": "is_set", "value": 1}, "/value", "unneeded_value"),
    ({"field": "city", "op": "in", "value": []}, "/value", "missing_value"),
    ({"field": "city", "op": "in", "value": ["a", 5]}, "/value/1", "type_mismatch"),
    ({"field": "city", "op": "in", "value": ["a"] * 1001}, "/value", "too_many"),
    ({"field": "id; DROP TABLE x", "op": "=", "value": "a"}, "/field", "unknown_field"),
    ({"field": "birth_month", "op": "=", "value": True}, "/value", "type_mismatch"),
    ({"field": "birth_month", "op": "=", "value": float("nan")}, "/value", "bad_value"),
    ({"field": "birth_month", "op": "=", "value": float("inf")}, "/value", "bad_value"),
    ({"field": "birth_month", "op": "=", "value": 10**400}, "/value", "bad_value"),
    ({"field": "birth_month", "op": "between", "value": [5]}, "/value", "not_a_pair"),
    ({"field": "birth_month", "op": "between", "value": [5, 3]}, "/value", "wrong_order"),
    ({"field": "has_email", "op": "=", "value": "yes"}, "/value", "type_mismatch"),
    ({"field": "created_at", "op": "before", "value": "yesterday"}, "/value", "type_mismatch"),
    ({"field": "created_at", "op": "before", "value": "2026-02-30"}, "/value", "type_mismatch"),
    ({"field": "created_at", "op": "before", "value": "2026-02-01T10:00:00"}, "/value", "type_mismatch"),
    ({"field": "created_at", "op": "within_last_days", "value": 0}, "/value", "bad_number"),
    ({"field": "created_at", "op": "within_last_days", "value": 1.5}, "/value", "bad_number"),
    ({"field": "sex", "op": "=", "value": 7}, "/value", "type_mismatch"),
    ({"tag": ""}, "/tag", "missing_value"),
    ({"tag": "nobody"}, "/tag", "unknown_tag"),
    ({"tag_group": "nobody"}, "/tag_group", "unknown_tag_group"),
    ({"list": 1}, "/list", "missing_value"),
    ({"list": "x"}, "/list", "unknown_list"),
    ({"audience": "x"}, "/audience", "unknown_audience"),
    ({"consent": "email"}, "/consent", "missing_value"),
    ({"consent": {"channel": "fax", "state": "given"}}, "/consent/channel", "unknown_channel"),
    ({"consent": {"channel": "email", "state": "perhaps"}}, "/consent/state", "unknown_state"),
    ({"consent": {"channel": "email", "topic": "x", "state": "given"}}, "/consent/topic", "unknown_topic"),
    ({"consent": {"channel": "email", "state": "given", "x": 1}}, "/consent/x", "unknown_key"),
    ({"event": "email_opend"}, "/event", "unknown_event"),
    ({"event": "email_opened", "op": "contains"}, "/op", "unknown_operator"),
    ({"event": "email_opened", "count": -1}, "/count", "bad_number"),
    ({"event": "email_opened", "count": True}, "/count", "bad_number"),
    ({"event": "email_opened", "op": ">=", "count": 0}, "/count", "empty_condition"),
    ({"event": "email_opened", "within_days": 0}, "/within_days", "bad_number"),
    ({"event": "email_opened", "within_days": 5, "from": "2026-01-01"}, "/within_days", "two_windows"),
    ({"event": "email_opened", "from": "2026-02-01", "to": "2026-01-01"}, "/to", "wrong_order"),
    ({"event": "email_opened", "where": {"tag": "vip"}}, "/where", "unknown_condition"),
    ({"event": "email_opened", "where": {"all": []}}, "/where/all", "empty_group"),
    ({"event": "email_opened", "where": {"property": "x", "op": ">", "value": "a"}}, "/where/value", "type_mismatch"),
    ({"property": "x", "op": "=", "value": 1}, "", "unknown_condition"),
    ({**A, "within_hours": 0}, "/within_hours", "bad_number"),
    ({**A, "within_hours": 5, "within_days": 5}, "/within_days", "two_windows"),
    ({**A, "days_ago": [30, 90]}, "/days_ago", "wrong_order"),
    ({**A, "days_ago": [30, 30]}, "/days_ago", "wrong_order"),
    ({**A, "days_ago": [30]}, "/days_ago", "not_a_pair"),
    ({**A, "days_ago": [30, -1]}, "/days_ago/1", "bad_number"),
    ({**A, "days_ago": [30, 1], "to": "2026-01-01"}, "/days_ago", "two_windows"),
    ({**A, "measure": "median", "property": "x", "op": "=", "value": 1}, "/measure", "unknown_measure"),
    ({**A, "measure": ["sum"], "property": "x", "op": "=", "value": 1}, "/measure", "unknown_measure"),
    ({**A, "property": "x"}, "/property", "unknown_key"),
    ({**A, "value": 5}, "/value", "unknown_key"),
    ({**TOTAL, "measure": "sum", "op": ">"}, "/value", "missing_value"),
    ({**TOTAL, "measure": "sum", "value": 3}, "/op", "missing_operator"),
    ({**TOTAL, "measure": "sum", "op": ">", "value": 3, "count": 1}, "/count", "unknown_key"),
    ({**B, "measure": "sum", "op": ">", "value": 3}, "/property", "missing_value"),
    ({**TOTAL, "measure": "sum", "op": ">", "value": "3"}, "/value", "type_mismatch"),
    ({**TOTAL, "measure": "sum", "op": "contains", "value": "3"}, "/op", "operator_mismatch"),
    ({**TOTAL, "measure": "sum", "op": "is_set"}, "/op", "operator_mismatch"),
    ({**TOTAL, "measure": "max", "op": "between", "value": [3, 1]}, "/value", "wrong_order"),
    ({**TOTAL, "measure": "max", "op": "before", "value": "2026-01-01"}, "/op", "operator_mismatch"),
    ({**TOTAL, "measure": "last", "op": "before", "value": "soon"}, "/value", "type_mismatch"),
    ({**TOTAL, "measure": "last", "op": ">", "value": "2026-01-01"}, "/op", "operator_mismatch"),
    ({"field": "created_at", "op": "before", "value": "0001-01-01"}, "/value", "type_mismatch"),
    ({"field": "created_at", "op": "after", "value": "9999-12-31T23:59:59-05:00"}, "/value", "type_mismatch"),
    ({**TOTAL, "measure": "last_at", "op": "is_set"}, "/property", "unknown_key"),
    ({**B, "measure": "last_at", "op": ">", "value": 3}, "/op", "operator_mismatch"),
    ({**B, "measure": "last_at", "op": "within_next_days", "value": 3}, "/op", "operator_mismatch"),
    ({**B, "measure": "last_at", "op": "before", "value": "soon"}, "/value", "type_mismatch"),
    ({**TOTAL, "property": "z[].x", "measure": "sum", "op": ">", "value": 3}, "/property", "list_property"),
    ({**TOTAL, "property": "z[].x", "measure": "last", "op": "is_set"}, "/property", "list_property"),
    ({"sequence": [A]}, "/sequence", "bad_steps"),
    ({"sequence": [A] * 6}, "/sequence", "bad_steps"),
    ({"sequence": {"event": "email_opened"}}, "/sequence", "bad_steps"),
    ({"sequence": [A, {}]}, "/sequence/1", "bad_step"),
    ({"sequence": [A, {"tag": "vip"}]}, "/sequence/1", "bad_step"),
    ({"sequence": [A, {**B, "not_event": "email_opened"}]}, "/sequence/1", "bad_step"),
    ({"sequence": [A, {**B, "count": 2}]}, "/sequence/1/count", "unknown_key"),
    ({"sequence": [A, {"event": "nope"}]}, "/sequence/1/event", "unknown_event"),
    ({"sequence": [A, {"not_event": "nope", "within": {"days": 1}}]}, "/sequence/1/not_event", "unknown_event"),
    ({"sequence": [A, {"not_event": "order_completed"}]}, "/sequence/1", "missing_within"),
    ({"sequence": [{"not_event": "email_opened", "within": {"days": 1}}, B]}, "/sequence/0/not_event", "not_last"),
    ({"sequence": [{**A, "within": {"days": 1}}, B]}, "/sequence/0/within", "unneeded_within"),
    ({"sequence": [A, {**B, "within": 7}]}, "/sequence/1/within", "bad_span"),
    ({"sequence": [A, {**B, "within": {"weeks": 1}}]}, "/sequence/1/within", "bad_span"),
    ({"sequence": [A, {**B, "within": {"days": 1, "hours": 2}}]}, "/sequence/1/within", "bad_span"),
    ({"sequence": [A, {**B, "within": {"days": 0}}]}, "/sequence/1/within/days", "bad_number"),
    ({"sequence": [A, {**B, "within": {"minutes": 10**12}}]}, "/sequence/1/within/minutes", "bad_number"),
    ({"sequence": [A, {**B, "where": {"tag": "vip"}}]}, "/sequence/1/where", "unknown_condition"),
    ({"sequence": [A, B], "from": "2026-02-01", "to": "2026-01-01"}, "/to", "wrong_order"),
    ({"object": "petz"}, "/object", "unknown_object"),
    ({"object": "pet", "within_days": 3}, "/within_days", "unknown_key"),
    ({"object": "pet", "op": ">=", "count": 0}, "/count", "empty_condition"),
    ({"object": "pet", "where": {"property": "nope", "op": "is_set"}}, "/where/property", "unknown_property"),
    ({"object": "pet", "where": {"property": "renewal", "op": ">", "value": 3}}, "/where/op", "operator_mismatch"),
    ({"object": "pet", "where": {"property": "chip", "op": "=", "value": "3"}}, "/where/op", "operator_mismatch"),
    ({"object": "pet", "where": {"property": "price", "op": "=", "value": "3"}}, "/where/value", "type_mismatch"),
]


@pytest.mark.parametrize(("tree", "path", "code"), BAD, ids=lambda part: str(part)[:50])
def test_what_is_wrong_is_named_at_its_place(tree: Any, path: str, code: str) -> None:
    assert (path, code) in problems_of(tree)


def test_every_problem_is_reported_at_once() -> None:
    tree = {"all": [{"field": "nope", "op": "=", "value": 1}, {"any": [{"tag": "nope"}]}]}
    assert problems_of(tree) == [("/all/0/field", "unknown_field"), ("/all/1/any/0/tag", "unknown_tag")]


def test_messages_speak_the_readers_language() -> None:
    node = parse({"tag": "nope"})
    with translation.override("en"):
        english = check(node, small_catalogue())[0].message
    with translation.override("zh-hans"):
        chinese = check(node, small_catalogue())[0].message
    assert english == "This tag does not exist. Possible here: vip, new."
    assert chinese == "没有这个标签。可以用：vip、new。"


def test_depth_and_size_are_capped() -> None:
    deep: Any = CITY
    for _ in range(500):
        deep = {"not": deep}
    path, code = problems_of(deep)[0]
    assert code == "too_deep"
    assert path.count("/not") == MAX_DEPTH
    wide = {"any": [CITY] * 10_000}
    assert [code for _, code in problems_of(wide)] == ["too_many"]
    assert problems_of({"any": [CITY] * (MAX_NODES - 1)}) == []


def test_audiences_that_contain_themselves_are_refused() -> None:
    from hongyan.audience.compiler.catalogue import AudienceSpec

    catalogue = small_catalogue(
        audiences={
            "a": AudienceSpec("a", "A", {"not": {"audience": "b"}}),
            "b": AudienceSpec("b", "B", {"any": [{"tag": "vip"}, {"audience": "a"}]}),
            "c": AudienceSpec("c", "C", {"tag": "gone"}),
        }
    )
    assert [p.code for p in check(parse({"audience": "a"}), catalogue)] == ["circle"]
    assert [p.code for p in check(parse({"audience": "c"}), catalogue)] == ["broken_audience"]
    alone = small_catalogue(audiences={"a": AudienceSpec("a", "A", {"tag": "vip"})})
    assert check(parse({"audience": "a"}), alone) == []
    assert [p.code for p in check(parse({"audience": "a"}), alone, inside="a")] == ["circle"]


def test_audiences_in_audiences_stay_small_together() -> None:
    from hongyan.audience.compiler.catalogue import AudienceSpec

    specs = {"a0": AudienceSpec("a0", "A0", {"any": [CITY] * 20})}
    for level in range(1, 4):
        name, below = f"a{level}", f"a{level - 1}"
        specs[name] = AudienceSpec(name, name, {"any": [{"audience": below}] * 20})
    assert [p.code for p in check(parse({"audience": "a3"}), small_catalogue(audiences=specs))] == ["too_many"]


SAME = [
    ({"all": [CITY, {"tag": "vip"}]}, {"all": [{"tag": "vip"}, CITY]}),
    ({"all": [CITY, {"all": [{"tag": "vip"}]}]}, {"all": [CITY, {"tag": "vip"}]}),
    ({"any": [CITY, CITY]}, CITY),
    ({"field": "city", "op": "in", "value": ["a", "b"]}, {"field": "city", "op": "in", "value": ["b", "a", "a"]}),
    ({"event": "email_opened"}, {"event": "email_opened", "op": ">=", "count": 1}),
]
DIFFERENT = [
    ({"all": [CITY, {"tag": "vip"}]}, {"any": [CITY, {"tag": "vip"}]}),
    ({"event": "email_opened", "within_days": 30}, {"event": "email_opened", "within_days": 31}),
    (CITY, {"not": CITY}),
    (
        {"event": "order_completed", "where": {"property": "x", "op": "=", "value": 1}},
        {"event": "order_completed", "where": {"property": "x", "op": "=", "value": True}},
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spelling_does_not_change_the_hash(one: Any, other: Any) -> None:
    assert digest(parse(one)) == digest(parse(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_meaning_changes_the_hash(one: Any, other: Any) -> None:
    assert digest(parse(one)) != digest(parse(other))


def rewritten(tree: Any) -> dict[str, Any]:
    return as_json(rewrite(parse(tree), small_catalogue()))


REWRITES = [
    ({"not": {"not": CITY}}, CITY),
    ({"not": {"all": [CITY, {"tag": "vip"}]}}, {"any": [{"not": CITY}, {"not": {"tag": "vip"}}]}),
    ({"field": "city", "op": "!=", "value": "上海"}, {"not": CITY}),
    ({"not": {"field": "city", "op": "!=", "value": "上海"}}, CITY),
    ({"all": [CITY, {"everyone": True}]}, CITY),
    ({"any": [CITY, {"everyone": True}]}, {"everyone": True}),
    ({"all": [CITY, {"not": {"everyone": True}}]}, {"not": {"everyone": True}}),
    ({"audience": AUDIENCE_ID}, {"tag": "vip"}),
    (
        {"event": "email_opened", "op": "=", "count": 0},
        {"not": {"event": "email_opened", "op": ">=", "count": 1}},
    ),
    (
        {"event": "email_opened", "op": "<", "count": 3, "within_days": 9},
        {"not": {"event": "email_opened", "op": ">=", "count": 3, "within_days": 9}},
    ),
    ({"event": "email_opened", "op": "!=", "count": 0}, {"event": "email_opened", "op": ">=", "count": 1}),
]


@pytest.mark.parametrize(("before", "after"), REWRITES, ids=lambda part: str(part)[:50])
def test_rewriting(before: Any, after: Any) -> None:
    assert rewritten(before) == after


def test_values_are_bound_and_never_written_into_the_statement() -> None:
    evil = "x'; DROP TABLE contacts_contact; --%(a1)s"
    tree = {
        "all": [
            {"field": "city", "op": "contains", "value": evil},
            {"field": "custom.note", "op": "=", "value": evil},
            {"event": "order_completed", "where": {"property": evil, "op": "=", "value": evil}},
        ]
    }
    catalogue = small_catalogue()
    sql = emit(rewrite(parse(tree), catalogue), catalogue, now=NOW)
    assert "drop" not in sql.text.lower()
    assert sum("drop" in str(value).lower() for value in sql.params.values()) >= 3
    assert "note" not in sql.text  # keys of custom fields are values too


def test_everyone_is_said_never_fallen_back_to() -> None:
    catalogue = small_catalogue()
    assert emit(Everyone(), catalogue, now=NOW).text == "SELECT c.id FROM contacts_contact AS c"
    assert "WHERE FALSE" in emit(Not(Everyone()), catalogue, now=NOW).text
    assert " WHERE " in emit(rewrite(All((parse(CITY),)), catalogue), catalogue, now=NOW).text


def test_a_dialect_that_is_still_being_made_spells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread finds under the dialect's name while another thread is the first to ask for it."""
    monkeypatch.setitem(Dialect._classes, "postgres", Dialect)
    catalogue = small_catalogue()
    node = rewrite(parse({"field": "custom.note", "op": "=", "value": "gold"}), catalogue)
    sql = emit(node, catalogue, now=datetime(2026, 7, 1, tzinfo=UTC))
    assert all(f"%({name})s" in sql.text for name in sql.params)

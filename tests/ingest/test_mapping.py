"""Columns are recognised by name and by values; finished mappings are checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.ingest.errors import MappingRefused
from hongyan.ingest.headers import target_of
from hongyan.ingest.mapping import STANDARD, check, custom_type, signature, suggest
from hongyan.ingest.neutral import neutralise, restore


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("姓名", "full_name"),
        ("姓", "family_name"),
        ("名", "given_name"),
        ("邮箱", "email"),
        ("电子邮件", "email"),
        ("E-mail", "email"),
        ("E-Mail Address", "email"),
        ("Ｅｍａｉｌ", "email"),
        ("\ufeffe\u200bmail", "email"),
        ("EMAIL\u00a0ADDRESS", "email"),
        ("手机", "phone"),
        ("手机号码(必填)", "phone"),
        ("Mobile", "phone"),
        ("First Name", "given_name"),
        ("last_name", "family_name"),
        ("性别", "sex"),
        ("生日", "birth_date"),
        ("国家", "country"),
        ("省份", "region"),
        ("城市", "city"),
        ("地址", "street"),
        ("邮编", "postal_code"),
        ("语言", "language"),
        ("时区", "time_zone"),
        ("标签", "tags"),
        ("备注", "notes"),
        ("公司名称", "company"),
        ("客户编号", "external_id"),
        ("乱七八糟", None),
        ("", None),
    ],
)
def test_headers_in_both_languages_and_all_widths(header: str, target: str | None) -> None:
    assert target_of(header) == target


def test_values_tell_what_a_header_does_not() -> None:
    rows: list[tuple[int, object]] = [
        (2, ["wang@example.com", "138 0013 8000", "2024-01-02", "x"]),
        (3, ["li@example.com", "+8613900139000", "2024-01-03", "y"]),
    ]
    found = suggest(["a", "b", "c", "d"], rows, custom={})  # type: ignore[arg-type]
    assert [item.target for item in found] == ["email", "phone", "", ""]
    assert [item.because for item in found] == ["values", "values", "", ""]
    assert [item.custom_type for item in found] == ["text", "text", "date", "text"]
    again = suggest(["a", "b", "c", "d"], rows, custom={}, remembered=["", "email", "", "notes"])  # type: ignore[arg-type]
    assert [item.target for item in again] == ["", "email", "", "notes"]


def test_duplicate_and_empty_headers_get_one_suggestion_each() -> None:
    found = suggest(["email", "Email", ""], [], custom={})
    assert [item.target for item in found] == ["email", "", ""]


@given(st.lists(st.text(max_size=20), max_size=12), st.data())
def test_no_field_is_suggested_twice_whatever_the_header(header: list[str], data: st.DataObject) -> None:
    row = data.draw(st.lists(st.text(max_size=12), min_size=len(header), max_size=len(header)))
    targets = [item.target for item in suggest(header, [(2, row)], custom={"score_x": "分数"}) if item.target]
    assert len(targets) == len(set(targets))


@pytest.mark.parametrize(
    ("mapping", "match_on", "code"),
    [
        (["email"], "email", "mapping_length"),
        (["email", "consent_status"], "email", "mapping_protected"),
        (["email", "owner_id"], "email", "mapping_protected"),
        (["email", "custom.score"], "email", "mapping_protected"),
        (["email", "__class__"], "email", "mapping_unknown"),
        (["email", "email"], "email", "mapping_twice"),
        (["", ""], "email", "mapping_empty"),
        (["full_name", "phone"], "email", "mapping_no_key"),
        (["full_name", "phone"], "full_name", "option_unknown"),
    ],
)
def test_a_wrong_mapping_is_refused(mapping: list[str], match_on: str, code: str) -> None:
    with pytest.raises(MappingRefused) as refused:
        check(mapping, width=2, custom=["score"], match_on=match_on)
    assert refused.value.code == code


def test_types_of_new_fields() -> None:
    assert custom_type(["1", "2.5", "-3"]) == "number"
    assert custom_type(["007", "008"]) == "text"
    assert custom_type(["是", "否"]) == "boolean"
    assert custom_type(["2024-01-02", "2024年3月4日"]) == "date"
    assert custom_type(["2024-01-02 10:00"]) == "datetime"
    assert custom_type([]) == "text"


def test_a_header_is_remembered_in_any_spelling_and_a_file_without_one_is_not() -> None:
    assert signature(["E-Mail", "姓名"]) == signature(["email ", "\ufeff姓名"])
    assert signature(["", ""]) is None


@given(st.text(max_size=30))
def test_neutralising_is_undone_exactly(value: str) -> None:
    assert restore(neutralise(value)) == value
    assert not neutralise(value).startswith(("=", "+", "@", "\t", "\r"))


def test_every_standard_target_can_be_recognised() -> None:
    from hongyan.ingest.headers import NAMES
    from hongyan.ingest.mapping import PARTS

    assert set(NAMES) == {*STANDARD, *PARTS}

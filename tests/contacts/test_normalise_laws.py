"""What holds for every value that is brought into its standard form, whatever text a file brings."""

import re
from collections.abc import Callable
from typing import Any

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hongyan.contacts import normalise
from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise import DateOrder

_ODD = [
    *(
        "\ufeff",
        "\u200b",
        "\u200d",
        "\u00ad",
        "\u202e",
        "\u2066",
        "\x00",
        "\x7f",
        "\u2028",
        "\r\n",
        "\t",
        "\u3000",
        "\u00a0",
    ),
    *("Ａ", "１", "＠", "．", "＋", "－", "：", "é", "e\u0301", "ǅ", "ß", "İ", "ﬁ", "㍿", "①", "½"),
    *("鸿", "雁", "𠮷", "👩‍👩‍👧", "🇨🇳", "年", "月", "日", "·", "先生", "Dr. ", " jr", "上海", "null"),
    *"@.-+()/_,;:'\"<>",
    *("http://", "mailto:", "tel:", "xn--", "zh", "CN", "1990", "02", "29", "24:00", "+08:00", "Z", "T", "E", "e"),
]
_GARBLED = st.binary(max_size=24).map(lambda raw: raw.decode("gb18030", "replace"))
_MIXED = st.lists(st.one_of(st.sampled_from(_ODD), st.text(max_size=3)), max_size=10).map("".join)
_WORD = st.from_regex(r"[A-Za-z0-9._%+-]{1,12}", fullmatch=True)
_ADDRESS = st.builds("{}@{}.{}".format, _WORD, _WORD, st.sampled_from(["com", "CN", "example", "公司", "co.uk"]))
_NUMBER = st.from_regex(r"(\+|00)?[0-9][0-9 ().-]{3,18}", fullmatch=True)
_DAY = st.from_regex(
    r"[0-9]{1,4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,4}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?Z?)?", fullmatch=True
)
_AMOUNT = st.from_regex(r"-?[0-9]{1,3}(,[0-9]{3}){0,3}(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
_KNOWN = st.sampled_from(
    [
        *("中国", "united kingdom", "usa", "ＣＮ", "繁體中文", "zh_tw", "en-us", "Asia/Shanghai", "北京时间", "utc"),
        *("男", "女士", "是", "no", "¥", "usd", "人民币", "45000", "未知", "https://例子.中国/路?q=1"),
        *("Ludwig van Beethoven", "欧阳娜娜 女士", "阿依古丽·买买提", "Müller, Anna"),
    ]
)
TEXT = st.one_of(_MIXED, _GARBLED, st.text(max_size=40), _ADDRESS, _NUMBER, _DAY, _AMOUNT, _KNOWN)

NORMALISERS: dict[str, Callable[[str], Any]] = {
    "email": normalise.email,
    "domain": normalise.domain,
    "phone": normalise.phone,
    "phone_no_region": lambda text: normalise.phone(text, region=""),
    "phone_germany": lambda text: normalise.phone(text, region="DE"),
    "country": normalise.country,
    "language": normalise.language,
    "time_zone": normalise.time_zone,
    "sex": normalise.sex,
    "boolean": normalise.boolean,
    "currency": normalise.currency,
    "number": normalise.number,
    "date": normalise.date,
    "date_dmy": lambda text: normalise.date(text, order=DateOrder.DMY),
    "moment": normalise.moment,
    "url": normalise.url,
    "line": normalise.line,
    "paragraph": normalise.paragraph,
    "clean_name": normalise.clean_name,
}
_SHAPES = {
    "email": r"[!-?A-~]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+",
    "domain": r"[a-z0-9-]+(\.[a-z0-9-]+)+",
    "phone": r"\+[1-9][0-9]{4,14}",
    "phone_no_region": r"\+[1-9][0-9]{4,14}",
    "phone_germany": r"\+[1-9][0-9]{4,14}",
    "country": r"[A-Z]{2}",
    "language": r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-[a-z0-9]{4,8})*",
    "time_zone": r"[A-Za-z0-9_+/-]+",
    "sex": r"[0129]",
    "currency": r"[A-Z]{3}",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "date_dmy": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "moment": r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+\+00:00",
    "line": r"[^\n\r\x00]*",
    "clean_name": r"[^\n\r\x00]*",
}


@pytest.mark.parametrize("name", NORMALISERS)
def test_a_value_or_its_problem_and_never_twice_different(name: str) -> None:
    read = NORMALISERS[name]

    @settings(deadline=None)  # registers of countries and languages are read at the first question
    @given(TEXT)
    @example("")
    @example("\ud800")
    @example("9" * 5000)
    @example("30000000000000")  # in Germany's plan, and beyond E.164's fifteen digits
    @example("a" * 300 + "@" + "b" * 300 + ".com")
    def law(text: str) -> None:
        try:
            value = read(text)
        except NormaliseProblem as problem:
            assert re.fullmatch("[a-z_]+", problem.code)  # noqa: PT017 - the code is what people are told by
            return
        assert re.fullmatch(_SHAPES.get(name, r"(?s).*"), str(value)), value
        assert read(str(value)) == value

    law()


@given(TEXT, TEXT, TEXT)
def test_a_name_stays_as_it_was_made(full: str, family: str, given_name: str) -> None:
    try:
        made = normalise.name(full=full, family=family, given=given_name)
    except NormaliseProblem:
        return
    again = normalise.name(full=made.full_name, family=made.family_name, given=made.given_name)
    assert again == made


@given(TEXT, st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4, unique=True))
def test_a_choice_is_one_of_its_options(text: str, values: list[str]) -> None:
    options = [(value, ()) for value in values]
    try:
        assert normalise.choice(text, options) in values
    except NormaliseProblem as problem:
        assert problem.code in {"choice", "control_characters"}  # noqa: PT017


@given(st.from_regex(r"(\+86|86|0086)?1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", " ", "-", "\u3000", "－"]))
def test_the_short_way_for_mobiles_says_what_the_library_says(number: str, between: str) -> None:
    written = number[:-8] + between + number[-8:-4] + between + number[-4:]
    plan = phonenumbers.parse(number.replace("0086", "+86", 1) if number.startswith("0086") else number, "CN")
    assume(phonenumbers.is_valid_number(plan))
    expected = phonenumbers.format_number(plan, phonenumbers.PhoneNumberFormat.E164)
    assert normalise.phone(written, region="CN") == expected


@given(st.sampled_from(["CN", "US", "GB", "DE", "JP", "HK", "FR", "BR", "IN", "SG"]), st.data())
def test_numbers_of_many_countries_come_to_their_e164(region: str, data: st.DataObject) -> None:
    sample = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.FIXED_LINE)
    assert sample is not None
    style = data.draw(st.sampled_from(["INTERNATIONAL", "NATIONAL", "E164", "RFC3966"]))
    written = phonenumbers.format_number(sample, getattr(phonenumbers.PhoneNumberFormat, style))
    expected = phonenumbers.format_number(sample, phonenumbers.PhoneNumberFormat.E164)
    assert normalise.phone(written, region=region) == expected

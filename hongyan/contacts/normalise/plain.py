"""Small vocabularies and plain types."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from urllib.parse import urlsplit

import pycountry

from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise.text import folded, tidy, tidy_lines

# ISO/IEC 5218. 3 and other codes that auto-numbered lists produce are refused, not guessed at.
_SEX = {
    **dict.fromkeys("0 未知 不详 保密 unknown u not known n/k 不明 未说明 x ?".split(), 0),
    **dict.fromkeys("1 男 男性 男士 先生 m male man mr mr. boy".split(), 1),
    **dict.fromkeys("2 女 女性 女士 小姐 f female woman mrs mrs. ms ms. miss girl w".split(), 2),
    **dict.fromkeys("9 不适用 n/a na company 公司 组织 organisation organization".split(), 9),
    "not known": 0, "not applicable": 9, "prefer not to say": 0,
}  # fmt: skip
_TRUE = frozenset("1 true t yes y on x 是 有 对 真 已 √ ✓ ✔ ja oui si sí da wahr vrai 開 开".split())
_FALSE = frozenset("0 false f no n off 否 无 無 不是 错 假 未 × ✗ ✘ nein non nee falsch faux 关 關 -".split())
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d{1,2})?", re.IGNORECASE)
_CURRENCY_WORDS = {
    "rmb": "CNY", "人民币": "CNY", "¥": "CNY", "￥": "CNY", "元": "CNY", "cnh": "CNY", "$": "USD", "美元": "USD", "us$": "USD",
    "€": "EUR", "欧元": "EUR", "£": "GBP", "英镑": "GBP", "日元": "JPY", "港币": "HKD", "港元": "HKD", "hk$": "HKD",
    "新台币": "TWD", "nt$": "TWD", "韩元": "KRW", "₩": "KRW", "₹": "INR", "卢布": "RUB", "澳元": "AUD", "加元": "CAD",
}  # fmt: skip


def sex(text: str) -> int:
    """ISO/IEC 5218: 0 not known, 1 male, 2 female, 9 not applicable."""
    found = _SEX.get(folded(text))
    if found is None:
        raise NormaliseProblem("sex")
    return found


def boolean(text: str) -> bool:
    word = folded(text)
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise NormaliseProblem("boolean")


def currency(text: str) -> str:
    """ISO 4217. ¥ is read as CNY; yen are written JPY."""
    word = folded(text)
    code = _CURRENCY_WORDS.get(word, word.upper())
    if code not in _currencies():
        raise NormaliseProblem("currency")
    return code


def number(text: str) -> Decimal:
    """A finite number: ``1,234.5``, ``-3``, ``1e3``. Decimal commas are refused, since 1,234 would be ambiguous."""
    match = _NUMBER.fullmatch(folded(text))
    if match is None:
        raise NormaliseProblem("number")
    try:
        value = Decimal(match[0].replace(",", ""))
    except InvalidOperation as error:
        raise NormaliseProblem("number") from error
    if value.adjusted() > 15 or -value.adjusted() > 15:  # beyond what a float keeps exactly
        raise NormaliseProblem("number")
    return value


def url(text: str) -> str:
    text = tidy(text)
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError as error:
        raise NormaliseProblem("url") from error
    if parts.scheme.lower() not in {"http", "https"} or not host or " " in text or "@" in parts.netloc:
        raise NormaliseProblem("url")
    if len(text) > 2000:
        raise NormaliseProblem("too_long")
    return text


def choice(text: str, options: Sequence[tuple[str, Sequence[str]]]) -> str:
    """options: (value, its labels). Either is accepted, letter case and width aside."""
    word = folded(text)
    for value, labels in options:
        if word == folded(value) or any(word == folded(label) for label in labels if label):
            return value
    raise NormaliseProblem("choice")


def line(text: str, *, limit: int = 500) -> str:
    text = tidy(text)
    if len(text) > limit:
        raise NormaliseProblem("too_long")
    return text


def paragraph(text: str, *, limit: int = 4000) -> str:
    text = tidy_lines(text)
    if len(text) > limit:
        raise NormaliseProblem("too_long")
    return text


@cache
def _currencies() -> frozenset[str]:
    # Without the codes that are no money to be paid with (XTS test, XXX none, metals, units of account).
    out = {"XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XBA", "XBB", "XBC", "XBD", "XDR", "XSU", "XUA"}
    return frozenset(entry.alpha_3 for entry in pycountry.currencies) - out

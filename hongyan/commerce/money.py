"""Amounts as people and shops write them, read exactly: decimal text in, minor units out, no binary floats."""

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache

from hongyan.commerce.errors import MoneyRefused
from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise import currency as currency_of
from hongyan.core.money import exponent

LARGEST_MINOR = 10**17  # well inside bigint, also after adding up a customer's life
_SIGN = r"[-+−]?"
_WRITTEN = re.compile(
    rf"({_SIGN})\s*(?:[A-Za-z]{{3}}|[¥￥$€£₩₹])?\s*({_SIGN})(\d{{1,3}}(?:,\d{{3}})+|\d+)?(\.\d*)?(?:e([+-]?\d{{1,2}}))?"
    r"\s*(?:[A-Za-z]{3}|元)?"
)


@lru_cache(maxsize=65_536)
def decimal_of(text: str) -> Decimal:
    """``1,234.50``, ``-3``, ``¥12``, ``19.9 EUR``. A decimal comma is refused: ``1,234`` would be ambiguous.

    >>> decimal_of("£1,234.50"), decimal_of("-0.001")
    (Decimal('1234.50'), Decimal('-0.001'))
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or not (match[3] or match[4] not in {None, "."}):
        raise MoneyRefused("number")
    sign, inner, whole, fraction, power = match.groups()
    if sign and inner:
        raise MoneyRefused("number")
    minus = "-" if (sign or inner) in {"-", "−"} else ""
    try:
        value = Decimal(f"{minus}{(whole or '0').replace(',', '')}{fraction or ''}e{power or 0}")
    except InvalidOperation as error:
        raise MoneyRefused("number") from error
    if abs(value) > LARGEST_MINOR:
        raise MoneyRefused("amount_range")
    return value


def exact_minor(value: Decimal, currency: str) -> int:
    """An amount that must be whole in minor units: a total, a refund. Raises MoneyRefused.

    >>> exact_minor(Decimal("1200.00"), "JPY"), exact_minor(Decimal("1.234"), "KWD")
    (1200, 1234)
    """
    scaled = value.scaleb(exponent(currency))
    whole = scaled.to_integral_value()
    if whole != scaled:
        raise MoneyRefused("too_fine")
    return _bounded(int(whole))


def rounded_minor(value: Decimal, currency: str) -> int:
    """A worked-out amount (price × quantity), half to even at the minor unit."""
    return _bounded(int(value.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)))


def minor_of(text: str, currency: str) -> int:
    return exact_minor(decimal_of(text), currency)


def major_text(amount_minor: int, currency: str) -> str:
    """Decimal text in major units with all its places.

    >>> major_text(1990, "CNY"), major_text(-1200, "JPY"), major_text(1, "KWD")
    ('19.90', '-1200', '0.001')
    """
    return f"{Decimal(amount_minor).scaleb(-exponent(currency)):.{exponent(currency)}f}"


def checked_currency(text: str) -> str:
    """ISO 4217. Raises MoneyRefused."""
    try:
        return _currency(text)
    except NormaliseProblem as problem:
        raise MoneyRefused("currency", "currency") from problem


@lru_cache(maxsize=512)
def _currency(text: str) -> str:
    return currency_of(text)


def _bounded(minor: int) -> int:
    if abs(minor) > LARGEST_MINOR:
        raise MoneyRefused("amount_range")
    return minor

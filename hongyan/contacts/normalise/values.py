"""Sex, booleans, numbers, dates."""

import datetime as dt
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from hongyan.contacts.normalise.problem import NormaliseProblem
from hongyan.contacts.normalise.text import folded, tidy

_SEX = {
    "0": 0, "unknown": 0, "未知": 0, "不详": 0, "保密": 0, "not known": 0, "1": 1, "m": 1, "male": 1, "man": 1, "男": 1,
    "男性": 1, "先生": 1, "mr": 1, "mr.": 1, "2": 2, "f": 2, "female": 2, "woman": 2, "女": 2, "女性": 2, "女士": 2, "小姐": 2,
    "mrs": 2, "mrs.": 2, "ms": 2, "ms.": 2, "9": 9, "not applicable": 9, "n/a": 9, "不适用": 9,
}  # fmt: skip
_TRUE = frozenset("1 y yes true t on ja oui 是 有 对 真 已 √ ✓".split())
_FALSE = frozenset("0 n no false f off nein non 否 无 错 假 未 × ✗".split())
_EXCEL_EPOCH = dt.date(1899, 12, 30)  # day 0 of Excel's 1900 system, its invented 29 February 1900 included
_YMD = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_PARTS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})")
_SERIAL = re.compile(r"\d{5}(\.\d+)?")


class DateOrder(StrEnum):
    """How dates without a leading year are to be read; chosen for a column, never guessed for a cell."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


def sex(text: str) -> int:
    """ISO/IEC 5218. Raises NormaliseProblem.

    >>> sex("女"), sex("Male"), sex("9")
    (2, 1, 9)
    """
    found = _SEX.get(folded(text))
    if found is None:
        raise NormaliseProblem("sex_unknown", _("Use 0, 1, 2 or 9 (ISO/IEC 5218), or 男, 女, male, female."))
    return found


def boolean(text: str) -> bool:
    """Raises NormaliseProblem."""
    word = folded(text)
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise NormaliseProblem("boolean_unknown", _("Use yes or no (是 or 否, 1 or 0)."))


def number(text: str) -> Decimal:
    """Digits with an optional decimal point and thousands commas. Raises NormaliseProblem.

    >>> number("1,234.50"), number("１２")
    (Decimal('1234.50'), Decimal('12'))
    """
    word = tidy(unicodedata.normalize("NFKC", text))
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", word):
        word = word.replace(",", "")
    try:
        value = Decimal(word)
    except InvalidOperation as error:
        raise NormaliseProblem("number_form", _("This is not a number; use digits and a decimal point.")) from error
    if not value.is_finite() or abs(value) >= Decimal(10) ** 24:
        raise NormaliseProblem("number_range", _("This number is too large."))
    return value


def date(text: str, order: DateOrder = DateOrder.YMD) -> dt.date:
    """Raises NormaliseProblem. Two-digit years are refused: nobody can tell 1924 from 2024.

    >>> date("2024年2月29日"), date("29/02/2024", DateOrder.DMY), date("45000")
    (datetime.date(2024, 2, 29), datetime.date(2024, 2, 29), datetime.date(2023, 3, 15))
    """
    word = tidy(unicodedata.normalize("NFKC", text))
    match = _YMD.fullmatch(word) or _COMPACT.fullmatch(word)
    if match:
        year, month, day = match.groups()
        return _real_date(int(year), int(month), int(day))
    match = _PARTS.fullmatch(word)
    if match:
        return _by_order(match, order)
    if _SERIAL.fullmatch(word):
        return _EXCEL_EPOCH + dt.timedelta(days=int(float(word)))
    try:
        return dt.datetime.fromisoformat(word).date()
    except ValueError as error:
        raise NormaliseProblem("date_form", _("This is not a date; write 2024-02-29.")) from error


def moment(text: str, order: DateOrder = DateOrder.YMD, zone: str = "UTC") -> dt.datetime:
    """An aware time in UTC; one without a zone is read in ``zone``. Raises NormaliseProblem."""
    word = tidy(unicodedata.normalize("NFKC", text)).replace("Z", "+00:00")
    try:
        value = dt.datetime.fromisoformat(word)
    except ValueError:
        day, _space, clock = word.partition(" ")
        found = date(day if clock else word, order)
        try:
            value = dt.datetime.fromisoformat(f"{found.isoformat()}T{clock or '00:00'}")
        except ValueError as error:
            raise NormaliseProblem("time_form", _("This is not a time of day; write 14:05.")) from error
    _checked_year(value.year)
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).astimezone(dt.UTC)


def _by_order(match: re.Match[str], order: DateOrder) -> dt.date:
    first, second, year = match.groups()
    if len(year) == 2:
        raise NormaliseProblem("date_short_year", _("Write the year with four digits."))
    if order is DateOrder.YMD:
        raise NormaliseProblem("date_ambiguous", _("Choose for this column whether the day or the month comes first."))
    day, month = (first, second) if order is DateOrder.DMY else (second, first)
    return _real_date(int(year), int(month), int(day))


def _real_date(year: int, month: int, day: int) -> dt.date:
    _checked_year(year)
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise NormaliseProblem("date_none", _("There is no such day.")) from error


def _checked_year(year: int) -> None:
    if not 1800 <= year <= 2200:
        raise NormaliseProblem("date_range", _("The year must be between 1800 and 2200."))

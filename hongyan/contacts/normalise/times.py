"""Dates and times: ISO 8601 out. An order of day and month that the text does not settle must be chosen, never guessed."""

import datetime as dt
import re
import unicodedata
from enum import StrEnum
from zoneinfo import ZoneInfo

from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.normalise.text import tidy


class DateOrder(StrEnum):
    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"
    EXCEL = "excel"  # serial day numbers of the 1900 system
    EXCEL_1904 = "excel_1904"


_YEAR_FIRST = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?[日号]?|(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")
_WORDS = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[ -]([a-z]{3,9})|([a-z]{3,9}) (\d{1,2})(?:st|nd|rd|th)?),?[ -](\d{4})"
)
_SERIAL = re.compile(r"\d{1,7}(?:\.\d+)?")
_TIME = re.compile(r"(.+?)[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}:?\d{2})?")
_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}


def date(text: str, order: DateOrder | None = None) -> dt.date:
    """order: how all-digit dates with the year last are to be read, or Excel serials. Without it 05/06/2024 is refused,
    13/06/2024 is not (only one reading exists).

    >>> date("1990年2月3日"), date("13/06/2024"), date("45000", order=DateOrder.EXCEL)
    (datetime.date(1990, 2, 3), datetime.date(2024, 6, 13), datetime.date(2023, 3, 15))
    """
    raw = unicodedata.normalize("NFKC", tidy(text)).lower()
    if order in {DateOrder.EXCEL, DateOrder.EXCEL_1904} and _SERIAL.fullmatch(raw):
        return _from_serial(float(raw), order)
    if match := _YEAR_FIRST.fullmatch(raw):
        year, month, day = (int(part) for part in match.groups() if part)
        return _day(year, month, day)
    if match := _YEAR_LAST.fullmatch(raw):
        return _year_last(int(match[1]), int(match[2]), int(match[3]), order)
    if (match := _WORDS.fullmatch(raw)) and (match[2] or match[3])[:3] in _MONTHS:
        return _day(int(match[5]), _MONTHS[(match[2] or match[3])[:3]], int(match[1] or match[4]))
    raise NormaliseProblem("date_form")


def moment(text: str, order: DateOrder | None = None, zone: str = "UTC") -> dt.datetime:
    """Aware, UTC. zone: where times without an offset were taken. 24:00 and leap seconds are refused.

    >>> moment("2024-02-29 08:30", zone="Asia/Shanghai").isoformat()
    '2024-02-29T00:30:00+00:00'
    """
    raw = unicodedata.normalize("NFKC", tidy(text))
    if order in {DateOrder.EXCEL, DateOrder.EXCEL_1904} and _SERIAL.fullmatch(raw):
        days = float(raw)
        at = dt.datetime.combine(_from_serial(days, order), dt.time()) + dt.timedelta(seconds=round(days % 1 * 86400))
        return _utc(at, ZoneInfo(zone))
    match = _TIME.fullmatch(raw)
    if match is None:
        try:
            return _utc(dt.datetime.combine(date(raw, order=order), dt.time()), ZoneInfo(zone))
        except NormaliseProblem as problem:
            raise NormaliseProblem("datetime_form" if problem.code == "date_form" else problem.code) from problem
    return _utc(_with_time(match, order), _offset(match[6], zone))


def _with_time(match: re.Match[str], order: DateOrder | None) -> dt.datetime:
    day = date(match[1], order=order)
    micro = int((match[5] or "0")[:6].ljust(6, "0"))
    try:
        return dt.datetime.combine(day, dt.time(int(match[2]), int(match[3]), int(match[4] or 0), micro))
    except ValueError as error:
        raise NormaliseProblem("datetime_form") from error


def _offset(text: str | None, zone: str) -> dt.tzinfo:
    if text is None:
        return ZoneInfo(zone)
    if text == "Z":
        return dt.UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        raise NormaliseProblem("datetime_form")
    delta = dt.timedelta(hours=hours, minutes=minutes)
    return dt.timezone(delta if text[0] == "+" else -delta)


def _utc(naive: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    try:
        return naive.replace(tzinfo=zone).astimezone(dt.UTC)
    except OverflowError as error:
        raise NormaliseProblem("date_range") from error


def _year_last(first: int, second: int, year: int, order: DateOrder | None) -> dt.date:
    if order is DateOrder.MDY:
        return _day(year, first, second)
    if order is DateOrder.DMY:
        return _day(year, second, first)
    if first > 12 >= second or first == second:
        return _day(year, second, first)
    if second > 12 >= first:
        return _day(year, first, second)
    raise NormaliseProblem("date_ambiguous" if first <= 12 and second <= 12 else "date_range")


def _from_serial(days: float, order: DateOrder) -> dt.date:
    """The 1900 system counts a 29 February 1900 that never was (serial 60), kept from Lotus 1-2-3."""
    whole = int(days)
    if order is DateOrder.EXCEL and (whole == 60 or whole < 1):
        raise NormaliseProblem("date_range")
    epoch = dt.date(1904, 1, 1) if order is DateOrder.EXCEL_1904 else dt.date(1899, 12, 31 if whole < 60 else 30)
    try:
        return epoch + dt.timedelta(days=whole)
    except OverflowError as error:
        raise NormaliseProblem("date_range") from error


def _day(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise NormaliseProblem("date_range") from error

"""Numbers, shares, dates and durations as people read them, in both languages. Values in, text out."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zlib import crc32

from django.utils import timezone, translation
from django.utils.translation import ngettext

DASH = "—"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
AVATAR_TONES = 6


def chinese() -> bool:
    return (translation.get_language() or "").startswith("zh")


def number(value: float | Decimal | None) -> str:
    if value is None or value == "":
        return DASH
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def compact(value: float | None) -> str:
    """Short form. Chinese counts in 万 and 亿.

    >>> from django.utils import translation
    >>> with translation.override("zh-hans"): compact(123456)
    '12.3万'
    >>> with translation.override("en"): compact(123456)
    '123K'
    """
    if value is None:
        return DASH
    steps = ((1e8, "亿"), (1e4, "万")) if chinese() else ((1e9, "B"), (1e6, "M"), (1e3, "K"))
    for step, mark in steps:
        if abs(value) >= step:
            scaled = value / step
            return (f"{scaled:.0f}" if abs(scaled) >= 100 else f"{scaled:.1f}".removesuffix(".0")) + mark
    return number(value)


def percent(value: float | None, digits: int = 1) -> str:
    return DASH if value is None else f"{100 * value:.{digits}f}%"


def wilson(part: int, whole: int, z: float = 1.96) -> tuple[float, float]:
    """95 % score interval of a share, rates in 0..1. Source: E. B. Wilson, JASA 22 (1927), 209-212.

    >>> tuple(round(bound, 3) for bound in wilson(12, 100))
    (0.07, 0.198)
    """
    if whole <= 0:
        return 0.0, 1.0
    p = min(1.0, part / whole)
    centre = p + z * z / (2 * whole)
    spread = z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    scale = 1 + z * z / whole
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def day(value: date | datetime | None) -> str:
    if value is None:
        return DASH
    at = _local(value)
    return f"{at.year}年{at.month}月{at.day}日" if chinese() else f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def moment(value: datetime | None) -> str:
    if value is None:
        return DASH
    at = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{day(at)}{' ' if chinese() else ', '}{at:%H:%M}"


def _local(value: date | datetime) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) and timezone.is_aware(value) else value


def size(value: int | None) -> str:
    if value is None:
        return DASH
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError


def duration(seconds: float | None) -> str:
    """Rounded the way people say it; for time left and time taken."""
    if seconds is None:
        return DASH
    whole = max(1, round(seconds))
    if whole < 60:
        return ngettext("%(n)d second", "%(n)d seconds", whole) % {"n": whole}
    minutes = round(whole / 60)
    if minutes < 60:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    days = round(hours / 24)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def spark_points(values: Sequence[float], width: int = 96, height: int = 24) -> str:
    """Points of an SVG polyline with a zero baseline."""
    if not values:
        return ""
    top = max(*values, 1e-9) if len(values) > 1 else max(values[0], 1e-9)
    step = width / max(1, len(values) - 1)
    return " ".join(f"{i * step:.1f},{height - 1 - (height - 2) * v / top:.1f}" for i, v in enumerate(values))


def chart_rows(data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The table behind a chart: one row per category, one cell per series."""
    unit = data.get("unit", "")
    return [
        (str(category), [_cell(series["values"][i], unit) for series in data["series"]])
        for i, category in enumerate(data["categories"])
    ]


def _cell(value: float | None, unit: str) -> str:
    if value is None:
        return DASH
    return percent(value) if unit == "percent" else number(value)


def initials(name: str) -> str:
    """One or two characters that stand for a name: 王小明 → 小明, Ada Lovelace → AL."""
    words = name.split()
    if not words:
        return "·"
    if any("\u4e00" <= character <= "\u9fff" for character in name):
        return "".join(words)[-2:]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def tone_of(seed: str) -> int:
    return crc32(seed.encode()) % AVATAR_TONES

"""The pieces a tree is made of: texts, numbers, values, moments. Each is read or complained of at its place."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.utils.translation import gettext as _

from hongyan.audience.compiler.nodes import (
    MAX_DAYS,
    MAX_TEXT,
    MAX_VALUES,
    WITH_DAYS,
    WITH_LIST,
    WITH_PAIR,
    WITHOUT_VALUE,
    Op,
    Scalar,
    Value,
)
from hongyan.audience.types import Problem

_DAY = re.compile("[1-9][0-9]{3}-[0-9][0-9]-[0-9][0-9]")  # of the year 1000 and later


def is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_instant(text: str) -> bool:
    """An ISO 8601 time that says its offset from UTC, well inside the years 1000 to 9999 also there."""
    try:
        at = datetime.fromisoformat(text)
        return at.tzinfo is not None and at.year >= 1000 and at.astimezone(UTC).year < 9999
    except (ValueError, OverflowError):
        return False


def time_needed() -> str:
    return _("A date such as 2026-01-31 is needed, or a time with its offset such as 2026-01-31T10:00:00+08:00.")


class Shapes:
    """Reads pieces of a tree and collects what is wrong with them, each at its place."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.seen = 0

    def wrong(self, path: str, code: str, message: str) -> None:
        self.problems.append(Problem(path, code, message))

    def text(self, raw: object, path: str) -> str | None:
        if not isinstance(raw, str) or not raw.strip():
            self.wrong(path, "missing_value", _("Something must be chosen here."))
            return None
        return self.plain(raw, path)

    def plain(self, raw: str, path: str) -> str | None:
        if len(raw) > MAX_TEXT:
            self.wrong(path, "too_long", _("The text is longer than %(n)d characters.") % {"n": MAX_TEXT})
            return None
        if "\x00" in raw or any(0xD800 <= ord(letter) <= 0xDFFF for letter in raw):
            self.wrong(path, "bad_text", _("The text holds a character that cannot be stored."))
            return None
        return raw

    def whole(self, raw: object, path: str, low: int, high: int) -> int | None:
        if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
            message = _("A whole number from %(low)d to %(high)d is needed.") % {"low": low, "high": high}
            self.wrong(path, "bad_number", message)
            return None
        return raw

    def op(self, raw: object, path: str) -> Op | None:
        if raw is None:
            self.wrong(path, "missing_operator", _("The comparison is missing."))
            return None
        if not isinstance(raw, str) or raw not in set(Op):
            self.wrong(path, "unknown_operator", _("This comparison is not known."))
            return None
        return Op(raw)

    def scalar(self, raw: object, path: str) -> Scalar | None:
        if isinstance(raw, str):
            if not raw:
                self.wrong(path, "missing_value", _("A value is missing."))
                return None
            return self.plain(raw, path)
        if isinstance(raw, bool):
            return raw
        # Beyond 2**53 a browser has already rounded the number; numeric columns end long before.
        if isinstance(raw, int | float) and abs(raw) <= 2**53:  # false for NaN too
            return raw
        if raw is None:
            self.wrong(path, "missing_value", _("A value is missing."))
            return None
        self.wrong(path, "bad_value", _("This value cannot be used here."))
        return None

    def value(self, raw: Mapping[str, Any], op: Op, path: str) -> tuple[bool, Value]:
        """(good, value); the number and kind of values is what the operator asks for."""
        at = f"{path}/value"
        if op in WITHOUT_VALUE:
            if "value" in raw:
                self.wrong(at, "unneeded_value", _("This comparison takes no value."))
            return "value" not in raw, None
        given = raw.get("value")
        if op in WITH_DAYS:
            days = self.whole(given, at, 1, MAX_DAYS)
            return days is not None, days
        if op not in WITH_LIST | WITH_PAIR:
            one = self.scalar(given, at)
            return one is not None, one
        if not isinstance(given, list) or not given:
            self.wrong(at, "missing_value", _("A list of values is missing."))
            return False, None
        if op in WITH_PAIR and len(given) != 2:
            self.wrong(at, "not_a_pair", _("Two values are needed: from and to."))
            return False, None
        if len(given) > MAX_VALUES:
            self.wrong(at, "too_many", _("There are more than %(n)d values.") % {"n": MAX_VALUES})
            return False, None
        several = [self.scalar(item, f"{at}/{index}") for index, item in enumerate(given)]
        return all(item is not None for item in several), tuple(item for item in several if item is not None)

    def moment(self, raw: object, path: str) -> str | None:
        if isinstance(raw, str) and (is_day(raw) or is_instant(raw)):
            return raw
        self.wrong(path, "bad_time", time_needed())
        return None

    def only(self, raw: Mapping[str, Any], allowed: Iterable[str], path: str) -> None:
        for key in raw:
            if key not in allowed:
                message = _("“%(key)s” does not belong here.") % {"key": _short(key)}
                self.wrong(f"{path}/{_escape(key)}", "unknown_key", message)


def _escape(key: object) -> str:
    return _short(key).replace("~", "~0").replace("/", "~1")


def _short(key: object) -> str:
    return str(key)[:60]

"""Reading JSON of strangers: every value is asked for by its place and type, and a wrong one says where it stands."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hongyan.commerce.errors import CommerceRefused
from hongyan.commerce.money import checked_currency, decimal_of, exact_minor


class Unreadable(Exception):
    """code: stable; place: JSON pointer."""

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code)
        self.code, self.place = code, place


class Said:
    """An object of a message and where it stands in it."""

    def __init__(self, value: Any, place: str = "") -> None:
        if not isinstance(value, Mapping):
            raise Unreadable("object", place)
        self.value, self.place = value, place

    def text(self, name: str, limit: int = 400) -> str:
        """ "" for what is missing or null; numbers as they are written."""
        found = self.value.get(name)
        if found is None or isinstance(found, bool | dict | list):
            return ""
        return str(found).replace("\x00", "").strip()[:limit]

    def identifier(self, name: str) -> str:
        found = self.text(name, 200)
        if not found:
            raise Unreadable("id_missing", f"{self.place}/{name}")
        return found

    def inner(self, name: str) -> "Said":
        """An empty object for one that is missing or null."""
        found = self.value.get(name)
        return Said(found if found is not None else {}, f"{self.place}/{name}")

    def several(self, name: str) -> list["Said"]:
        found = self.value.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            raise Unreadable("list", f"{self.place}/{name}")
        return [Said(item, f"{self.place}/{name}/{number}") for number, item in enumerate(found)]

    def decimal(self, name: str, default: str = "0") -> Decimal:
        found = self.value.get(name)
        if isinstance(found, bool | dict | list):
            raise Unreadable("number", f"{self.place}/{name}")
        # What JSON wrote as the number 19.9 reads back as its shortest text, 19.9, not as its binary value.
        given = "" if found is None else str(found).strip()
        try:
            return decimal_of(given or default)
        except CommerceRefused as refused:
            raise Unreadable(refused.code, f"{self.place}/{name}") from refused

    def minor(self, name: str, currency: str) -> int:
        try:
            return exact_minor(self.decimal(name), currency)
        except CommerceRefused as refused:
            raise Unreadable(refused.code, f"{self.place}/{name}") from refused

    def currency(self, name: str) -> str:
        try:
            return checked_currency(self.text(name, 10))
        except CommerceRefused as refused:
            raise Unreadable("currency", f"{self.place}/{name}") from refused

    def moment(self, name: str, *, utc: bool = False) -> datetime | None:
        """utc: times without an offset are UTC (WooCommerce's ``…_gmt``)."""
        given = self.text(name, 40)
        if not given:
            return None
        try:
            at = datetime.fromisoformat(given)
        except ValueError as error:
            raise Unreadable("date", f"{self.place}/{name}") from error
        if at.tzinfo is None:
            if not utc:
                raise Unreadable("date", f"{self.place}/{name}")
            at = at.replace(tzinfo=UTC)
        return at.astimezone(UTC)

    def needed_moment(self, name: str, *, utc: bool = False) -> datetime:
        found = self.moment(name, utc=utc)
        if found is None:
            raise Unreadable("date", f"{self.place}/{name}")
        return found

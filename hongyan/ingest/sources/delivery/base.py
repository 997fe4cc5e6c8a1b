"""What every deliverer can do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from hongyan.contacts import normalise
from hongyan.contacts.errors import NormaliseProblem
from hongyan.ingest.sources.reading.base import text
from hongyan.ingest.sources.types import Delivered, Record


class Deliverer(Protocol):
    def deliver(self, records: list[Record]) -> Delivered:
        """Take the records in the caller's transaction; those that cannot be taken come back as failures."""
        ...


class Unfit(Exception):
    """A record that cannot be taken. place: the field at fault, "" for the record as a whole."""

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code)
        self.code, self.place = code, place


class Fields:
    """A record seen through the mapping: values by field of the target."""

    def __init__(self, record: Record, columns: Mapping[str, str]) -> None:
        """columns: field → column."""
        self._record, self._columns = record, columns

    def text(self, field: str) -> str:
        return text(self.raw(field)).strip()

    def raw(self, field: str) -> Any:
        column = self._columns.get(field)
        return self._record.get(column) if column is not None else None

    def needed(self, field: str) -> str:
        value = self.text(field)
        if not value:
            raise Unfit("field_missing", self._columns.get(field, field))
        return value

    def moment(self, field: str) -> datetime | None:
        """Aware; a time without a zone is read in the zone of this installation."""
        value = self.raw(field)
        if value is None or value == "":
            return None
        try:
            return moment_of(value)
        except (NormaliseProblem, ValueError, OverflowError) as error:
            raise Unfit("bad_date", self._columns[field]) from error

    def column(self, field: str) -> str:
        return self._columns.get(field, "")


def moment_of(value: Any) -> datetime:
    from datetime import UTC, date
    from zoneinfo import ZoneInfo

    from django.conf import settings

    if isinstance(value, datetime):
        at = value
    elif isinstance(value, date):
        at = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - given a zone below
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        at = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)  # seconds or milliseconds
    else:
        raw = str(value).strip()
        if raw.isascii() and raw.isdigit() and len(raw) in {10, 13}:
            return moment_of(int(raw))
        try:
            at = datetime.fromisoformat(raw)
        except ValueError:
            at = normalise.moment(raw, order=None)
    return at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(settings.HONGYAN_TIME_ZONE))


def by_field(mapping: Mapping[str, str]) -> dict[str, str]:
    """From column → field to field → column."""
    return {field: column for column, field in mapping.items() if field}

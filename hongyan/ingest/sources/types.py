"""Values that cross the border of scheduled sources."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID


class SourceKind(StrEnum):
    SQL = "sql"  # a table or view of any database SQLAlchemy speaks to
    REST = "rest"  # a JSON API over HTTP
    FILES = "files"  # CSV, XLSX, JSON lines or Parquet in a folder or an S3 bucket


class Target(StrEnum):
    CONTACTS = "contacts"
    ORDERS = "orders"
    PRODUCTS = "products"
    EVENTS = "events"
    OBJECTS = "objects"  # a custom object


class SourceState(StrEnum):
    DRAFT = "draft"  # being set up
    ACTIVE = "active"
    PAUSED = "paused"


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Every(StrEnum):
    MINUTES = "minutes"
    HOUR = "hour"
    DAY = "day"
    HAND = "hand"  # only when somebody says so


@dataclass(frozen=True, slots=True)
class Schedule:
    """minutes: of the interval (MINUTES) or past the hour (HOUR). hour, minute: local time of day (DAY)."""

    every: str = Every.HOUR
    minutes: int = 0
    hour: int = 3
    minute: int = 0

    @classmethod
    def load(cls, raw: dict[str, Any]) -> Self:
        return cls(**{key: value for key, value in raw.items() if key in cls.__dataclass_fields__})

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def seconds(self) -> int | None:
        """Between two runs; None when nothing is planned."""
        return {Every.MINUTES: self.minutes * 60, Every.HOUR: 3_600, Every.DAY: 86_400}.get(Every(self.every))


@dataclass(slots=True)
class Tally:
    """What became of records. unchanged = read - created - changed - quarantined."""

    read: int = 0
    created: int = 0
    changed: int = 0
    quarantined: int = 0

    def add(self, other: "Tally") -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


Record = dict[str, Any]  # flat: names with dots for what was nested; values are JSON, dates or decimals


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that could not be taken. place: the column at fault."""

    record: Record
    code: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Records read together. state: the cursor behind them, to be committed with them; None: it does not move yet."""

    records: list[Record]
    state: str | None = None
    note: str = ""
    faults: tuple[Failure, ...] = ()  # records that cannot even be read
    file_id: int | None = None  # the file these records come from
    file_rows: int = 0  # how far into it they reach
    file_end: bool = False


@dataclass(slots=True)
class Delivered:
    tally: Tally = field(default_factory=Tally)
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a first look at a source shows. places: tables, or files, that could be read."""

    columns: list[str]
    records: list[Record]
    places: list[str] = field(default_factory=list)
    time_columns: list[str] = field(default_factory=list)  # fit for “only what is new”


@dataclass(frozen=True, slots=True)
class Health:
    """One way that data comes in, at a glance. state: ok, late, failing, paused, idle."""

    state: str
    fresh_at: datetime | None
    rows_today: int
    errors_today: int


@dataclass(frozen=True, slots=True)
class SourceRow:
    public_id: UUID
    name: str
    kind: str
    target: str
    state: str
    health: Health
    next_run_at: datetime | None
    waiting: int  # records in quarantine

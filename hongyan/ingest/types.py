"""Values that cross the border of this room."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class ImportState(StrEnum):
    DRAFT = "draft"  # uploaded, being configured
    STARTED = "started"  # its job is queued, running or paused
    FINISHED = "finished"
    CANCELLED = "cancelled"  # stopped by a person; what was committed stays and is counted
    FAILED = "failed"
    UNDONE = "undone"  # the contacts it created were removed again


ENDED = frozenset({ImportState.FINISHED, ImportState.CANCELLED, ImportState.FAILED, ImportState.UNDONE})


class DateOrder(StrEnum):
    """How dates that are not ISO 8601 are written."""

    YEAR_FIRST = "ymd"
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class ConsentChoice(StrEnum):
    UNDECIDED = ""  # does not start
    NONE = "none"  # imported as people who may not be mailed yet
    KEPT = "kept"  # as the export of another system says of each person, see ``ingest.migrating``
    ATTESTED = "attested"  # the importer declares that these people agreed, and how


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """choice ATTESTED: topics (keys), where the consent was collected, and the words the importer signed."""

    choice: ConsentChoice = ConsentChoice.UNDECIDED
    topics: tuple[str, ...] = ()
    source: str = ""
    statement: str = ""
    attested_by: str = ""
    attested_at: str = ""  # ISO 8601


@dataclass(frozen=True, slots=True)
class Options:
    policy: str = "update"
    match_on: str = "email"
    default_region: str = "CN"  # ISO 3166: how phone numbers without a country code are read
    date_order: str = DateOrder.YEAR_FIRST
    tags: tuple[str, ...] = ()  # tag keys added to every row taken
    lists: tuple[str, ...] = ()  # public ids
    consent: ConsentTerms = field(default_factory=ConsentTerms)

    @classmethod
    def load(cls, raw: dict[str, Any]) -> Self:
        known = {key: value for key, value in raw.items() if key in cls.__dataclass_fields__}
        consent = dict(known.pop("consent", {}) or {})
        terms = ConsentTerms(
            **{
                **{key: value for key, value in consent.items() if key in ConsentTerms.__dataclass_fields__},
                "choice": ConsentChoice(consent.get("choice", "")),
                "topics": tuple(consent.get("topics", ())),
            }
        )
        known["tags"], known["lists"] = tuple(known.get("tags", ())), tuple(known.get("lists", ()))
        return cls(**known, consent=terms)

    def dump(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Counts:
    """What became of the rows. rows = created + updated + unchanged + skipped + merged + rejected."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0  # the contact exists and the policy leaves it alone
    merged: int = 0  # a further row of a contact that the same file had already brought
    rejected: int = 0
    suppressed: int = 0  # of those taken: unsubscribed, bounced or complained before; stays so
    tagged: int = 0
    left_out: int = 0  # cells that could not be read, where the import takes the row without them
    blank: int = 0  # empty lines, not counted as rows
    reasons: dict[str, int] = field(default_factory=dict)  # rejections by code
    standings: dict[str, int] = field(default_factory=dict)  # people by what another system said of their consent

    @classmethod
    def load(cls, raw: dict[str, Any]) -> Self:
        return cls(**{key: value for key, value in raw.items() if key in cls.__dataclass_fields__})

    def add(self, other: "Counts") -> None:
        for name in self.__dataclass_fields__:
            if name not in {"reasons", "standings"}:
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for code, count in other.reasons.items():
            self.reasons[code] = self.reasons.get(code, 0) + count
        for stand, count in other.standings.items():
            self.standings[stand] = self.standings.get(stand, 0) + count

    def dump(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a row, or one cell of it, was not taken. column: 0-based, None for the row as a whole."""

    line: int
    column: int | None
    code: str
    value: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    column: int
    header: str
    target: str  # "" = leave out
    because: str  # remembered | header | values | ""
    samples: tuple[str, ...] = ()
    custom_type: str = ""  # type a new custom field of these values would have


@dataclass(frozen=True, slots=True)
class ColumnCheck:
    """How the sample values of a column fit a target."""

    good: int
    bad: int
    first_bad: str = ""
    code: str = ""

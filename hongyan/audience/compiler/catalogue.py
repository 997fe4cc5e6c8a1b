"""What conditions may speak of. Built by ``audience.catalogue`` from the database, by hand in tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext

from hongyan.audience.compiler.nodes import Measure, Op


@dataclass(frozen=True, slots=True)
class Label:
    """A name in both languages. Without ``zh`` the English one is a msgid of this room's word list."""

    en: str
    zh: str = ""

    def text(self, language: str) -> str:
        if not self.zh:
            with translation.override(language):
                return gettext(self.en)
        return self.zh if language.startswith("zh") or not self.en else self.en


class FieldType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"  # a day without a time
    TIME = "time"  # an instant
    CHOICE = "choice"  # one code of a closed set
    CHOICES = "choices"  # several codes of a closed set
    SEALED = "sealed"  # identifying or sensitive: only whether there is a value can be asked


_EXACT: Final = (Op.EQ, Op.NE, Op.IN, Op.NOT_IN)
_PRESENCE: Final = (Op.IS_SET, Op.IS_NOT_SET)
_WINDOWS: Final = (Op.BEFORE, Op.AFTER, Op.BETWEEN, Op.WITHIN_LAST_DAYS, Op.WITHIN_NEXT_DAYS)
OPERATORS: Final[Mapping[FieldType, tuple[Op, ...]]] = {
    FieldType.TEXT: (*_EXACT, Op.CONTAINS, Op.STARTS_WITH, *_PRESENCE),
    FieldType.NUMBER: (*_EXACT, Op.GT, Op.GE, Op.LT, Op.LE, Op.BETWEEN, *_PRESENCE),
    FieldType.BOOLEAN: (Op.EQ, *_PRESENCE),
    FieldType.DATE: (Op.EQ, Op.NE, *_WINDOWS, *_PRESENCE),
    FieldType.TIME: (*_WINDOWS, *_PRESENCE),
    FieldType.CHOICE: (*_EXACT, *_PRESENCE),
    FieldType.CHOICES: (Op.CONTAINS, *_PRESENCE),
    FieldType.SEALED: _PRESENCE,
}


MEASURE_OPERATORS: Final[Mapping[Measure, tuple[Op, ...]]] = {
    Measure.SUM: tuple(op for op in OPERATORS[FieldType.NUMBER] if op not in _PRESENCE),  # a sum is never missing
    Measure.MIN: OPERATORS[FieldType.NUMBER],
    Measure.MAX: OPERATORS[FieldType.NUMBER],
    Measure.AVERAGE: OPERATORS[FieldType.NUMBER],
    Measure.FIRST: tuple(Op),  # as properties: what fits goes with the kind of their values
    Measure.LAST: tuple(Op),
    # An event of the future does not count yet, so nothing lies within the next days.
    Measure.FIRST_AT: tuple(op for op in OPERATORS[FieldType.TIME] if op is not Op.WITHIN_NEXT_DAYS),
    Measure.LAST_AT: tuple(op for op in OPERATORS[FieldType.TIME] if op is not Op.WITHIN_NEXT_DAYS),
}


@dataclass(frozen=True, slots=True)
class Choice:
    value: str | int
    label: Label


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of contacts. It stands under ``column`` (a name from our own code) or ``attribute`` (a key of the jsonb
    column, which is only ever bound as a value). A related one stands in the row of another ``table`` whose column
    ``theirs`` holds the contact's column ``ours``; without such a row the value is missing."""

    key: str
    type: FieldType
    label: Label
    column: str = ""
    attribute: str = ""
    choices: tuple[Choice, ...] = ()
    group: str = "contact"  # where pickers put it: contact, place, activity, custom
    suggests: bool = False  # real values may be offered while typing
    table: str = ""
    theirs: str = "contact_id"
    ours: str = "id"
    digits: int | None = None  # money in minor units: how many digits follow the point; people write the major unit
    currency: str = ""  # money of an object that says its own currency: amounts in others count as missing
    names: str = ""  # "country" or "language": codes that people know by names


@dataclass(frozen=True, slots=True)
class TagSpec:
    id: int
    key: str
    label: Label


@dataclass(frozen=True, slots=True)
class TagGroupSpec:
    key: str
    label: Label
    tag_ids: tuple[int, ...]  # of the group and all groups below it


@dataclass(frozen=True, slots=True)
class ListSpec:
    id: int
    public_id: str
    name: str


@dataclass(frozen=True, slots=True)
class AudienceSpec:
    public_id: str
    name: str
    tree: Any


@dataclass(frozen=True, slots=True)
class PropertySpec:
    """A property of an event. kinds: those of TEXT, NUMBER and BOOLEAN it is declared as or was seen with, and TIME
    besides TEXT where its texts are times; none when it only ever holds lists or objects, of which only presence can be
    asked, as of what is sealed."""

    key: str
    kinds: frozenset[FieldType]
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class EventSpec:
    name: str
    label: Label
    properties: Mapping[str, PropertySpec] | None = None  # None: nothing is known of them yet, so any may be asked


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """A kind of thing contacts have. Its fields stand in the row's ``attributes`` (or, sealed, in ``filled``)."""

    id: int
    key: str
    label: Label
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """properties: names of those properties of events that have one."""

    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    tags: Mapping[str, TagSpec] = field(default_factory=dict)
    tag_groups: Mapping[str, TagGroupSpec] = field(default_factory=dict)
    lists: Mapping[str, ListSpec] = field(default_factory=dict)
    audiences: Mapping[str, AudienceSpec] = field(default_factory=dict)
    properties: Mapping[str, Label] = field(default_factory=dict)
    events: Mapping[str, EventSpec] = field(default_factory=dict)
    objects: Mapping[str, ObjectSpec] = field(default_factory=dict)
    channels: Mapping[str, Label] = field(default_factory=dict)
    topics: Mapping[str, Label] = field(default_factory=dict)  # by key
    topic_ids: Mapping[str, int] = field(default_factory=dict)
    consent_states: Mapping[str, Label] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))  # in which days begin and end

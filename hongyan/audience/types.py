from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.utils.functional import Promise


class Stage(StrEnum):
    """Where a contact stands with us; each contact is in exactly one."""

    AWARENESS = "awareness"  # 认知: we have them, they have not reacted
    ATTRACTION = "attraction"  # 吸引: reads, clicks, visits
    CONVERSION = "conversion"  # 转化: buys for the first time, or is about to
    RETENTION = "retention"  # 维护: bought again
    CHURN_RISK = "churn_risk"  # 流失风险: bought, and has been away for long
    LOST = "lost"  # 流失: bought once upon a time


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a tree. path: JSON pointer of the part ("/all/2/value"); message: in the reader's words."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Span:
    """Characters of a text, from ``start`` up to but not including ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextProblem:
    """Something wrong in the text form of an audience. message: in the reader's words."""

    span: Span
    code: str
    message: str


class OnOtherTag(StrEnum):
    """What tagging does with people who hold another tag of the same exclusive group."""

    REPLACE = "replace"  # the new tag takes the place of the old one
    KEEP = "keep"  # they keep what they have and are left out


@dataclass(frozen=True, slots=True)
class TagOutcome:
    """change_id: for undo; None when nothing changed. added includes the replaced ones."""

    change_id: UUID | None
    added: int = 0
    replaced: int = 0
    kept: int = 0  # left out because they hold another tag of the exclusive group
    already: int = 0


@dataclass(frozen=True, slots=True)
class UntagOutcome:
    change_id: UUID | None
    removed: int = 0


@dataclass(frozen=True, slots=True)
class TagValues:
    key: str
    name_zh: str
    name_en: str = ""
    colour: str = "grey"


@dataclass(frozen=True, slots=True)
class GroupValues:
    key: str
    name_zh: str
    name_en: str = ""
    exclusive: bool = False


class UsedKind(StrEnum):
    """What may be in use."""

    TAG = "tag"
    TAG_GROUP = "tag_group"
    LIST = "list"
    AUDIENCE = "audience"
    STAGE = "stage"  # of the lifecycle
    TIER = "tier"  # of RFM


@dataclass(frozen=True, slots=True)
class Use:
    """One place that depends on one of ``UsedKind``. kind: what it is, in words; url: its page, if it has one."""

    kind: str | Promise
    name: str
    url: str = ""


# (what, key or public id) → uses. Upper rooms register theirs in AppConfig.ready.
UseFinder = Callable[[UsedKind, str], Sequence[Use]]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """An audience by what a mail to it would meet. Each person counts once, under the first reason that applies."""

    total: int
    reachable: int
    excluded: Mapping[str, int] = field(default_factory=dict)  # no_email, suppressed, no_consent → people


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value that really occurs, as people know it, and how often."""

    value: str
    label: str
    contacts: int

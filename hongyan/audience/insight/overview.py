"""All saved audiences at a glance: size, how it developed, who moved, how current that is."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.membership.selectors import states
from hongyan.audience.membership.types import MembershipState, Standing
from hongyan.audience.models import AudienceVersion, SavedAudience
from hongyan.audience.selectors import sizes
from hongyan.core import clock
from hongyan.core.sql import statement

TREND_DAYS = 30
WEEK = 7
_NEW = MembershipState(live=True, standing=Standing.WAITING)


@dataclass(frozen=True, slots=True)
class Glance:
    """size: None where the definition is no longer right. trend: sizes at the end of the last days, oldest first; empty
    while nobody follows the audience. entered, left: within the last seven days, None when not followed."""

    audience: SavedAudience
    version: AudienceVersion
    state: MembershipState
    size: int | None
    trend: tuple[int, ...]
    entered: int | None
    left: int | None


@dataclass(frozen=True, slots=True)
class Day:
    size: int
    entered: int
    left: int


@dataclass(slots=True)
class Tally:
    """Everything countable of the overview, from one statement."""

    everyone: int = 0
    tags: dict[int, int] = field(default_factory=dict)  # id → contacts holding it
    lists: dict[int, int] = field(default_factory=dict)
    days: dict[int, dict[date, Day]] = field(default_factory=lambda: defaultdict(dict))  # by audience


def tally(*, actor: Actor) -> Tally:
    actor.require(Permission.CONTACT_VIEW)
    found = Tally()
    first = _today() - timedelta(days=TREND_DAYS - 1)
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "insight.sql", "tally"), {"first": first})
        for kind, number, day, size, entered, left in cursor.fetchall():
            match kind:
                case "everyone":
                    found.everyone = size
                case "tag":
                    found.tags[number] = size
                case "list":
                    found.lists[number] = size
                case _:
                    found.days[number][day] = Day(size, entered, left)
    return found


def glances(*, actor: Actor, versions: list[AudienceVersion], catalogue: Catalogue, tally: Tally) -> list[Glance]:
    """In the order given. Followed audiences are not counted again."""
    actor.require(Permission.CONTACT_VIEW)
    known = states(actor=actor) if versions else {}
    to_count = [version for version in versions if _held(known.get(version.audience_id, _NEW)) is None]
    counted = sizes([version.tree for version in to_count], catalogue)[:-1] if to_count else []
    by_count = {version.pk: size for version, size in zip(to_count, counted, strict=True)}
    made = []
    for version in versions:
        state = known.get(version.audience_id, _NEW)
        held = _held(state)
        size = by_count[version.pk] if held is None else held
        followed = state.live and state.filled_at is not None
        trend, entered, left = _trend(tally.days.get(version.audience_id, {})) if followed else ((), None, None)
        made.append(Glance(version.audience, version, state, size, trend, entered, left))
    return made


def _held(state: MembershipState) -> int | None:
    return state.size if state.standing is Standing.CURRENT else None


def _trend(rows: dict[date, Day]) -> tuple[tuple[int, ...], int, int]:
    """A day on which nothing moved has no row: the size of the day before stands."""
    today = _today()
    week = [row for day, row in rows.items() if day > today - timedelta(days=WEEK)]
    entered, left = sum(row.entered for row in week), sum(row.left for row in week)
    if not rows:
        return (), entered, left
    sizes_: list[int] = []
    size = 0
    for number in range((today - min(rows)).days + 1):
        row = rows.get(min(rows) + timedelta(days=number))
        size = row.size if row else size
        sizes_.append(size)
    return tuple(sizes_), entered, left


def _today() -> date:
    return clock.now().astimezone(ZoneInfo(settings.HONGYAN_TIME_ZONE)).date()

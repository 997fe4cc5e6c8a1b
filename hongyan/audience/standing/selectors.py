"""Reading where contacts stand: how many in each stage and tier, what they are worth, and who moved where."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.models_standing import Lifecycle, StandingFlow, StandingKind
from hongyan.audience.standing.rfm import rfm_rules
from hongyan.audience.standing.rfm_rules import RFMRules, Tier
from hongyan.audience.standing.versions import day_of, fetch, sql
from hongyan.audience.types import Stage
from hongyan.contacts.models import Contact
from hongyan.core import clock


@dataclass(frozen=True, slots=True)
class StageCounts:
    """waiting: contacts who have no stage yet; they get one within seconds."""

    sizes: Mapping[Stage, int]
    total: int

    @property
    def waiting(self) -> int:
        return max(self.total - sum(self.sizes.values()), 0)


@dataclass(frozen=True, slots=True)
class Flows:
    """Moves between stages or tiers. moves: (before, after) → contacts; "" before: new, "" after: gone. by_day: of
    what came into each, day by day."""

    days: Sequence[date]
    moves: Mapping[tuple[str, str], int]
    by_day: Mapping[str, Sequence[int]]

    def into(self, key: str) -> int:
        return sum(count for (_before, after), count in self.moves.items() if after == key)

    def out_of(self, key: str) -> int:
        return sum(count for (before, _after), count in self.moves.items() if before == key)


@dataclass(frozen=True, slots=True)
class Cell:
    """Of the grid of recency and frequency."""

    recency: int
    frequency: int
    contacts: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class TierSize:
    tier: Tier
    contacts: int
    total_minor: int
    orders: int


def stage_counts(*, actor: Actor) -> StageCounts:
    actor.require(Permission.CONTACT_VIEW)
    found = dict(Lifecycle.objects.values_list("stage").annotate(n=Count("contact_id")).order_by())
    return StageCounts({stage: found.get(stage.value, 0) for stage in Stage}, Contact.objects.count())


def flows(*, actor: Actor, kind: StandingKind, days: int = 30) -> Flows:
    """Of the last days, today included. Being placed for the first time is a move from ""."""
    actor.require(Permission.CONTACT_VIEW)
    today = day_of(clock.now())
    first = today - timedelta(days=days - 1)
    line = [first + timedelta(days=number) for number in range(days)]
    rows = StandingFlow.objects.filter(kind=kind, day__gte=first)
    moves: Counter[tuple[str, str]] = Counter()
    by_day: dict[str, list[int]] = {}
    for day, before, after, contacts in rows.values_list("day", "before", "after", "contacts"):
        moves[before, after] += contacts
        if before and after and day <= today:
            by_day.setdefault(after, [0] * days)[(day - first).days] += contacts
    return Flows(line, moves, by_day)


def rfm_grid(*, actor: Actor) -> list[Cell]:
    actor.require(Permission.CONTACT_VIEW)
    return [Cell(*row) for row in fetch(sql("rfm_grid"), {})]


def rfm_tiers(*, actor: Actor, rules: RFMRules | None = None) -> list[TierSize]:
    """In the order of the rules, empty ones too. rules: those in force, where they are at hand."""
    actor.require(Permission.CONTACT_VIEW)
    found = {row[0]: row[1:] for row in fetch(sql("rfm_tiers"), {})}
    return [TierSize(tier, *found.get(tier.key, (0, 0, 0))) for tier in (rules or rfm_rules()).tiers]

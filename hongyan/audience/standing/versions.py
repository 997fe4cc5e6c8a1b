"""What stages and RFM share: their rules as versions, what was last computed, and their moves as events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.models_standing import StandingKind, StandingRules, StandingState
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.events.services import append
from hongyan.events.types import NewEvent

BATCH: Final = 5_000  # contacts of one transaction: readers of the fact log wait for the longest one
SPAN: Final = 100_000  # ids of one transaction where the database works by itself


def rules_in_force(kind: StandingKind) -> StandingRules | None:
    """None: the defaults are."""
    return StandingRules.objects.filter(kind=kind).order_by("-number").first()


@transaction.atomic
def rules_store(*, actor: Actor, kind: StandingKind, definition: Mapping[str, Any]) -> StandingRules:
    """A new version. Everybody is looked at again within seconds, by the lane."""
    actor.require(Permission.AUDIENCE_EDIT)
    newest = rules_in_force(kind)
    made = StandingRules.objects.create(
        kind=kind,
        number=1 if newest is None else newest.number + 1,
        definition=definition,
        actor_label=actor.label[:120],
        created_at=clock.now(),
    )
    action = "stages.changed" if kind == StandingKind.STAGES else "rfm.changed"
    record(actor=actor, action=action, subject_kind="standing", subject_id=kind.value, data={"version": made.number})
    return made


def state_of(kind: StandingKind) -> StandingState:
    """Of what was computed last; computed_at None: nothing yet."""
    return StandingState.objects.filter(kind=kind).first() or StandingState(kind=kind)


def state_set(kind: StandingKind, **values: Any) -> None:
    StandingState.objects.update_or_create(kind=kind, defaults=values)


@dataclass(frozen=True, slots=True)
class Computed:
    """The rules in force (None: the defaults) beside what was computed last."""

    rules: StandingRules | None
    state: StandingState

    @property
    def is_due(self) -> bool:
        """Whether the rules changed since everybody was looked at."""
        number = self.rules.number if self.rules else 0
        return self.state.computed_at is None or self.state.number != number


def computed(kind: StandingKind) -> Computed:
    return Computed(rules_in_force(kind), state_of(kind))


def is_due(kind: StandingKind) -> bool:
    return computed(kind).is_due


def sql(name: str) -> str:
    return statement("hongyan.audience", "standing.sql", name)


def fetch(text: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return list(cursor.fetchall())


def zone() -> ZoneInfo:
    return ZoneInfo(settings.HONGYAN_TIME_ZONE)


def day_of(at: datetime) -> date:
    return at.astimezone(zone()).date()


def note_moves(name: str, source: str, moves: Iterable[tuple[int, Mapping[str, Any]]], *, at: datetime) -> None:
    """As events of the contacts, in the transaction that moved them."""
    append([NewEvent(contact_id, name, at, source, dict(properties)) for contact_id, properties in moves])

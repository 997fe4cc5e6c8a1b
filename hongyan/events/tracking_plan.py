"""The tracking plan as people read and edit it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.events.models_catalogue import EventName, EventPolicy, EventProperty, EventViolation, EventVolume
from hongyan.events.names import LONGEST, OWN_NAMES, SPEC_NAMES, EmailEvent, canonical
from hongyan.events.selectors import row_of
from hongyan.events.sensitive import forget_rules
from hongyan.events.types import EventRow

STANDARD = SPEC_NAMES | OWN_NAMES | frozenset(EmailEvent)  # names everybody knows
LEAST_DAYS, MOST_DAYS = 7, 3650
_TAIL_WITHIN = timedelta(days=2)


class PlanRefused(Exception):
    """An input is at fault. ``code`` is stable, ``input`` names it."""

    def __init__(self, code: str, name: str = "") -> None:
        super().__init__(code)
        self.code, self.input = code, name


@dataclass(frozen=True, slots=True)
class NameRow:
    """One line of the plan. trend: how many were received on each of the last days, today last."""

    id: int
    name: str
    about: str
    planned: bool
    standard: bool  # of Segment's spec or of our own: known to everybody
    total: int
    recent: int
    last_seen_at: datetime | None
    violations: int
    trend: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PropertyChoice:
    """What somebody decides about a property."""

    key: str
    type: str
    required: bool
    handling: str


def names(*, actor: Actor, search: str = "", only: str = "", days: int = 14) -> list[NameRow]:
    """Busiest first. only: "unplanned", "violations" or ""."""
    actor.require(Permission.REPORT_VIEW)
    rows = EventName.objects.all()
    if search:
        rows = rows.filter(name__icontains=search)
    if only == "unplanned":
        rows = rows.filter(planned=False).exclude(name__in=list(STANDARD))
    today = clock.now().date()
    volumes = _volumes(today, days)
    broken = _broken()
    found = [
        NameRow(
            row.pk, row.name, row.about, row.planned, row.name in STANDARD,
            row.total, sum(volumes.get(row.pk, ())), row.last_seen_at, broken.get(row.pk, 0),
            volumes.get(row.pk, (0,) * days),
        )
        for row in rows
        if only != "violations" or broken.get(row.pk)
    ]  # fmt: skip
    return sorted(found, key=lambda row: (-row.recent, -row.total, row.name))


def name_by_id(*, actor: Actor, pk: int) -> EventName | None:
    actor.require(Permission.REPORT_VIEW)
    return EventName.objects.filter(pk=pk).first()


def properties_of(*, actor: Actor, name: EventName) -> list[EventProperty]:
    actor.require(Permission.REPORT_VIEW)
    return list(name.properties.order_by("key"))


def violations_of(*, actor: Actor, name: EventName) -> list[EventViolation]:
    actor.require(Permission.REPORT_VIEW)
    return list(name.violations.order_by("-last_at"))


def trend_of(*, actor: Actor, name: EventName, days: int = 30) -> list[tuple[date, int]]:
    actor.require(Permission.REPORT_VIEW)
    today = clock.now().date()
    first = today - timedelta(days=days - 1)
    counts = dict(EventVolume.objects.filter(event=name, day__gte=first).values_list("day", "count"))
    return [(day, counts.get(day, 0)) for day in (first + timedelta(days=place) for place in range(days))]


def newest(
    *, actor: Actor, source: str = "", name: str = "", since: datetime | None = None, limit: int = 50
) -> list[EventRow]:
    """The live tail. Properties are masked by whoever shows them."""
    actor.require(Permission.REPORT_VIEW)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "catalogue.sql", "newest"),
            {"source": source, "name": name, "since": since or clock.now() - _TAIL_WITHIN, "limit": limit},
        )
        return [row_of(values) for values in cursor.fetchall()]


def plan_name(*, actor: Actor, name: str, about: str = "") -> EventName:
    """Say that this event is to come. Raises PlanRefused."""
    actor.require(Permission.SOURCE_EDIT)
    clean = canonical(name)
    if not clean or len(clean) > LONGEST or not clean.isprintable():
        raise PlanRefused("name_bad", "name")
    with transaction.atomic():
        row, made = EventName.objects.get_or_create(name=clean, defaults={"planned": True, "about": about[:300]})
        if not made and row.planned:
            raise PlanRefused("name_taken", "name")
        row.planned, row.about = True, about[:300] or row.about
        row.save(update_fields=["planned", "about"])
        _note(actor, "event_name.planned", row)
    return row


def plan_change(
    *,
    actor: Actor,
    name: EventName,
    about: str,
    planned: bool,
    closed: bool,
    keep_days: int | None,
    choices: Sequence[PropertyChoice],
) -> None:
    """Raises PlanRefused; then nothing is changed."""
    actor.require(Permission.SOURCE_EDIT)
    if keep_days is not None and not LEAST_DAYS <= keep_days <= MOST_DAYS:
        raise PlanRefused("keep_days_bad", "keep_days")
    with transaction.atomic():
        row = EventName.objects.select_for_update().get(pk=name.pk)
        row.about, row.planned, row.closed, row.keep_days = about[:300], planned, closed, keep_days
        row.save(update_fields=["about", "planned", "closed", "keep_days"])
        there = {found.key: found for found in row.properties.all()}
        for choice in choices:
            _choose(row, there.get(choice.key), choice)
        _note(actor, "event_name.changed", row)
    forget_rules()


def violations_forget(*, actor: Actor, name: EventName) -> int:
    """Begin to count anew, after the sender was mended."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        count = name.violations.all().delete()[0]
        _note(actor, "event_name.violations_forgotten", name)
    return count


def policy() -> EventPolicy:
    return EventPolicy.objects.order_by("id").first() or EventPolicy()


def policy_change(*, actor: Actor, keep_days: int, keep_anonymous_days: int) -> EventPolicy:
    actor.require(Permission.SETTINGS_EDIT)
    for value, name in ((keep_days, "keep_days"), (keep_anonymous_days, "keep_anonymous_days")):
        if not LEAST_DAYS <= value <= MOST_DAYS:
            raise PlanRefused("keep_days_bad", name)
    with transaction.atomic():
        row, _ = EventPolicy.objects.update_or_create(
            pk=1, defaults={"keep_days": keep_days, "keep_anonymous_days": keep_anonymous_days}
        )
        record(
            actor=actor,
            action="event_policy.changed",
            subject_kind="event_policy",
            subject_id="1",
            data={"keep_days": keep_days, "keep_anonymous_days": keep_anonymous_days},
        )
    return row


def _choose(row: EventName, there: EventProperty | None, choice: PropertyChoice) -> None:
    key = choice.key.strip()
    if not key or len(key) > 120 or not key.isprintable():
        raise PlanRefused("key_bad", "key")
    if choice.type not in {"", *EventProperty.Type.values} or choice.handling not in EventProperty.Handling.values:
        raise PlanRefused("type_bad", key)
    values = {"type": choice.type, "required": choice.required, "handling": choice.handling}
    if there is None:
        EventProperty.objects.create(event=row, key=key, **values)
    else:
        EventProperty.objects.filter(pk=there.pk).update(**values)


def _volumes(today: date, days: int) -> Mapping[int, tuple[int, ...]]:
    first = today - timedelta(days=days - 1)
    found: dict[int, list[int]] = {}
    for pk, day, count in EventVolume.objects.filter(day__gte=first).values_list("event_id", "day", "count"):
        place = (day - first).days
        if place < days:
            found.setdefault(pk, [0] * days)[place] = count
    return {pk: tuple(counts) for pk, counts in found.items()}


def _broken() -> dict[int, int]:
    found: dict[int, int] = {}
    for pk, count in EventViolation.objects.values_list("event_id", "count"):
        found[pk] = found.get(pk, 0) + count
    return found


def _note(actor: Actor, action: str, row: EventName) -> None:
    data: dict[str, Any] = {"planned": row.planned, "closed": row.closed}
    record(actor=actor, action=action, subject_kind="event_name", subject_id=str(row.pk), data=data)

"""Reads for the pages and the API: sources with their health, runs, and what needs somebody."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import TruncDate

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.commerce.models import Shop
from hongyan.contacts.objects_types import object_types
from hongyan.contacts.objects_values import fields_of
from hongyan.core.clock import now
from hongyan.ingest import selectors as imports
from hongyan.ingest.models import Import
from hongyan.ingest.models_intake import QuarantinedRecord, WriteKey
from hongyan.ingest.models_sources import Source, SourceRun
from hongyan.ingest.sources.errors import SourceNotFound
from hongyan.ingest.sources.fields import Extra
from hongyan.ingest.sources.types import Health, RunState, SourceRow, SourceState


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source that needs somebody. kind: failing, late."""

    public_id: uuid.UUID
    name: str
    kind: str
    code: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """What the runs of a day brought."""

    day: date
    created: int
    changed: int
    quarantined: int


def source_by_public_id(*, actor: Actor, public_id: uuid.UUID) -> Source:
    """Raises SourceNotFound."""
    actor.require(Permission.SOURCE_EDIT)
    source = Source.objects.filter(public_id=public_id, archived_at=None).first()
    if source is None:
        raise SourceNotFound
    return source


def source_rows(*, actor: Actor) -> list[SourceRow]:
    actor.require(Permission.SOURCE_EDIT)
    sources = list(Source.objects.filter(archived_at=None).order_by("name", "id"))
    today = _today()
    sums: dict[int, dict[str, Any]] = {
        row["source"]: dict(row)
        for row in SourceRun.objects.filter(source__in=sources, created_at__gte=today)
        .values("source")
        .annotate(rows=Sum("created") + Sum("changed"), errors=Count("id", filter=Q(state=RunState.FAILED)))
        .order_by()
    }
    waiting = dict(
        QuarantinedRecord.objects.filter(state="waiting", source__in=[source.sealed_key for source in sources])
        .values_list("source")
        .annotate(Count("id"))
        .order_by()
    )
    return [
        SourceRow(
            source.public_id,
            source.name,
            source.kind,
            source.target,
            source.state,
            Health(
                state_of(source),
                source.last_success_at,
                (sums.get(source.pk) or {}).get("rows") or 0,
                (sums.get(source.pk) or {}).get("errors") or 0,
            ),
            source.next_run_at,
            waiting.get(source.sealed_key, 0),
        )
        for source in sources
    ]


def state_of(source: Source) -> str:
    """One word for how a source does: draft, paused, failing, late, idle (nothing yet), ok."""
    if source.state != SourceState.ACTIVE:
        return str(source.state)
    if source.failures:
        return "failing"
    if source.late_since is not None:
        return "late"
    return "ok" if source.last_success_at else "idle"


def runs_of(*, actor: Actor, source: Source, before_id: int | None = None, limit: int = 30) -> list[SourceRun]:
    actor.require(Permission.SOURCE_EDIT)
    rows = source.runs.select_related("job").order_by("-id")
    return list((rows.filter(id__lt=before_id) if before_id else rows)[:limit])


def open_run(source: Source) -> SourceRun | None:
    return (
        source.runs.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).select_related("job").order_by("-id").first()
    )


def days_of(*, actor: Actor, source: Source, days: int = 30) -> list[Day]:
    """Every day of the window, also those without a run."""
    actor.require(Permission.SOURCE_EDIT)
    zone = ZoneInfo(settings.HONGYAN_TIME_ZONE)
    first = (_today() - timedelta(days=days - 1)).astimezone(zone).date()
    sums: dict[date, dict[str, Any]] = {
        row["day"]: dict(row)
        for row in source.runs.filter(created_at__gte=_today() - timedelta(days=days - 1))
        .annotate(day=TruncDate("created_at", tzinfo=zone))
        .values("day")
        .annotate(created_sum=Sum("created"), changed_sum=Sum("changed"), quarantined_sum=Sum("quarantined"))
        .order_by()
    }
    listed = []
    for number in range(days):
        day = first + timedelta(days=number)
        row: dict[str, Any] = sums.get(day) or {}
        listed.append(
            Day(day, row.get("created_sum") or 0, row.get("changed_sum") or 0, row.get("quarantined_sum") or 0)
        )
    return listed


def waiting_of(*, actor: Actor, source: Source) -> int:
    actor.require(Permission.SOURCE_EDIT)
    return QuarantinedRecord.objects.filter(state="waiting", source=source.sealed_key).count()


def needs_attention(actor: Actor) -> list[Trouble]:
    """Failing first. Empty for those who can do nothing about it."""
    if not actor.may(Permission.SOURCE_EDIT):
        return []
    listed = []
    troubled = Source.objects.filter(state=SourceState.ACTIVE, archived_at=None).filter(
        Q(failures__gt=0) | Q(late_since__isnull=False)
    )
    for source in troubled.order_by("-failures", "id")[:20]:
        if source.failures:
            last = source.runs.filter(state=RunState.FAILED).order_by("-id").first()
            at = last.finished_at if last else None
            listed.append(Trouble(source.public_id, source.name, "failing", last.error_code if last else "", at))
        else:
            listed.append(Trouble(source.public_id, source.name, "late", "", source.last_success_at))
    return listed


def sources_health(*, actor: Actor) -> tuple[int, Health]:
    """(how many, all of them at a glance)."""
    rows = source_rows(actor=actor)
    states = {row.health.state for row in rows}
    state = next((name for name in ("failing", "late", "ok", "idle", "paused", "draft") if name in states), "idle")
    fresh = max((row.health.fresh_at for row in rows if row.health.fresh_at), default=None)
    return len(rows), Health(
        state, fresh, sum(row.health.rows_today for row in rows), sum(row.health.errors_today for row in rows)
    )


def imports_health(*, actor: Actor) -> Health:
    actor.require(Permission.IMPORT_RUN)
    recent = Import.objects.filter(started_at__gte=_today())
    fresh = Import.objects.filter(state="finished").aggregate(at=Max("finished_at"))["at"]
    rows = sum(row.tally.rows for row in recent.only("counts"))
    errors = recent.filter(state="failed").count()
    return Health("failing" if errors else "ok" if fresh else "idle", fresh, rows, errors)


def quarantine_waiting(*, actor: Actor) -> tuple[int, datetime | None]:
    """How many records wait, and since when the newest does."""
    actor.require(Permission.SOURCE_EDIT)
    found = QuarantinedRecord.objects.filter(state="waiting").aggregate(n=Count("id"), at=Max("created_at"))
    return found["n"], found["at"]


def source_names(keys: list[str]) -> dict[str, str]:
    """Key as in the quarantine → name: ``source:<id>``, keys of shops, write keys; removed ones included."""
    ids = []
    for key in keys:
        kind, _colon, rest = key.partition(":")
        try:
            if kind == "source":
                ids.append(uuid.UUID(rest))
        except ValueError:
            continue
    found = {
        f"source:{public_id}": name
        for public_id, name in Source.objects.filter(public_id__in=ids).values_list("public_id", "name")
    }
    if others := set(keys) - found.keys():
        found |= Shop.objects.filter(key__in=others).values_list("key", "name")
        found |= WriteKey.objects.filter(key__in=others).values_list("key", "name")
    return found


def extra_of(object_type: str) -> Extra:
    kind = next((kind for kind in object_types() if kind.key == object_type), None)
    labels = {item.key: item.label_zh or item.label_en for item in fields_of(kind)} if kind is not None else {}
    return Extra(imports.custom_labels(), labels)


def _today() -> datetime:
    """Midnight of this installation."""
    local = now().astimezone(ZoneInfo(settings.HONGYAN_TIME_ZONE))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)

"""Acts on sources, in the order a person does them: make, connect, look, map, schedule; then run, pause, remove."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.objects_types import object_types
from hongyan.core.clock import now
from hongyan.ingest import selectors as imports
from hongyan.ingest.models_sources import Source, SourceFile, SourceRun
from hongyan.ingest.quarantine import QuarantineFilter
from hongyan.ingest.services import POLICIES
from hongyan.ingest.sources import fields, runner
from hongyan.ingest.sources.errors import SourceNotFound, SourceRefused
from hongyan.ingest.sources.reading.choose import reader_of
from hongyan.ingest.sources.sealed import seal_secrets, secrets_of
from hongyan.ingest.sources.selectors import extra_of
from hongyan.ingest.sources.types import (
    Delivered,
    Every,
    Looked,
    RunState,
    Schedule,
    SourceKind,
    SourceState,
    Target,
)
from hongyan.ingest.types import ConsentChoice, ConsentTerms, DateOrder, Options
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_cancel, job_start

_PLACES: dict[SourceKind, frozenset[str]] = {
    SourceKind.SQL: frozenset({"schema", "table", "cursor", "lag_s", "private", "shown"}),
    SourceKind.REST: frozenset(
        {
            "base_url",
            "path",
            "params",
            "headers",
            "auth",
            "key_name",
            "key_in",
            "username",
            "token_url",
            "paging",
            "page_param",
            "size_param",
            "page_size",
            "first_page",
            "next_path",
            "records_path",
            "cursor",
            "cursor_param",
            "initial_value",
            "private",
        }
    ),
    SourceKind.FILES: frozenset({"url", "pattern", "format", "endpoint_url", "region", "key_id", "private"}),
}
_SECRETS = {SourceKind.SQL: {"url"}, SourceKind.REST: {"secret"}, SourceKind.FILES: {"secret"}}
SHORTEST_MINUTES, LONGEST_MINUTES = 5, 1440


def source_create(*, actor: Actor, kind: SourceKind, name: str) -> Source:
    actor.require(Permission.SOURCE_EDIT)
    if not name.strip():
        raise SourceRefused("name_missing")
    source = Source.objects.create(
        kind=kind,
        name=name.strip()[:120],
        created_by_id=actor.id if actor.kind == "user" else None,
        options=Options().dump(),
    )
    _note(actor, "source.created", source, {"kind": str(kind)})
    return source


def source_connect(
    *, actor: Actor, public_id: uuid.UUID, place: Mapping[str, Any], secrets: Mapping[str, str]
) -> Looked:
    """Try the connection; it is kept only when it works. Empty secrets keep the present ones, unless they would go to
    another host. Raises SourceRefused, SourceFailed."""
    actor.require(Permission.SOURCE_EDIT)
    source = _found(public_id)
    kind = SourceKind(source.kind)
    unknown = sorted(set(place) - _PLACES[kind]) + sorted(set(secrets) - _SECRETS[kind])
    if unknown:
        raise SourceRefused("setting_unknown", name=unknown[0][:40])
    given = {name: value for name, value in secrets.items() if value}
    kept = secrets_of(source)
    moved = kept and not given and _hosts(place) != _hosts(source.place)
    if moved:
        raise SourceRefused("secret_again")
    wanted_place, wanted = dict(place), {**kept, **given}
    if kind is SourceKind.SQL:
        from hongyan.ingest.sources.reading.sql import shown

        wanted_place["shown"] = shown(wanted.get("url", ""))
    looked = reader_of(source.kind, wanted_place, wanted).look()
    with transaction.atomic():
        locked = Source.objects.select_for_update().get(pk=source.pk)
        if _where(locked.place) != _where(wanted_place) or given.get("url"):
            _read_again(locked)
        locked.place = wanted_place
        seal_secrets(locked, wanted)
        _take_columns(locked, looked)
        locked.save()
        _note(actor, "source.connected", locked, {"private": bool(wanted_place.get("private"))})
    return looked


def source_look(*, actor: Actor, public_id: uuid.UUID) -> Looked:
    """Records as they come, for people who may see identities; for others only the names of the columns."""
    actor.require(Permission.SOURCE_EDIT)
    source = _found(public_id)
    looked = reader_of(source.kind, source.place, secrets_of(source)).look()
    if actor.may(Permission.CONTACT_IDENTITY):
        return looked
    return Looked(looked.columns, [], looked.places, looked.time_columns)


def source_map(
    *,
    actor: Actor,
    public_id: uuid.UUID,
    target: Target,
    mapping: Mapping[str, str],
    options: Mapping[str, Any],
    object_type: str = "",
    attested: bool = False,
    statement: str = "",
) -> Source:
    """What records become. options of contacts: as an import's, with ``topics`` and ``consent_source`` when the consent
    of these people is attested; events: event_name, default_region; orders, products: currency. Raises SourceRefused.
    """
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        source = _locked(public_id)
        if target is Target.OBJECTS and object_type not in {kind.key for kind in object_types()}:
            raise SourceRefused("object_type_unknown")
        chosen = _options(actor, target, options, attested=attested, statement=statement)
        kept = {column: field for column, field in mapping.items() if column in source.columns}
        fields.check(
            target,
            kept,
            extra_of(object_type),
            match_on=str(chosen.get("match_on", "")),
            event_name=str(chosen.get("event_name", "")),
        )
        source.target, source.object_type = target, object_type if target is Target.OBJECTS else ""
        source.mapping = {column: kept.get(column, "") for column in source.columns}
        source.options = chosen
        source.save()
        _note(actor, "source.mapped", source, {"target": str(target), "consent": "attested" if attested else "none"})
    return source


def source_trial(*, actor: Actor, public_id: uuid.UUID) -> Delivered:
    """What would become of the first records with the present mapping. Nothing stays. Raises SourceFailed."""
    actor.require(Permission.SOURCE_EDIT)
    source = _found(public_id)
    looked = reader_of(source.kind, source.place, secrets_of(source)).look()
    return runner.trial(source, looked.records)


def source_schedule(*, actor: Actor, public_id: uuid.UUID, schedule: Schedule, start: bool = True) -> Source:
    """Set the times; start: put the source to work and run it once now."""
    actor.require(Permission.SOURCE_EDIT)
    _check_schedule(schedule)
    with transaction.atomic():
        source = _locked(public_id)
        if not any(source.mapping.values()):
            raise SourceRefused("not_mapped")
        source.schedule = schedule.dump()
        was_draft = source.state == SourceState.DRAFT
        if start:
            source.state, source.late_since = SourceState.ACTIVE, None
        source.next_run_at = runner.next_planned(source, now()) if source.state == SourceState.ACTIVE else None
        source.save()
        _note(actor, "source.scheduled", source, {"every": schedule.every})
        if start and was_draft:
            run_begin(source, actor=actor)
    return source


def source_rename(*, actor: Actor, public_id: uuid.UUID, name: str) -> Source:
    actor.require(Permission.SOURCE_EDIT)
    if not name.strip():
        raise SourceRefused("name_missing")
    with transaction.atomic():
        source = _locked(public_id)
        source.name = name.strip()[:120]
        source.save(update_fields=["name", "updated_at"])
    return source


def source_run_now(*, actor: Actor, public_id: uuid.UUID) -> SourceRun:
    """Raises SourceRefused while a run is going on or the set-up is not finished."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        source = _locked(public_id)
        if source.state == SourceState.DRAFT:
            raise SourceRefused("not_mapped")
        run = run_begin(source, actor=actor)
        if run is None:
            raise SourceRefused("running_already")
    return run


def run_begin(source: Source, *, actor: Actor) -> SourceRun | None:
    """In the caller's transaction. None while another run of the source is open."""
    try:
        with transaction.atomic():
            run = SourceRun.objects.create(
                source=source, started_by=actor.label[:120] if actor.kind != "system" else ""
            )
    except IntegrityError:
        return None
    run.job = job_start(
        actor=actor,
        kind="source_run",
        params={"run_id": run.pk},
        title=gettext_noop("Data from “%(source)s”"),
        title_params={"source": source.name[:80]},
    )
    run.save(update_fields=["job"])
    return run


def source_cancel_run(*, actor: Actor, public_id: uuid.UUID) -> None:
    """Stop the run that is going on; what it took stays, and the next one goes on from there."""
    actor.require(Permission.SOURCE_EDIT)
    from hongyan.accounts.types import system_actor

    with transaction.atomic():
        source = _locked(public_id)
        run = source.runs.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).first()
        if run is None or run.job_id is None:
            raise SourceRefused("not_running")
        # Jobs of the schedule have no owner; whoever may set sources up may stop them.
        job = job_cancel(actor=system_actor("source"), job_id=run.job_id)
        if job.ended:
            runner.run_cancelled(run.pk)
        _note(actor, "source.run_cancelled", source, {})


def source_pause(*, actor: Actor, public_id: uuid.UUID) -> Source:
    return _set_state(actor, public_id, SourceState.ACTIVE, SourceState.PAUSED, "source.paused")


def source_resume(*, actor: Actor, public_id: uuid.UUID) -> Source:
    return _set_state(actor, public_id, SourceState.PAUSED, SourceState.ACTIVE, "source.resumed")


def _set_state(actor: Actor, public_id: uuid.UUID, before: str, after: str, action: str) -> Source:
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        source = _locked(public_id)
        if source.state != before:
            raise SourceRefused("state_changed")
        source.state, source.late_since = after, None
        source.next_run_at = runner.next_planned(source, now()) if after == SourceState.ACTIVE else None
        source.save(update_fields=["state", "next_run_at", "late_since", "updated_at"])
        _note(actor, action, source, {})
    return source


def source_read_again(*, actor: Actor, public_id: uuid.UUID) -> None:
    """Forget how far reading came: the next run reads everything. Nothing doubles; what is the same stays as it is."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        source = _locked(public_id)
        if source.runs.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).exists():
            raise SourceRefused("running_already")
        _read_again(source)
        source.save(update_fields=["cursor", "updated_at"])
        _note(actor, "source.read_again", source, {})


def source_archive(*, actor: Actor, public_id: uuid.UUID) -> None:
    """Remove it: no more runs, credentials gone. What it brought stays, and its history with it."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        source = _locked(public_id)
        if source.runs.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).exists():
            raise SourceRefused("running_already")
        source.state, source.secrets, source.next_run_at = SourceState.PAUSED, b"", None
        source.archived_at, source.late_since = now(), None
        source.save()
        _note(actor, "source.removed", source, {})


def quarantine_retry_group(*, actor: Actor, source: str, kind: str, reason: str) -> Job:
    """Try all records of a group again, as a job."""
    actor.require(Permission.SOURCE_EDIT)
    filters = QuarantineFilter(source=source, kind=kind, reason=reason)
    return job_start(
        actor=actor,
        kind="quarantine_retry",
        params={"source": filters.source, "kind": filters.kind, "reason": filters.reason},
    )


def _found(public_id: uuid.UUID) -> Source:
    source = Source.objects.filter(public_id=public_id, archived_at=None).first()
    if source is None:
        raise SourceNotFound
    return source


def _locked(public_id: uuid.UUID) -> Source:
    source = Source.objects.select_for_update().filter(public_id=public_id, archived_at=None).first()
    if source is None:
        raise SourceNotFound
    return source


def _read_again(source: Source) -> None:
    source.cursor = ""
    SourceFile.objects.filter(source=source).delete()


def _take_columns(source: Source, looked: Looked) -> None:
    if not looked.columns:
        return
    before = source.mapping
    source.columns = looked.columns
    target = Target(source.target)
    guessed = fields.suggest(target, looked.columns, looked.records, extra_of(source.object_type))
    source.mapping = {name: before.get(name, guessed.get(name, "")) for name in looked.columns}


def _hosts(place: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("base_url", "token_url", "endpoint_url", "url")
    return tuple(str(urlsplit(str(place.get(name) or "")).netloc) for name in names)


def _where(place: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("shown", "schema", "table", "cursor", "base_url", "path", "params", "url", "endpoint_url")
    return tuple(str(place.get(name) or "") for name in names)


def _options(
    actor: Actor, target: Target, given: Mapping[str, Any], *, attested: bool, statement: str
) -> dict[str, Any]:
    if target is not Target.CONTACTS:
        allowed = {"event_name", "default_region", "currency"}
        return {key: str(value).strip()[:120] for key, value in given.items() if key in allowed}
    consent = ConsentTerms(choice=ConsentChoice.NONE)
    if attested:
        topics, told = tuple(given.get("topics", ())), str(given.get("consent_source", "")).strip()
        if not topics or not told or not statement.strip() or not imports.topics_exist(topics):
            raise SourceRefused("consent_incomplete")
        consent = ConsentTerms(
            choice=ConsentChoice.ATTESTED,
            topics=topics,
            source=told[:500],
            statement=statement.strip()[:1000],
            attested_by=actor.label,
            attested_at=now().isoformat(timespec="seconds"),
        )
    options = Options(
        policy=str(given.get("policy", "update")),
        match_on=str(given.get("match_on", "email")),
        default_region=str(given.get("default_region", "CN")),
        date_order=str(given.get("date_order", DateOrder.YEAR_FIRST)),
        tags=tuple(given.get("tags", ())),
        lists=tuple(given.get("lists", ())),
        consent=consent,
    )
    if options.policy not in POLICIES or options.date_order not in set(DateOrder):
        raise SourceRefused("option_unknown", option="policy", value=options.policy[:40])
    if options.default_region not in imports.region_codes():
        raise SourceRefused("option_unknown", option="default_region", value=options.default_region[:40])
    imports.check_tags_and_lists(options.tags, options.lists)
    return options.dump()


def _check_schedule(schedule: Schedule) -> None:
    fine = {
        Every.HAND: True,
        Every.MINUTES: SHORTEST_MINUTES <= schedule.minutes <= LONGEST_MINUTES,
        Every.HOUR: 0 <= schedule.minutes < 60,
        Every.DAY: 0 <= schedule.hour < 24 and 0 <= schedule.minute < 60,
    }
    if schedule.every not in set(Every) or not fine[Every(schedule.every)]:
        raise SourceRefused("schedule_unfit")


def _note(actor: Actor, action: str, source: Source, data: dict[str, Any]) -> None:
    record(actor=actor, action=action, subject_kind="source", subject_id=str(source.public_id), data=data)

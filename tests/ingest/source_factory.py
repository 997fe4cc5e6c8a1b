"""Scheduled sources in a few words, for tests."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hongyan.accounts.types import system_actor
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import identities
from hongyan.ingest.models_sources import Source, SourceRun
from hongyan.ingest.sources import runner, services
from hongyan.ingest.sources.errors import SourceFailed
from hongyan.ingest.sources.types import Every, Schedule, SourceKind, Target

ACTOR = system_actor("test")
PEOPLE = {"email": "email", "name": "full_name", "city": "city"}


def source(
    kind: SourceKind,
    place: Mapping[str, Any],
    *,
    secrets: Mapping[str, str] | None = None,
    target: Target = Target.CONTACTS,
    mapping: Mapping[str, str] | None = None,
    object_type: str = "",
    **options: Any,
) -> Source:
    """Connected, mapped, put to work; no run has begun."""
    made = services.source_create(actor=ACTOR, kind=kind, name="the shop")
    services.source_connect(actor=ACTOR, public_id=made.public_id, place=place, secrets=secrets or {})
    services.source_map(
        actor=ACTOR,
        public_id=made.public_id,
        target=target,
        mapping=PEOPLE if mapping is None else mapping,
        options=options,
        object_type=object_type,
    )
    services.source_schedule(actor=ACTOR, public_id=made.public_id, schedule=Schedule(Every.HOUR, minutes=10))
    SourceRun.objects.all().delete()
    made.refresh_from_db()
    return made


def begin(made: Source) -> SourceRun:
    made.refresh_from_db()
    run = services.run_begin(made, actor=ACTOR)
    assert run is not None
    return run


def run(made: Source) -> SourceRun:
    """A whole run; a failure is kept as the job would."""
    begun = begin(made)
    try:
        runner.source_run(begun.pk, lambda _read: None)
    except SourceFailed as error:
        runner.run_failed(begun.pk, error)
    begun.refresh_from_db()
    made.refresh_from_db()
    return begun


def emails() -> list[str]:
    return sorted(item.email for item in identities(list(Contact.objects.values_list("id", flat=True))).values())


def names() -> dict[str, str]:
    people = identities(list(Contact.objects.values_list("id", flat=True)))
    return {item.email: item.full_name for item in people.values()}


def sqlite_file(path: Path, rows: Sequence[tuple[Any, ...]]) -> Path:
    """A table ``people (id, email, name, city, updated_at)``."""
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS people "
            "(id INTEGER PRIMARY KEY, email TEXT, name TEXT, city TEXT, updated_at TEXT)"
        )
        database.executemany("INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?, ?)", rows)
    database.close()
    return path


def people(count: int, start: int = 0, day: str = "2026-11-01") -> list[tuple[Any, ...]]:
    return [
        (
            number,
            f"p{number}@example.cn",
            f"王小{number}",
            "上海",
            f"{day} {number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}",
        )
        for number in range(start, start + count)
    ]

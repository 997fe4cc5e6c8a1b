"""Imports in a few words, for tests."""

import io
from collections.abc import Sequence
from typing import Any

from hongyan.accounts.types import system_actor
from hongyan.ingest import services
from hongyan.ingest.models import Import
from hongyan.ingest.runner import import_run
from hongyan.ingest.types import ConsentChoice, Counts, ImportState

ACTOR = system_actor("test")


def upload(data: bytes | str, name: str = "customers.csv") -> Import:
    raw = data.encode() if isinstance(data, str) else data
    return services.import_create(actor=ACTOR, file=io.BytesIO(raw), filename=name)


def ready(
    data: bytes | str,
    *,
    mapping: Sequence[str] | None = None,
    topics: Sequence[str] = (),
    **options: Any,
) -> Import:
    """Uploaded, configured, consent decided."""
    row = upload(data)
    services.import_configure(actor=ACTOR, public_id=row.public_id, mapping=mapping, options=options)
    return services.import_consent(
        actor=ACTOR,
        public_id=row.public_id,
        choice=ConsentChoice.ATTESTED if topics else ConsentChoice.NONE,
        topics=topics,
        source="paper forms" if topics else "",
        declared=bool(topics),
        statement="I declare that these people agreed." if topics else "",
    )


def started(row: Import) -> Import:
    services.import_start(actor=ACTOR, public_id=row.public_id)
    row.refresh_from_db()
    assert row.state == ImportState.STARTED
    return row


def run(data: bytes | str, **settings: Any) -> tuple[Import, Counts]:
    row = started(ready(data, **settings))
    counts = import_run(row.pk, lambda _done, _total: None, workers=0)
    row.refresh_from_db()
    return row, counts

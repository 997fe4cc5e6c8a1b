"""Acts on an import that runs or is to run: try out, start, pause, resume, cancel, undo."""

import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core.clock import now
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest import mapping as mappings
from hongyan.ingest.drafts import check_ready, draft, locked
from hongyan.ingest.errors import ImportNotReady
from hongyan.ingest.models import ColumnMemory, Import
from hongyan.ingest.types import ImportState
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_cancel, job_pause, job_resume, job_retry, job_start


def import_dry_run(*, actor: Actor, public_id: uuid.UUID) -> Job:
    """Start working out what the import would do. Writes nothing but the answer."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = draft(public_id)
        check_ready(row)
        job = job_start(
            actor=actor,
            kind="import_dry_run",
            params={"import_id": row.pk},
            title=gettext_noop("Trial run of “%(file)s”"),
            title_params={"file": row.file_name[:80]},
        )
        row.dry_job, row.dry_counts, row.dry_samples = job, None, []
        row.save(update_fields=["dry_job", "dry_counts", "dry_samples"])
    return job


def import_start(*, actor: Actor, public_id: uuid.UUID) -> Job:
    """Start the real import as a job. Raises ImportNotReady while a decision is missing."""
    with transaction.atomic():
        row = import_begin(actor=actor, public_id=public_id)
        row.job = job_start(
            actor=actor,
            kind="import",
            params={"import_id": row.pk},
            title=gettext_noop("Import of “%(file)s”"),
            title_params={"file": row.file_name[:80]},
        )
        row.save(update_fields=["job"])
    return row.job


def import_begin(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """From draft to started, without a job: for callers that run ``runner.import_run`` themselves."""
    actor.require(Permission.IMPORT_RUN)
    rest.check_free_space()
    with transaction.atomic():
        row = draft(public_id)
        check_ready(row)
        same = Import.objects.filter(sha256=row.sha256, state=ImportState.STARTED).exclude(pk=row.pk)
        if same.exists():
            raise ImportNotReady("same_file_running")
        row.state, row.started_at = ImportState.STARTED, now()
        row.save(update_fields=["state", "started_at"])
        _remember(row)
        record(
            actor=actor,
            action="import.started",
            subject_kind="import",
            subject_id=str(row.public_id),
            data={"policy": row.choices.policy, "consent": row.choices.consent.choice, "size": row.size},
        )
    return row


def _remember(row: Import) -> None:
    key = mappings.signature(row.header)
    if key is None:
        return
    options = {
        name: value
        for name, value in row.options.items()
        if name in {"policy", "match_on", "default_region", "date_order"}
    }
    ColumnMemory.objects.update_or_create(signature=key, defaults={"mapping": row.mapping, "options": options})


def import_cancel(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """Stop; what was taken so far stays and is counted. A draft is thrown away together with its file."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = locked(public_id)
        if row.state == ImportState.DRAFT:
            rest.remove(row.stored_name)
            rest.remove(row.copied_name)
            row.state, row.stored_name, row.copied_name = ImportState.CANCELLED, None, None
        elif row.state == ImportState.STARTED and row.job_id is not None:
            job = job_cancel(actor=actor, job_id=row.job_id)
            if job.ended:  # it was waiting or paused: nobody else will close the import
                row.state = ImportState.CANCELLED
        else:
            raise ImportNotReady("not_started")
        if row.ended:
            row.finished_at = now()
        row.save()
        record(actor=actor, action="import.cancelled", subject_kind="import", subject_id=str(row.public_id))
    return row


def import_pause(*, actor: Actor, public_id: uuid.UUID) -> Import:
    return _with_job(actor, public_id, job_pause)


def import_resume(*, actor: Actor, public_id: uuid.UUID) -> Import:
    """After a pause, or after its job failed for a reason of ours: it goes on where it stopped."""
    rest.check_free_space()
    return _with_job(actor, public_id, _resume_or_retry)


def _resume_or_retry(*, actor: Actor, job_id: int) -> Job:
    job = job_resume(actor=actor, job_id=job_id)
    return job_retry(actor=actor, job_id=job_id) if job.ended else job


def _with_job(actor: Actor, public_id: uuid.UUID, act: Any) -> Import:
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        row = locked(public_id)
        if row.state != ImportState.STARTED or row.job_id is None:
            raise ImportNotReady("not_started")
        act(actor=actor, job_id=row.job_id)
    return row


def import_undo(*, actor: Actor, public_id: uuid.UUID) -> Job:
    """Delete the contacts this import created, as a job; those with whom something has happened since stay."""
    actor.require(Permission.IMPORT_RUN)
    actor.require(Permission.CONTACT_EDIT)
    with transaction.atomic():
        row = locked(public_id)
        if row.state not in {ImportState.FINISHED, ImportState.CANCELLED, ImportState.FAILED}:
            raise ImportNotReady("undo_not_possible")
        job = job_start(
            actor=actor,
            kind="import_undo",
            params={"import_id": row.pk},
            title=gettext_noop("Undo of “%(file)s”"),
            title_params={"file": row.file_name[:80]},
        )
        row.job = job
        row.save(update_fields=["job"])
        record(actor=actor, action="import.undone", subject_kind="import", subject_id=str(row.public_id))
    return job

"""Job shells: imports, trial runs, undoing, exports, and the deletion of old files."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.contacts.companies_linking import link_start
from hongyan.contacts.models import Company
from hongyan.core.clock import now
from hongyan.ingest import files_at_rest as rest
from hongyan.ingest import objects_tasks
from hongyan.ingest.commerce import tasks as commerce_tasks  # noqa: F401  registers the jobs of orders and shops
from hongyan.ingest.endings import closing, failing
from hongyan.ingest.exports import export_run
from hongyan.ingest.intake import tasks as intake_tasks
from hongyan.ingest.models import Export, Import
from hongyan.ingest.quarantine import KEPT as QUARANTINE_KEPT
from hongyan.ingest.quarantine import quarantine_forget
from hongyan.ingest.runner import import_dry, import_run
from hongyan.ingest.sources import tasks as source_tasks
from hongyan.ingest.types import ImportState
from hongyan.ingest.undo import undo_run
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic

__all__ = ["intake_tasks", "objects_tasks", "source_tasks"]  # registers its kinds and periodic work
_ABANDONED = timedelta(hours=2)  # temporary files of uploads that broke off


@job_kind("import", title=_("Import"), resumable=True, max_attempts=20)
def run_import(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    import_id = params["import_id"]
    with closing(import_id):
        counts = import_run(import_id, handle.advance)
    handle.advance(counts.rows, counts.rows)
    row = Import.objects.get(pk=import_id)
    if "company" in row.mapping and counts.created and Company.objects.exists():
        link_start(actor=system_actor("import"), source=f"import:{row.public_id}")
    return {"created": counts.created, "updated": counts.updated, "rejected": counts.rejected}


@job_kind("import_dry_run", title=_("Trial run of an import"), resumable=True)
def run_import_dry(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    with failing():
        counts = import_dry(params["import_id"], handle.advance)
    return {"rows": counts.rows}


@job_kind("import_undo", title=_("Undoing an import"), resumable=True)
def run_import_undo(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    return {"removed": undo_run(params["import_id"], handle.advance)}


@job_kind("export", title=_("Export of contacts"), resumable=True)
def run_export(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    return {"rows": export_run(params["export_id"], handle.advance)}


@periodic(cron="37 3 * * *", name="ingest.quarantine_forget")
def forget_quarantine() -> None:
    quarantine_forget(before=now() - QUARANTINE_KEPT)


@periodic(cron="17 * * * *", name="ingest.delete_old_files")
def delete_old_files() -> None:
    """Uploads, copies, exports and rejected values are personal data: seven days are enough. Bytes first, so that a
    crash between the two leaves a row that is seen again."""
    limit = now() - rest.KEPT
    for row in Import.objects.filter(created_at__lt=limit, stored_name__isnull=False).exclude(
        state=ImportState.STARTED
    ):
        rest.remove(row.stored_name)
        rest.remove(row.copied_name)
        row.rejections.all().delete()
        Import.objects.filter(pk=row.pk).update(stored_name=None, copied_name=None, stored_key=b"")
    for export in Export.objects.filter(created_at__lt=limit, stored_name__isnull=False):
        rest.remove(export.stored_name)
        Export.objects.filter(pk=export.pk).update(stored_name=None, stored_key=b"")
    _delete_strays()


def _delete_strays() -> None:
    """What a crash left between writing a file and its row."""
    if not rest.folder().is_dir():
        return
    known = {name.hex for name in _known_names()}
    old = (now() - _ABANDONED).timestamp()
    for path in rest.folder().iterdir():
        if path.name not in known and path.stat().st_mtime < old:
            path.unlink(missing_ok=True)


def _known_names() -> list[Any]:
    names = [*Import.objects.values_list("stored_name", "copied_name"), *Export.objects.values_list("stored_name")]
    return [name for row in names for name in row if name is not None]

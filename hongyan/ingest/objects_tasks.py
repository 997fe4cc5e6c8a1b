"""The job of importing custom objects."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.ingest import objects_file
from hongyan.ingest.errors import IngestRefused
from hongyan.jobs.errors import JobFailed
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind


@job_kind(objects_file.KIND, title=_("Import of objects"), resumable=True)
def run_objects_import(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    try:
        return objects_file.run(actor=system_actor("import"), params=params, progress=handle.advance)
    except IngestRefused as error:
        raise JobFailed(error.code) from error

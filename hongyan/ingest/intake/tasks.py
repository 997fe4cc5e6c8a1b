"""Job shells of the intake."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.ingest.intake.loose import settle
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind


@job_kind("traits_settle", title=_("Moving traits into their fields"), resumable=True)
def run_settle(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    del params
    return {"changed": settle(actor=system_actor("traits"), advance=handle.advance)}

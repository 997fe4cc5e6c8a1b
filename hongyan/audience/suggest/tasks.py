from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.audience.suggest.runs import suggestion_work
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind


@job_kind("audience.suggest", title=_("Suggest audiences"), resumable=True)
def suggest_job(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    return suggestion_work(params["run_id"], lambda done: handle.advance(done, 100))

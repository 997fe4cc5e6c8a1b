"""Jobs that only the place that knows everything can run."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind


@job_kind("demo_remove", title=_("Remove the demo data"), resumable=True)
def demo_removed(handle: JobHandle, _params: dict[str, Any]) -> dict[str, Any]:
    """One transaction: all of it goes or nothing."""
    from hongyan.config.demo.load import demo_remove

    handle.check()
    return {"contacts": demo_remove()}

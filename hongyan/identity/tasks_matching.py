"""Background work of matching."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.accounts.types import system_actor
from hongyan.contacts.models import Contact
from hongyan.identity.models import Run
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic


@job_kind("identity_run", title=_("Finding duplicates"), resumable=True)
def identity_run(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """params: kind (of ``Run``), precision_target. Started again it begins anew; what was merged stays merged."""
    from hongyan.identity.matching.resolve import PRECISION  # the libraries of matching load where matching runs
    from hongyan.identity.runs import run_full, run_incremental

    actor = system_actor("identity run")
    if params.get("kind") == Run.Kind.INCREMENTAL:
        return dict(run_incremental(actor=actor, progress=handle.advance, job_id=handle.job_id).counts)
    precision = float(params.get("precision_target", PRECISION))
    return dict(run_full(actor=actor, progress=handle.advance, precision=precision, job_id=handle.job_id).counts)


@periodic(cron="*/15 * * * *", name="identity.match_new")
def identity_match_new() -> None:
    """New and changed contacts, once somebody has had all of them compared: nothing is merged before that is wanted."""
    from hongyan.identity.lane import matching_is_wanted
    from hongyan.identity.runs import run_incremental

    last = Run.objects.filter(state=Run.State.FINISHED, until__isnull=False).order_by("-id").first()
    if last is not None and matching_is_wanted() and Contact.objects.filter(updated_at__gt=last.until).exists():
        run_incremental(actor=system_actor("identity run"))

"""Jobs and periodic work of this room."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.contacts import companies_linking, touched
from hongyan.contacts.signup_expiry import expire_unconfirmed
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind, periodic


@job_kind(companies_linking.KIND, title=_("Linking people to companies"), resumable=True)
def link_companies(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Again after a crash: who has a company by then is passed over."""
    return dict(
        companies_linking.link_run(
            make=bool(params.get("make")), source=str(params.get("source", "")), progress=handle.advance
        )
    )


@periodic(cron="23 * * * *", name="contacts.expire_signups")
def expire_signups() -> None:
    """In slices, so that one night after a flood of sign-ups does not hold the worker."""
    for _slice in range(20):
        if not expire_unconfirmed():
            return


@periodic(cron="*/10 * * * *", name="contacts.prune_touched")
def prune_touched() -> None:
    """What every reader of the change log has passed is dropped."""
    touched.prune()

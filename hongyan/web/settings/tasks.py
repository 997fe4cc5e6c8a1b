"""Long work of this area."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from hongyan.audit.services import seal, verify
from hongyan.jobs.handle import JobHandle
from hongyan.jobs.registry import job_kind

VERIFY = "audit.verify"


@job_kind(VERIFY, title=_("Verify the audit log"), resumable=True)
def audit_verify(handle: JobHandle, params: dict[str, Any]) -> dict[str, Any]:
    """Seal what can be sealed, then recompute the chain. Starting over is the way to resume."""
    del params
    seal()
    handle.check()
    result = verify()
    handle.done = result.entries
    broken = result.broken_at
    return {
        "entries": result.entries,
        "unsealed": result.unsealed,
        "seq": broken.seq if broken else None,
        "reason": broken.reason if broken else "",
        "head": result.head.hash if result.head else "",
    }

"""Words for states and reasons, as people read them."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hongyan.jobs.states import JobState

STATE_LABELS: dict[str, str | Promise] = {
    JobState.QUEUED: _("Waiting"),
    JobState.RUNNING: _("Running"),
    JobState.PAUSED: _("Paused"),
    JobState.SUCCEEDED: _("Done"),
    JobState.FAILED: _("Failed"),
    JobState.CANCELLED: _("Cancelled"),
}
ERROR_LABELS: dict[str, str | Promise] = {
    "unexpected": _("An unexpected error; the server log has the details."),
    "worker_lost": _("The worker process died, and this kind of job cannot go on by itself. Start it again."),
    "interrupted": _("The worker was stopped before the job ended. Start it again."),
    "unknown_kind": _("This version of the product does not know this kind of job."),
}


def error_label(code: str, message: str) -> str:
    """The reason a job failed: the kind's own words, else ours."""
    if code in ERROR_LABELS:
        return str(ERROR_LABELS[code])
    return message or code

"""The life of a job as a table of states, inputs and outcomes; what is not in it does nothing."""

from enum import StrEnum


class JobState(StrEnum):
    QUEUED = "queued"  # waits for a worker
    RUNNING = "running"
    PAUSED = "paused"  # stopped by a person, goes on where it was
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # error_code says why
    CANCELLED = "cancelled"


class JobInput(StrEnum):
    START = "start"  # a worker took it
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"  # a person asked, and the work has stopped
    PAUSE = "pause"  # likewise
    RESUME = "resume"
    REQUEUE = "requeue"  # its worker died or stops, and the kind can go on
    LOSE = "lose"  # its worker died, and the kind cannot go on
    RETRY = "retry"  # a person starts a failed one again


S, I = JobState, JobInput  # noqa: E741  a table reads better in one glance
TRANSITIONS: dict[tuple[JobState, JobInput], JobState] = {
    (S.QUEUED, I.START): S.RUNNING,
    (S.QUEUED, I.CANCEL): S.CANCELLED,
    (S.QUEUED, I.PAUSE): S.PAUSED,
    (S.RUNNING, I.SUCCEED): S.SUCCEEDED,
    (S.RUNNING, I.FAIL): S.FAILED,
    (S.RUNNING, I.CANCEL): S.CANCELLED,
    (S.RUNNING, I.PAUSE): S.PAUSED,
    (S.RUNNING, I.REQUEUE): S.QUEUED,
    (S.RUNNING, I.LOSE): S.FAILED,
    (S.PAUSED, I.RESUME): S.QUEUED,
    (S.PAUSED, I.CANCEL): S.CANCELLED,
    (S.FAILED, I.RETRY): S.QUEUED,
}
ENDED = frozenset({S.SUCCEEDED, S.FAILED, S.CANCELLED})


def after(state: JobState, given: JobInput) -> JobState | None:
    """The next state, or None when this input does nothing in this state."""
    return TRANSITIONS.get((state, given))

import pytest

from hongyan.jobs.states import TRANSITIONS, JobInput, JobState, after

S, I = JobState, JobInput  # noqa: E741

EXPECTED = {
    "queued": {"start": "running", "cancel": "cancelled", "pause": "paused"},
    "running": {
        "succeed": "succeeded",
        "fail": "failed",
        "cancel": "cancelled",
        "pause": "paused",
        "requeue": "queued",
        "lose": "failed",
    },
    "paused": {"resume": "queued", "cancel": "cancelled"},
    "succeeded": {},
    "failed": {"retry": "queued"},
    "cancelled": {},
}


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("given", list(I))
def test_every_state_and_input(state: JobState, given: JobInput) -> None:
    outcome = after(state, given)
    assert (outcome.value if outcome else None) == EXPECTED[state.value].get(given.value)
    assert (state, given) in TRANSITIONS or outcome is None

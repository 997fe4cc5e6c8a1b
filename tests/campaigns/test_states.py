"""The life of a campaign: every transition of the table, and every refusal beside it."""

from itertools import product

import pytest

from hongyan.campaigns.errors import ActRefused
from hongyan.campaigns.states import EDITABLE, FINAL, Act, State, after, may

# Written out again on purpose: a change of the table must be a decision, not a slip.
EXPECTED = {
    "draft": {"edit": "draft", "request_approval": "awaiting_approval", "clear": "approved", "cancel": "cancelled"},
    "awaiting_approval": {
        "edit": "draft",
        "withdraw": "draft",
        "approve": "approved",
        "request_changes": "draft",
        "reject": "draft",
        "cancel": "cancelled",
    },
    "approved": {"edit": "draft", "schedule": "scheduled", "start": "freezing", "cancel": "cancelled"},
    "scheduled": {
        "edit": "draft",
        "schedule": "scheduled",
        "unschedule": "approved",
        "start": "freezing",
        "fail": "failed",
        "cancel": "cancelled",
    },
    "freezing": {"frozen": "sending", "fail": "failed", "cancel": "cancelled"},
    "sending": {"pause": "paused", "complete": "finished", "cancel": "cancelled"},
    "paused": {"resume": "sending", "complete": "finished", "cancel": "cancelled"},
    "finished": {},
    "cancelled": {},
    "failed": {"edit": "draft", "cancel": "cancelled"},
}


@pytest.mark.parametrize(("state", "act"), list(product(State, Act)), ids=lambda value: str(value.value))
def test_transition(state: State, act: Act) -> None:
    outcome = EXPECTED[state.value].get(act.value)
    assert may(state, act) is (outcome is not None)
    if outcome is None:
        with pytest.raises(ActRefused) as refused:
            after(state, act)
        assert (refused.value.state, refused.value.act) == (state.value, act.value)
    else:
        assert after(state, act) is State(outcome)


def test_final_states_have_no_way_out() -> None:
    assert {state for state in State if not EXPECTED[state.value]} == FINAL


def test_nothing_can_be_edited_once_recipients_exist() -> None:
    assert EDITABLE.isdisjoint({State.FREEZING, State.SENDING, State.PAUSED, State.FINISHED, State.CANCELLED})

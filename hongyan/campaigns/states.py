"""The life of a campaign as one table: state x act -> state. Whatever is not in it is refused."""

from enum import StrEnum

from hongyan.campaigns.errors import ActRefused


class State(StrEnum):
    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"  # by somebody else, or no rule asks for it
    SCHEDULED = "scheduled"
    FREEZING = "freezing"  # recipients are being written to the outbox
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"  # recipients could not be frozen; nobody was mailed


class Act(StrEnum):
    EDIT = "edit"  # any change of what is sent, to whom or from whom
    REQUEST_APPROVAL = "request_approval"
    WITHDRAW = "withdraw"  # the author takes the request back
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    CLEAR = "clear"  # no approval rule applies
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    START = "start"  # begin to freeze, by a person or because the time has come
    FROZEN = "frozen"
    FAIL = "fail"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"  # every message has a final state
    CANCEL = "cancel"


S, A = State, Act
TABLE: dict[tuple[State, Act], State] = {
    (S.DRAFT, A.EDIT): S.DRAFT,
    (S.DRAFT, A.REQUEST_APPROVAL): S.AWAITING_APPROVAL,
    (S.DRAFT, A.CLEAR): S.APPROVED,
    (S.DRAFT, A.CANCEL): S.CANCELLED,
    (S.AWAITING_APPROVAL, A.EDIT): S.DRAFT,
    (S.AWAITING_APPROVAL, A.WITHDRAW): S.DRAFT,
    (S.AWAITING_APPROVAL, A.APPROVE): S.APPROVED,
    (S.AWAITING_APPROVAL, A.REQUEST_CHANGES): S.DRAFT,
    (S.AWAITING_APPROVAL, A.REJECT): S.DRAFT,
    (S.AWAITING_APPROVAL, A.CANCEL): S.CANCELLED,
    (S.APPROVED, A.EDIT): S.DRAFT,
    (S.APPROVED, A.SCHEDULE): S.SCHEDULED,
    (S.APPROVED, A.START): S.FREEZING,
    (S.APPROVED, A.CANCEL): S.CANCELLED,
    (S.SCHEDULED, A.EDIT): S.DRAFT,
    (S.SCHEDULED, A.SCHEDULE): S.SCHEDULED,  # another time; who and what stay as approved
    (S.SCHEDULED, A.UNSCHEDULE): S.APPROVED,
    (S.SCHEDULED, A.START): S.FREEZING,
    (S.SCHEDULED, A.FAIL): S.FAILED,  # due, but preflight or the approval no longer holds
    (S.SCHEDULED, A.CANCEL): S.CANCELLED,
    (S.FREEZING, A.FROZEN): S.SENDING,
    (S.FREEZING, A.FAIL): S.FAILED,
    (S.FREEZING, A.CANCEL): S.CANCELLED,  # nobody has been written down yet: it waits for whoever is doing that
    (S.SENDING, A.PAUSE): S.PAUSED,
    (S.SENDING, A.COMPLETE): S.FINISHED,
    (S.SENDING, A.CANCEL): S.CANCELLED,
    (S.PAUSED, A.RESUME): S.SENDING,
    (S.PAUSED, A.COMPLETE): S.FINISHED,  # what was in flight turned out to be the last
    (S.PAUSED, A.CANCEL): S.CANCELLED,
    (S.FAILED, A.EDIT): S.DRAFT,
    (S.FAILED, A.CANCEL): S.CANCELLED,
}
FINAL = frozenset({S.FINISHED, S.CANCELLED})
EDITABLE = frozenset(state for state, act in TABLE if act is A.EDIT)
LIVE = frozenset({S.FREEZING, S.SENDING, S.PAUSED})
STARTED = LIVE | {S.FINISHED}  # recipients exist (a cancelled one may have them as well)


def after(state: State, act: Act) -> State:
    """The state an act leads to. Raises ActRefused for everything the table does not hold.

    >>> after(State.SENDING, Act.PAUSE)
    <State.PAUSED: 'paused'>
    """
    try:
        return TABLE[state, act]
    except KeyError:
        raise ActRefused(state.value, act.value) from None


def may(state: State, act: Act) -> bool:
    return (state, act) in TABLE

"""The life of an approval as a table of states, inputs and outcomes; what is not in it is refused or does nothing."""

from enum import StrEnum


class RuleKind(StrEnum):
    ALWAYS = "always"
    AUDIENCE_SIZE = "audience_size"
    AUDIENCE_TAG = "audience_tag"


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"  # by as many different people as required
    REJECTED = "rejected"
    VOID = "void"  # content or audience changed since, or a newer request took its place
    WITHDRAWN = "withdrawn"  # by who asked


class ApprovalInput(StrEnum):
    APPROVE = "approve"  # one of several who are needed
    APPROVE_LAST = "approve_last"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    VOID = "void"


S, I = ApprovalState, ApprovalInput  # noqa: E741  a table reads better in one glance
TRANSITIONS: dict[tuple[ApprovalState, ApprovalInput], ApprovalState] = {
    (S.PENDING, I.APPROVE): S.PENDING,
    (S.PENDING, I.APPROVE_LAST): S.APPROVED,
    (S.PENDING, I.REJECT): S.REJECTED,
    (S.PENDING, I.WITHDRAW): S.WITHDRAWN,
    (S.PENDING, I.VOID): S.VOID,
    (S.APPROVED, I.VOID): S.VOID,
}


def after(state: ApprovalState, given: ApprovalInput) -> ApprovalState | None:
    """The next state, or None when this input is not possible in this state."""
    return TRANSITIONS.get((state, given))

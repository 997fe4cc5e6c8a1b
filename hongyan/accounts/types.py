from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from hongyan.accounts.approval_states import ApprovalState
from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Permission


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a user, an API key, the system, or a contact acting for themselves on a public page.

    label: shown in the audit log; never personal data of a contact. ip: the address the request came from, if any.
    """

    kind: str  # user | api_key | system | contact
    id: int | None
    label: str
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    ip: str | None = None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises PermissionRefused. Services call this first, so that no page or API can forget it."""
        if permission not in self.permissions:
            raise PermissionRefused(permission)


def system_actor(label: str) -> Actor:
    """A job or command of the product itself; may do everything, and is named in the audit log."""
    return Actor(kind="system", id=None, label=label, permissions=frozenset(Permission))


def contact_actor(*, ip: str | None = None) -> Actor:
    """A contact on a public page (unsubscribe, preferences, form): may only what those services allow by themselves."""
    return Actor(kind="contact", id=None, label="contact", ip=ip)


@dataclass(frozen=True, slots=True)
class AudienceFacts:
    """What approval rules look at. The caller counts; this room knows nothing of audiences."""

    size: int
    tags: frozenset[str] = frozenset()  # names of tags that anybody in it has


@dataclass(frozen=True, slots=True)
class ApprovalNeed:
    approvers: int  # how many different people must consent; 0: none
    rule_ids: tuple[int, ...] = ()  # the rules that match


@dataclass(frozen=True, slots=True)
class DecisionRow:
    by: str
    approved: bool
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A request as pages show it."""

    public_id: UUID
    subject_kind: str
    subject_id: str
    content_hash: bytes
    audience_hash: bytes
    audience_size: int
    required: int
    requested_by: str
    requested_by_id: int | None
    author_ids: frozenset[int]
    comment: str
    state: ApprovalState
    reason: str
    created_at: datetime
    decisions: tuple[DecisionRow, ...]

    @property
    def approvals(self) -> int:
        return sum(decision.approved for decision in self.decisions)


@dataclass(frozen=True, slots=True)
class Clearance:
    """Whether something may be sent now, and what is missing."""

    need: ApprovalNeed
    request: ApprovalRow | None  # the newest for exactly this content and audience

    @property
    def ok(self) -> bool:
        if self.need.approvers == 0:
            return True
        request = self.request
        return (
            request is not None
            and request.state == ApprovalState.APPROVED
            and request.approvals >= self.need.approvers  # rules may have become stricter since
        )

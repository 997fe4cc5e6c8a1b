"""Four eyes: rules say when, requests bind to the hashes of content and audience, decisions are other people's."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hongyan.accounts.approval_states import ApprovalInput, ApprovalState, RuleKind, after
from hongyan.accounts.errors import ApprovalRefused, NotFound
from hongyan.accounts.models import ApprovalDecision, ApprovalRequest, ApprovalRule
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor, ApprovalNeed, ApprovalRow, AudienceFacts, Clearance, DecisionRow
from hongyan.audit.services import record
from hongyan.core.clock import now

OPEN = (ApprovalState.PENDING, ApprovalState.APPROVED)


def approvals_needed(*, facts: AudienceFacts) -> ApprovalNeed:
    """The strictest of the matching rules."""
    rules = [rule for rule in ApprovalRule.objects.filter(enabled=True).order_by("id") if _matches(rule, facts)]
    return ApprovalNeed(max((rule.approvers for rule in rules), default=0), tuple(rule.pk for rule in rules))


def rule_tags() -> frozenset[str]:
    """The tags that rules ask about, so that a caller need not look for others in an audience."""
    rules = ApprovalRule.objects.filter(enabled=True, kind=RuleKind.AUDIENCE_TAG)
    return frozenset(rules.values_list("tag", flat=True))


def _matches(rule: ApprovalRule, facts: AudienceFacts) -> bool:
    match RuleKind(rule.kind):
        case RuleKind.ALWAYS:
            return True
        case RuleKind.AUDIENCE_SIZE:
            return rule.min_size is not None and facts.size >= rule.min_size
        case RuleKind.AUDIENCE_TAG:
            return rule.tag in facts.tags


def approval_request(
    *,
    actor: Actor,
    subject_kind: str,
    subject_id: str,
    content_hash: bytes,
    audience_hash: bytes,
    facts: AudienceFacts,
    author_ids: Iterable[int] = (),
    comment: str = "",
) -> ApprovalRow:
    """Ask for consent. An open request for the same subject becomes void: the newest question counts.

    author_ids: users who wrote what is asked about; they and the asker may not approve it.
    """
    actor.require(Permission.CAMPAIGN_EDIT)
    if actor.kind != "user" or actor.id is None:
        raise ApprovalRefused("not_a_person")
    with transaction.atomic():
        approval_void(actor=actor, subject_kind=subject_kind, subject_id=subject_id, reason="superseded")
        request = ApprovalRequest.objects.create(
            subject_kind=subject_kind,
            subject_id=subject_id,
            content_hash=content_hash,
            audience_hash=audience_hash,
            audience_size=facts.size,
            required=max(1, approvals_needed(facts=facts).approvers),
            requested_by_id=actor.id,
            author_ids=sorted({actor.id, *author_ids}),
            comment=comment.strip()[:2000],
            created_at=now(),
        )
        _audit(actor, "requested", request, required=request.required)
    return _row(request)


def approval_decide(
    *,
    actor: Actor,
    request_id: UUID,
    approve: bool,
    seen_content_hash: bytes,
    seen_audience_hash: bytes,
    comment: str = "",
) -> ApprovalRow:
    """Consent or refuse, bound to what the approver had before their eyes. Raises ApprovalRefused, NotFound."""
    actor.require(Permission.CAMPAIGN_APPROVE)
    if actor.kind != "user" or actor.id is None:
        raise ApprovalRefused("not_a_person")
    with transaction.atomic():
        request = _locked(request_id)
        _check_open_for(request, actor.id)
        if (bytes(request.content_hash), bytes(request.audience_hash)) != (seen_content_hash, seen_audience_hash):
            raise ApprovalRefused("changed")
        if not approve and not comment.strip():
            raise ApprovalRefused("comment_needed")
        ApprovalDecision.objects.create(
            request=request, by_id=actor.id, approved=approve, comment=comment.strip()[:2000], at=now()
        )
        _move(request, _decision_input(request, approve=approve))
        _audit(actor, "approved" if approve else "rejected", request)
    return _row(request)


def _check_open_for(request: ApprovalRequest, user_id: int) -> None:
    if request.state != ApprovalState.PENDING:
        raise ApprovalRefused("not_pending")
    if user_id in request.author_ids:
        raise ApprovalRefused("author")
    if request.decisions.filter(by_id=user_id).exists():
        raise ApprovalRefused("twice")


def _decision_input(request: ApprovalRequest, *, approve: bool) -> ApprovalInput:
    if not approve:
        return ApprovalInput.REJECT
    enough = request.decisions.filter(approved=True).count() >= request.required
    return ApprovalInput.APPROVE_LAST if enough else ApprovalInput.APPROVE


def approval_withdraw(*, actor: Actor, request_id: UUID) -> ApprovalRow:
    """Only who asked may take the question back, while it is open."""
    actor.require(Permission.CAMPAIGN_EDIT)
    with transaction.atomic():
        request = _locked(request_id)
        if request.requested_by_id is None or request.requested_by_id != actor.id or actor.kind != "user":
            raise ApprovalRefused("not_yours")
        if not _move(request, ApprovalInput.WITHDRAW):
            raise ApprovalRefused("not_pending")
        _audit(actor, "withdrawn", request)
    return _row(request)


def approval_void(*, actor: Actor, subject_kind: str, subject_id: str, reason: str) -> bool:
    """Content or audience changed: consent given to something else is no consent. Whether anything became void.

    No permission of its own: it follows from an edit that had one. reason: content_changed | audience_changed |
    superseded | deleted.
    """
    with transaction.atomic():
        request = (
            ApprovalRequest.objects.select_for_update()
            .filter(subject_kind=subject_kind, subject_id=subject_id, state__in=OPEN)
            .first()
        )
        if request is None or not _move(request, ApprovalInput.VOID, reason=reason):
            return False
        _audit(actor, "voided", request, reason=reason)
    return True


def pending_for(*, actor: Actor) -> list[ApprovalRow]:
    """What waits for this person's decision, oldest first."""
    actor.require(Permission.CAMPAIGN_APPROVE)
    rows = (
        ApprovalRequest.objects.filter(state=ApprovalState.PENDING)
        .exclude(author_ids__contains=[actor.id or 0])
        .exclude(decisions__by_id=actor.id or 0)
    )
    return _rows(rows.order_by("id")[:200])


def pending_count(*, actor: Actor) -> int:
    """For the badge in the navigation; 0 for who may not approve."""
    return len(pending_for(actor=actor)) if actor.may(Permission.CAMPAIGN_APPROVE) else 0


def approval_by_id(*, actor: Actor, request_id: UUID) -> ApprovalRow:
    """For approvers and for those who work on campaigns. Raises NotFound."""
    if not (actor.may(Permission.CAMPAIGN_APPROVE) or actor.may(Permission.CAMPAIGN_EDIT)):
        actor.require(Permission.CAMPAIGN_APPROVE)
    rows = _rows(ApprovalRequest.objects.filter(public_id=request_id))
    if not rows:
        raise NotFound
    return rows[0]


def approvals_of(*, subject_kind: str, subject_id: str) -> list[ApprovalRow]:
    """All requests about one thing, newest first."""
    return _rows(ApprovalRequest.objects.filter(subject_kind=subject_kind, subject_id=subject_id).order_by("-id"))


def approval_state(
    *, subject_kind: str, subject_id: str, content_hash: bytes, audience_hash: bytes
) -> ApprovalRow | None:
    """The newest request for exactly this content and audience; None: nobody asked about these."""
    rows = _rows(
        ApprovalRequest.objects.filter(
            subject_kind=subject_kind, subject_id=subject_id, content_hash=content_hash, audience_hash=audience_hash
        ).order_by("-id")[:1]
    )
    return rows[0] if rows else None


def clearance(
    *, subject_kind: str, subject_id: str, content_hash: bytes, audience_hash: bytes, facts: AudienceFacts
) -> Clearance:
    """May it be sent now? Ask in the transaction that starts the send."""
    request = approval_state(
        subject_kind=subject_kind, subject_id=subject_id, content_hash=content_hash, audience_hash=audience_hash
    )
    return Clearance(approvals_needed(facts=facts), request)


def _locked(request_id: UUID) -> ApprovalRequest:
    request = ApprovalRequest.objects.select_for_update().filter(public_id=request_id).first()
    if request is None:
        raise NotFound
    return request


def _move(request: ApprovalRequest, given: ApprovalInput, *, reason: str = "") -> bool:
    state = after(ApprovalState(request.state), given)
    if state is None:
        return False
    request.state, request.reason = state, reason
    request.closed_at = None if state == ApprovalState.PENDING else now()
    request.save(update_fields=["state", "reason", "closed_at"])
    return True


def _audit(actor: Actor, act: str, request: ApprovalRequest, **data: object) -> None:
    facts = {
        "request": str(request.public_id),
        "content": bytes(request.content_hash).hex(),
        "audience": bytes(request.audience_hash).hex(),
    }
    record(
        actor=actor,
        action=f"approval.{act}",
        subject_kind=request.subject_kind,
        subject_id=request.subject_id,
        data=facts | data,
    )


def _rows(requests: QuerySet[ApprovalRequest]) -> list[ApprovalRow]:
    """Three queries, however many requests."""
    return [_row(request) for request in requests.select_related("requested_by").prefetch_related("decisions__by")]


def _row(request: ApprovalRequest) -> ApprovalRow:
    return ApprovalRow(
        request.public_id,
        request.subject_kind,
        request.subject_id,
        bytes(request.content_hash),
        bytes(request.audience_hash),
        request.audience_size,
        request.required,
        request.requested_by.label if request.requested_by else "",
        request.requested_by_id,
        frozenset(request.author_ids),
        request.comment,
        ApprovalState(request.state),
        request.reason,
        request.created_at,
        tuple(
            DecisionRow(decision.by.label if decision.by else "", decision.approved, decision.comment, decision.at)
            for decision in sorted(request.decisions.all(), key=lambda decision: decision.pk)
        ),
    )

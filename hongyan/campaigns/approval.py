"""Four eyes: what a campaign asks of others, and what their consent binds.

The hashes cover everything approved: the mail as compiled (subject, text, links, fallbacks), who it comes from and the
topic; the audience, its exclusions and who is left out for empty fields. What was approved is pinned to the campaign
and is what goes out.
"""

from typing import Any
from uuid import UUID

from django.db import transaction

from hongyan.accounts import approvals
from hongyan.accounts.approval_states import ApprovalState
from hongyan.accounts.models import ApprovalRequest
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor, ApprovalRow, AudienceFacts, Clearance
from hongyan.campaigns.draft import Prepared, prepare_campaign
from hongyan.campaigns.errors import ApprovalMissing, PreflightBlocks
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.preflight import preflight
from hongyan.campaigns.states import Act, State, after
from hongyan.campaigns.transitions import locked, move
from hongyan.campaigns.types import Preflight

SUBJECT = "campaign"


def facts_of(campaign: Campaign, checked: Preflight) -> AudienceFacts:
    """Size and the tags rules ask about. Tags are looked up only when a rule asks."""
    from hongyan.campaigns.people import tags_present

    size = checked.counts.will_receive if checked.counts is not None else 0
    asked = approvals.rule_tags()
    return AudienceFacts(size, tags_present(campaign, asked) if asked else frozenset())


def clearance(campaign: Campaign, checked: Preflight) -> Clearance:
    """What rules ask, and the newest request for exactly this content and audience."""
    return approvals.clearance(
        subject_kind=SUBJECT,
        subject_id=str(campaign.public_id),
        content_hash=bytes.fromhex(checked.content_hash),
        audience_hash=bytes.fromhex(checked.audience_hash),
        facts=facts_of(campaign, checked),
    )


def needed(campaign: Campaign, checked: Preflight) -> bool:
    return not clearance(campaign, checked).ok


def holds(campaign: Campaign, checked: Preflight) -> bool:
    """Whether the pinned content and audience are still what would go out, and rules are satisfied."""
    if (campaign.content_hash, campaign.audience_hash) != (checked.content_hash, checked.audience_hash):
        return False
    return clearance(campaign, checked).ok


def pins(prepared: Prepared) -> dict[str, Any]:
    """The columns that bind a campaign to what was approved."""
    return {
        "content_version": prepared.version,
        "content_hash": prepared.content_hash,
        "audience_hash": prepared.audience_hash,
    }


def campaign_request_approval(*, actor: Actor, campaign_id: int, comment: str = "") -> ApprovalRow:
    """Ask others to look. Raises PreflightBlocks: nobody's time is asked for what cannot be sent anyway."""
    actor.require(Permission.CAMPAIGN_EDIT)
    campaign = Campaign.objects.get(pk=campaign_id)
    after(State(campaign.state), Act.REQUEST_APPROVAL)
    checked = preflight(campaign)
    if not checked.clear:
        raise PreflightBlocks(checked.blocks)
    facts = facts_of(campaign, checked)
    with transaction.atomic():
        campaign = locked(campaign_id)
        prepared = prepare_campaign(campaign)
        if (prepared.content_hash, prepared.audience_hash) != (checked.content_hash, checked.audience_hash):
            raise ApprovalMissing
        row = approvals.approval_request(
            actor=actor,
            subject_kind=SUBJECT,
            subject_id=str(campaign.public_id),
            content_hash=bytes.fromhex(checked.content_hash),
            audience_hash=bytes.fromhex(checked.audience_hash),
            facts=facts,
            author_ids=campaign.author_ids,
            comment=comment,
        )
        request = ApprovalRequest.objects.get(public_id=row.public_id)
        move(
            campaign,
            Act.REQUEST_APPROVAL,
            actor=actor,
            note=comment,
            data={"people": facts.size, "required": row.required},
            changes={**pins(prepared), "approval": request},
        )
    return row


def campaign_decide(
    *,
    actor: Actor,
    campaign_id: int,
    act: Act,
    seen_content_hash: str,
    seen_audience_hash: str,
    comment: str = "",
) -> Campaign:
    """Approve, ask for changes or reject what was seen. The last approval needed makes the campaign ready to send.

    act: APPROVE, REQUEST_CHANGES or REJECT. Raises ApprovalRefused (accounts), ActRefused, ApprovalMissing.
    """
    actor.require(Permission.CAMPAIGN_APPROVE)
    with transaction.atomic():
        campaign = locked(campaign_id)
        after(State(campaign.state), act)
        if campaign.approval is None:
            raise ApprovalMissing
        row = approvals.approval_decide(
            actor=actor,
            request_id=campaign.approval.public_id,
            approve=act is Act.APPROVE,
            seen_content_hash=_bytes(seen_content_hash),
            seen_audience_hash=_bytes(seen_audience_hash),
            comment=comment,
        )
        if act is Act.APPROVE and row.state != ApprovalState.APPROVED:
            return campaign  # one of several
        unpinned = {"approval": None, "content_version": None, "content_hash": "", "audience_hash": ""}
        return move(campaign, act, actor=actor, note=comment, changes={} if act is Act.APPROVE else unpinned)


def campaign_withdraw_request(*, actor: Actor, campaign_id: int) -> Campaign:
    """The author takes the question back to go on editing."""
    actor.require(Permission.CAMPAIGN_EDIT)
    with transaction.atomic():
        campaign = locked(campaign_id)
        after(State(campaign.state), Act.WITHDRAW)
        if campaign.approval is not None and campaign.approval.requested_by_id == actor.id:
            approvals.approval_withdraw(actor=actor, request_id=campaign.approval.public_id)
        else:
            void(actor=actor, campaign=campaign)
        changes = {"approval": None, "content_version": None, "content_hash": "", "audience_hash": ""}
        return move(campaign, Act.WITHDRAW, actor=actor, changes=changes)


def void(*, actor: Actor, campaign: Campaign) -> None:
    """Consent given to something else is no consent. Does nothing where nobody was asked."""
    approvals.approval_void(
        actor=actor, subject_kind=SUBJECT, subject_id=str(campaign.public_id), reason="content_changed"
    )


def current_request(*, actor: Actor, request_id: UUID) -> ApprovalRow:
    return approvals.approval_by_id(actor=actor, request_id=request_id)


def requests_of(campaign: Campaign) -> list[ApprovalRow]:
    """Every request about this campaign with its decisions, newest first."""
    return approvals.approvals_of(subject_kind=SUBJECT, subject_id=str(campaign.public_id))


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""

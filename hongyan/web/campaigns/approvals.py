"""What waits for a second pair of eyes: list left, item right, exactly as it would go out."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.approvals import pending_for
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import ApprovalRow
from hongyan.campaigns.approval import SUBJECT, campaign_decide, requests_of
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.preflight import newer_mail, preflight
from hongyan.campaigns.states import Act, State
from hongyan.campaigns.types import Timing
from hongyan.web.campaigns.common import actor_of, attempt, base_context, campaign_of, sentence
from hongyan.web.campaigns.editor import waterfall
from hongyan.web.campaigns.words import MAIL_TYPES, STAGES


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Opens the first one that waits."""
    waiting = _waiting(request)
    if waiting:
        return HttpResponseRedirect(reverse("campaigns:approval", args=[waiting[0][1].public_id]))
    return render(request, "campaigns/approvals.html", {"waiting": []})


@require_safe
def item(request: HttpRequest, public_id: UUID) -> HttpResponse:
    waiting = _waiting(request)
    campaign = campaign_of(request, public_id)
    if campaign.state != State.AWAITING_APPROVAL:
        return HttpResponseRedirect(reverse("campaigns:page", args=[campaign.public_id]))
    checked = preflight(campaign)
    row = requests_of(campaign)[0]
    context: dict[str, Any] = base_context(campaign) | {
        "waiting": [(entry, other, other.pk == campaign.pk) for entry, other in waiting],
        "row": row,
        "checked": checked,
        "waterfall": waterfall(campaign, checked.counts),
        "audience_sentence": sentence(campaign.audience),
        "exclusions_sentence": sentence(campaign.exclusions),
        "stage": STAGES[campaign.stage],  # type: ignore[index]
        "mail_type": MAIL_TYPES[campaign.mail_type],  # type: ignore[index]
        "timing_at": campaign.timing == Timing.AT,
        "own": actor_of(request).id in row.author_ids,
        "decided": any(entry.public_id == row.public_id for entry, _other in waiting) is False,
        "changed": (checked.content_hash, checked.audience_hash) != (row.content_hash.hex(), row.audience_hash.hex()),
        "newer_mail": newer_mail(campaign),
        "preview_url": reverse("campaigns:preview", args=[campaign.public_id]),
    }
    return render(request, "campaigns/approvals.html", context)


@require_POST
def decision(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    acts = {"approve": Act.APPROVE, "changes": Act.REQUEST_CHANGES, "reject": Act.REJECT}
    act = acts.get(request.POST.get("decision", ""))
    if act is None:
        messages.error(request, _("Choose what you decide."))
        return HttpResponseRedirect(reverse("campaigns:approval", args=[public_id]))
    words = {
        Act.APPROVE: _("Approved."),
        Act.REQUEST_CHANGES: _("Sent back with your comment."),
        Act.REJECT: _("Rejected."),
    }
    done = attempt(
        request,
        lambda: campaign_decide(
            actor=actor_of(request),
            campaign_id=campaign.pk,
            act=act,
            seen_content_hash=request.POST.get("content_hash", ""),
            seen_audience_hash=request.POST.get("audience_hash", ""),
            comment=request.POST.get("comment", ""),
        ),
        done=words[act],
    )
    if not done:
        return HttpResponseRedirect(reverse("campaigns:approval", args=[public_id]))
    return HttpResponseRedirect(reverse("campaigns:approvals"))


def _waiting(request: HttpRequest) -> list[tuple[ApprovalRow, Campaign]]:
    """Requests about campaigns this person may decide on, oldest first."""
    actor = actor_of(request)
    actor.require(Permission.CAMPAIGN_APPROVE)
    rows = [row for row in pending_for(actor=actor) if row.subject_kind == SUBJECT]
    found = Campaign.objects.in_bulk([row.subject_id for row in rows], field_name="public_id")
    by_id = {str(public_id): campaign for public_id, campaign in found.items()}
    return [(row, by_id[row.subject_id]) for row in rows if row.subject_id in by_id]

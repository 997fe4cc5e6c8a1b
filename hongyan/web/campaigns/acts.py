"""What people do to a campaign. Each answers with the page that shows the outcome."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hongyan.campaigns import sending
from hongyan.campaigns.approval import campaign_request_approval, campaign_withdraw_request
from hongyan.campaigns.services import campaign_duplicate, campaign_reopen, campaign_update, values_of
from hongyan.campaigns.types import EmptyChoice, FieldChoice
from hongyan.web.campaigns.common import actor_of, attempt, campaign_of, to


@require_POST
def choices(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What people without a value read, or whether they are left out."""
    campaign = campaign_of(request, public_id)
    values = values_of(campaign)
    chosen = dict(values.choices)
    for path in request.POST.getlist("field"):
        choice = request.POST.get(f"choice:{path}", "")
        text = request.POST.get(f"text:{path}", "").strip()
        if choice == EmptyChoice.EXCLUDE:
            chosen[path] = FieldChoice(EmptyChoice.EXCLUDE)
        elif choice == EmptyChoice.FALLBACK and text:
            chosen[path] = FieldChoice(EmptyChoice.FALLBACK, text[:200])
        elif not choice:
            chosen.pop(path, None)
    attempt(
        request,
        lambda: campaign_update(
            actor=actor_of(request), campaign_id=campaign.pk, values=replace(values, choices=chosen)
        ),
        done=_("Saved."),
    )
    return to("review", campaign)


@require_POST
def start(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    done = attempt(
        request,
        lambda: sending.campaign_start(
            actor=actor_of(request), campaign_id=campaign.pk, confirmed=_number(request.POST.get("confirmed", ""))
        ),
        done=_("Started. Recipients are being prepared."),
    )
    return to("page" if done else "review", campaign)


@require_POST
def schedule(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    at = _moment(request.POST.get("send_at", "")) or campaign.send_at or timezone.now()
    done = attempt(
        request,
        lambda: sending.campaign_schedule(
            actor=actor_of(request),
            campaign_id=campaign.pk,
            send_at=at,
            confirmed=_number(request.POST.get("confirmed", "")),
        ),
        done=_("Scheduled."),
    )
    return to("page" if done else "review", campaign)


@require_POST
def unschedule(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    attempt(
        request,
        lambda: sending.campaign_unschedule(actor=actor_of(request), campaign_id=campaign.pk),
        done=_("The schedule was taken back."),
    )
    return to("review", campaign)


@require_POST
def request_approval(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    comment = request.POST.get("comment", "")
    done = attempt(
        request,
        lambda: campaign_request_approval(actor=actor_of(request), campaign_id=campaign.pk, comment=comment),
        done=_("Sent to the approvers."),
    )
    return to("page" if done else "review", campaign)


@require_POST
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    attempt(
        request,
        lambda: campaign_withdraw_request(actor=actor_of(request), campaign_id=campaign.pk),
        done=_("The request was taken back; you can go on editing."),
    )
    return to("page", campaign)


@require_POST
def pause(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    attempt(
        request,
        lambda: sending.campaign_pause(actor=actor_of(request), campaign_id=campaign.pk),
        done=_("Paused. Nothing more leaves."),
    )
    return to("page", campaign)


@require_POST
def resume(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    attempt(
        request,
        lambda: sending.campaign_resume(actor=actor_of(request), campaign_id=campaign.pk),
        done=_("Sending goes on."),
    )
    return to("page", campaign)


@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    note = request.POST.get("note", "")[:500]
    attempt(
        request,
        lambda: sending.campaign_cancel(actor=actor_of(request), campaign_id=campaign.pk, note=note),
        done=_("Cancelled."),
    )
    return to("page", campaign)


@require_POST
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Open it for changes again."""
    campaign = campaign_of(request, public_id)
    attempt(request, lambda: campaign_reopen(actor=actor_of(request), campaign_id=campaign.pk))
    return to("page", campaign)


@require_POST
def duplicate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = campaign_of(request, public_id)
    copy = campaign_duplicate(actor=actor_of(request), campaign_id=campaign.pk)
    return to("about", copy)


def _number(text: str) -> int:
    """A number as people type it, with or without separators; -1 for anything else, which never matches."""
    plain = "".join(character for character in text if character not in ", ，\u2009\u00a0")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 12 else -1


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else timezone.make_aware(at)

"""Shared by the pages and files of this area."""

from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hongyan.accounts.types import Actor
from hongyan.analytics.types import Mark, Outcome
from hongyan.campaigns.errors import CampaignMissing
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.selectors import campaign_by_public_id
from hongyan.delivery.types import MessageState

S, R, M = MessageState, Outcome, Mark
STATES_OF: dict[Outcome, tuple[MessageState, ...]] = {
    R.ALL: (),
    R.SENT: (S.SENT,),
    R.WAITING: (S.QUEUED, S.DEFERRED, S.CLAIMED, S.DOTTED),
    R.BOUNCED: (S.BOUNCED,),
    R.REFUSED: (S.REFUSED,),
    R.FAILED: (S.FAILED,),
    R.UNCERTAIN: (S.UNCERTAIN,),
    R.CANCELLED: (S.CANCELLED,),
}
MARK_OF: dict[Outcome, Mark] = {
    R.OPENED: M.OPENED_PERSON,
    R.OPENED_UNKNOWN: M.OPENED_UNKNOWN,
    R.OPENED_MACHINE: M.OPENED_MACHINE,
    R.CLICKED: M.CLICKED_PERSON,
    R.CLICKED_MACHINE: M.CLICKED_MACHINE,
    R.UNSUBSCRIBED: M.UNSUBSCRIBED,
    R.COMPLAINED: M.COMPLAINED,
}
LABELS: dict[Outcome, Promise] = {
    R.ALL: _("Everybody"),
    R.SENT: pgettext_lazy("message", "Sent"),
    R.WAITING: _("Waiting"),
    R.OPENED: _("Opened"),
    R.OPENED_UNKNOWN: _("Opened, unknown by whom"),
    R.OPENED_MACHINE: _("Opened by a machine"),
    R.CLICKED: _("Clicked"),
    R.CLICKED_MACHINE: _("Clicked by a scanner"),
    R.UNSUBSCRIBED: _("Unsubscribed"),
    R.COMPLAINED: _("Complained"),
    R.BOUNCED: _("Bounced"),
    R.REFUSED: _("Not sent"),
    R.FAILED: _("Failed"),
    R.UNCERTAIN: _("Uncertain"),
    R.CANCELLED: _("Cancelled"),
}


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


def campaign_of(request: HttpRequest, public_id: UUID) -> Campaign:
    try:
        return campaign_by_public_id(actor=actor_of(request), public_id=public_id)
    except CampaignMissing:
        raise Http404 from None


def organisation_zone() -> ZoneInfo:
    """Days and hours of reports are the organisation's, so that everybody reads the same chart."""
    return ZoneInfo(settings.HONGYAN_TIME_ZONE)


def outcome_of(text: str) -> Outcome:
    try:
        return Outcome(text)
    except ValueError:
        return Outcome.ALL

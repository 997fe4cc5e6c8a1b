"""What every view of this area does first and last."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from hongyan.accounts.errors import ApprovalRefused
from hongyan.accounts.types import Actor
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree
from hongyan.audience.segments import explain
from hongyan.campaigns.errors import (
    ActRefused,
    ApprovalMissing,
    CampaignError,
    CampaignMissing,
    CountMismatch,
    EditConflict,
    NotComplete,
    PreflightBlocks,
)
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.selectors import campaign_by_public_id
from hongyan.campaigns.states import EDITABLE, State
from hongyan.delivery.errors import DeliveryProblem, LowDisk
from hongyan.web import figures
from hongyan.web.campaigns.words import PILLS, STATES


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


def campaign_of(request: HttpRequest, public_id: UUID) -> Campaign:
    try:
        return campaign_by_public_id(actor=actor_of(request), public_id=public_id)
    except CampaignMissing:
        raise Http404 from None


def to(name: str, campaign: Campaign) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(f"campaigns:{name}", args=[campaign.public_id]))


def base_context(campaign: Campaign) -> dict[str, Any]:
    """What the header of every page about one campaign shows."""
    state = State(campaign.state)
    return {
        "campaign": campaign,
        "state": state.value,
        "pill_state": PILLS.get(state, state.value),
        "pill_label": str(STATES[state]),
        "editable": state in EDITABLE,
    }


def sentence(tree: Any, catalogue: Catalogue | None = None) -> str:
    """The audience in words; empty when there is none, a plain note when it no longer holds together.

    catalogue: taken once by lists, which say many.
    """
    if tree is None:
        return ""
    try:
        language = "zh-hans" if (get_language() or "zh").startswith("zh") else "en"
        return explain(tree, language, catalogue=catalogue)
    except BadTree:
        return _("An audience that refers to something deleted")


def attempt(request: HttpRequest, act: Callable[[], object], *, done: str = "") -> bool:
    """Do it and say so; a refusal becomes words on the page. Anything unexpected stays unexpected."""
    try:
        act()
    except (CampaignError, ApprovalRefused, DeliveryProblem, BadTree) as refused:
        messages.error(request, refusal_text(refused))
        return False
    if done:
        messages.success(request, done)
    return True


def refusal_text(refused: Exception) -> str:  # a list of cases
    match refused:
        case PreflightBlocks():
            return _("Something still stops the send. It is marked in the list below.")
        case CountMismatch():
            return _("The audience changed: it would go to %(count)s people now. Please confirm again.") % {
                "count": figures.number(refused.expected)
            }
        case ApprovalMissing():
            return _("This needs an approval of exactly this content and audience first.")
        case ActRefused():
            state = STATES.get(State(refused.state), refused.state)
            return _("That is not possible any more: the campaign is “%(state)s” now.") % {"state": state}
        case EditConflict():
            return _("Somebody else changed this campaign meanwhile. Look at their version, then change it again.")
        case NotComplete():
            return " ".join(_complete_text(name, text) for name, text in refused.fields.items())
        case ApprovalRefused():
            return _approval_text(refused.code)
        case LowDisk():
            return _("Too little free disk: new sends are refused until an administrator frees some.")
        case _:
            return _("This cannot be done now.")


def _complete_text(name: str, text: str) -> str:
    known = {
        ("send_at", "past"): _("Choose a time to come."),
        ("send_at", "far"): _("At most a year ahead."),
    }
    return known.get((name, text), text)


def _approval_text(code: str) -> str:
    return {
        "author": _("Who wrote or requested it cannot approve it: somebody else has to look."),
        "twice": _("You have decided on this already."),
        "changed": _("Content or audience changed since this page was opened. Please look again."),
        "not_pending": _("This request is no longer open."),
        "comment_needed": _("Please say in a sentence what should change."),
        "not_a_person": _("Only people can ask for approval or give it."),
        "not_yours": _("Only who asked can take the request back."),
    }.get(code, code)


def hx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def no_content() -> HttpResponse:
    return HttpResponse(status=204)

"""Campaigns in the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _

from hongyan.accounts.types import Actor
from hongyan.campaigns.selectors import campaigns_named
from hongyan.campaigns.states import State
from hongyan.web.campaigns.words import STATES
from hongyan.web.search import SearchHit, provider


@provider("campaigns", order=30)
def campaigns(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    return [
        SearchHit(
            title=campaign.name,
            url=reverse("campaigns:page", args=[campaign.public_id]),
            kind=_("Campaigns"),
            icon="send",
            detail=str(STATES[State(campaign.state)]),
        )
        for campaign in campaigns_named(actor=actor, text=text, limit=limit)
    ]

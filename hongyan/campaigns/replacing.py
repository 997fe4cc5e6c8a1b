"""A stage or tier that goes is replaced in the audiences of campaigns still being drafted. Those further on are changed
by whoever takes them back, for an approval would fall with it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.services import campaign_update, values_of
from hongyan.campaigns.states import State


def replace_in_drafts(actor: Actor, new_tree: Callable[[Any], Any]) -> None:
    """Nothing for people who may not edit campaigns: what names it then keeps it in use."""
    if not actor.may(Permission.CAMPAIGN_EDIT):
        return
    for campaign in Campaign.objects.filter(state=State.DRAFT.value):
        audience, exclusions = new_tree(campaign.audience), new_tree(campaign.exclusions)
        if (audience, exclusions) != (campaign.audience, campaign.exclusions):
            values = replace(values_of(campaign), audience=audience, exclusions=exclusions)
            campaign_update(actor=actor, campaign_id=campaign.pk, values=values)

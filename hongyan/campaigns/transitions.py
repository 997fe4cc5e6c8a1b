"""The only place that moves a campaign's state: lock the row, ask the table, write the new state and its record."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.campaigns.errors import CampaignMissing
from hongyan.campaigns.models import Campaign, Transition
from hongyan.campaigns.states import Act, State, after
from hongyan.core import clock


def locked(campaign_id: int) -> Campaign:
    """The row, held until the transaction ends. Raises CampaignMissing."""
    campaign = Campaign.objects.select_for_update(of=("self",)).filter(pk=campaign_id).first()
    if campaign is None:
        raise CampaignMissing
    return campaign


def move(
    campaign: Campaign,
    act: Act,
    *,
    actor: Actor,
    note: str = "",
    data: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Campaign:
    """Take one step. The caller holds the row (``locked``) in a transaction; ``changes`` are written with the state.

    note: words of a person, or the code of a reason. Raises ActRefused.
    """
    assert transaction.get_connection().in_atomic_block, "a step needs the transaction that holds the row"  # noqa: S101
    before = State(campaign.state)
    reached = after(before, act)
    campaign.state = reached.value
    for name, value in (changes or {}).items():
        setattr(campaign, name, value)
    campaign.save()
    Transition.objects.create(
        campaign=campaign,
        act=act.value,
        from_state=before.value,
        to_state=reached.value,
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:200],
        note=note,
        data=dict(data or {}),
    )
    if act is not Act.EDIT:  # edits come with every autosave; the audit log holds decisions
        record(
            actor=actor,
            action=f"campaign.{act.value}",
            subject_kind="campaign",
            subject_id=str(campaign.public_id),
            data=dict(data or {}),
        )
    return campaign

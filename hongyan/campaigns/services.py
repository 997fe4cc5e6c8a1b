"""Acts on the draft: create, change, duplicate, discard. Sending has its own file, so has approval."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from hongyan.accounts.models import ApiKey
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.campaigns.errors import ActRefused, EditConflict, NotComplete
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.states import EDITABLE, Act, State
from hongyan.campaigns.transitions import locked, move
from hongyan.campaigns.types import CampaignValues, EmptyChoice, FieldChoice, Stage, Timing
from hongyan.content.types import MailType

# What goes out, to whom and from whom. A change of these voids an approval; of the others (how the campaign is filed,
# when it goes out) it does not.
MATERIAL = frozenset(
    {
        "name",  # stands in the links as utm_campaign
        "mail_type",
        "audience",
        "exclusions",
        "topic_id",
        "sender_id",
        "template_id",
        "subject",
        "preheader",
        "choices",
    }
)
MAX_SUBJECT = 500


def campaign_create(*, actor: Actor, values: CampaignValues, is_demo: bool = False) -> Campaign:
    """A draft. Raises NotComplete when it has no name."""
    actor.require(Permission.CAMPAIGN_EDIT)
    _check(values)
    with transaction.atomic():
        campaign = Campaign.objects.create(
            **_columns(values), is_demo=is_demo, created_by_id=_user_id(actor), author_ids=_with_author([], actor)
        )
        record(actor=actor, action="campaign.create", subject_kind="campaign", subject_id=str(campaign.public_id))
    return campaign


def campaign_update(*, actor: Actor, campaign_id: int, values: CampaignValues, revision: int | None = None) -> Campaign:
    """Save what people set; a change of what is sent, to whom or from whom takes the campaign back to a draft.

    revision: what the editor last saw; None overwrites. Raises EditConflict, ActRefused, NotComplete.
    """
    actor.require(Permission.CAMPAIGN_EDIT)
    _check(values)
    with transaction.atomic():
        campaign = locked(campaign_id)
        if State(campaign.state) not in EDITABLE:
            raise ActRefused(campaign.state, Act.EDIT.value)
        if revision is not None and revision != campaign.revision:
            raise EditConflict
        changed = {name: value for name, value in _columns(values).items() if getattr(campaign, name) != value}
        if not changed:
            return campaign
        changed |= {"revision": campaign.revision + 1, "author_ids": _with_author(campaign.author_ids, actor)}
        if campaign.state == State.SCHEDULED and "send_at" in changed and MATERIAL.isdisjoint(changed):
            raise ActRefused(
                campaign.state, Act.EDIT.value
            )  # the time of a scheduled one is moved by campaign_schedule
        if MATERIAL.isdisjoint(changed) and campaign.state != State.FAILED:
            for name, value in changed.items():
                setattr(campaign, name, value)
            campaign.save()
            return campaign
        return _edit(actor, campaign, changed)


def _edit(actor: Actor, campaign: Campaign, changed: Mapping[str, Any]) -> Campaign:
    from hongyan.campaigns.approval import void

    if campaign.state == State.DRAFT:  # autosave: no step worth a line in the log
        for name, value in changed.items():
            setattr(campaign, name, value)
        campaign.save()
        return campaign
    void(actor=actor, campaign=campaign)
    return move(
        campaign,
        Act.EDIT,
        actor=actor,
        data={"fields": sorted(set(changed) & MATERIAL)},
        changes={
            **changed,
            "approval": None,
            "content_version": None,
            "content_hash": "",
            "audience_hash": "",
            "failure": "",
        },
    )


def campaign_reopen(*, actor: Actor, campaign_id: int) -> Campaign:
    """Back to a draft to change something: the approval becomes void, the schedule is taken back."""
    actor.require(Permission.CAMPAIGN_EDIT)
    with transaction.atomic():
        campaign = locked(campaign_id)
        if campaign.state == State.DRAFT:
            return campaign
        return _edit(actor, campaign, {"revision": campaign.revision + 1})


def campaign_duplicate(*, actor: Actor, campaign_id: int) -> Campaign:
    """A draft with the same settings, without time and history."""
    actor.require(Permission.CAMPAIGN_EDIT)
    source = Campaign.objects.get(pk=campaign_id)
    values = values_of(source)
    name = _("%(name)s (copy)") % {"name": source.name[:140]}
    with transaction.atomic():
        copy = Campaign.objects.create(
            **{**_columns(values), "name": name, "timing": Timing.NOW.value, "send_at": None},
            created_by_id=_user_id(actor),
            author_ids=_with_author([], actor),
        )
        record(
            actor=actor,
            action="campaign.duplicate",
            subject_kind="campaign",
            subject_id=str(copy.public_id),
            data={"from": str(source.public_id)},
        )
    return copy


def values_of(campaign: Campaign) -> CampaignValues:
    return CampaignValues(
        name=campaign.name,
        stage=Stage(campaign.stage),
        mail_type=MailType(campaign.mail_type),
        goal=campaign.goal,
        audience=campaign.audience,
        exclusions=campaign.exclusions,
        topic_id=campaign.topic_id,
        sender_id=campaign.sender_id,
        template_id=campaign.template_id,
        subject=campaign.subject,
        preheader=campaign.preheader,
        choices={
            path: FieldChoice(EmptyChoice(choice["choice"]), choice.get("text", ""))
            for path, choice in campaign.choices.items()
        },
        timing=Timing(campaign.timing),
        send_at=campaign.send_at,
    )


def _user_id(actor: Actor) -> int | None:
    """The person behind the actor: whoever made an API key answers for it, and may not approve what it wrote."""
    if actor.kind == "api_key" and actor.id is not None:
        return ApiKey.objects.filter(pk=actor.id).values_list("created_by_id", flat=True).first()
    return actor.id if actor.kind == "user" else None


def _with_author(authors: Sequence[int], actor: Actor) -> list[int]:
    user_id = _user_id(actor)
    return sorted({*authors, user_id}) if user_id is not None else list(authors)


def _columns(values: CampaignValues) -> dict[str, Any]:
    columns = {
        name: getattr(values, name)
        for name in ("name", "goal", "audience", "exclusions", "topic_id", "sender_id", "template_id", "subject")
    }
    return columns | {
        "stage": values.stage.value,
        "mail_type": values.mail_type.value,
        "preheader": values.preheader,
        "choices": {path: asdict(choice) for path, choice in values.choices.items()},
        "timing": values.timing.value,
        "send_at": values.send_at if values.timing is Timing.AT else None,
    }


def _check(values: CampaignValues) -> None:
    wrong: dict[str, str] = {}
    if not values.name.strip():
        wrong["name"] = _("Give the campaign a name.")
    elif len(values.name) > 160:
        wrong["name"] = _("At most 160 characters.")
    if len(values.goal) > 500:
        wrong["goal"] = _("At most 500 characters.")
    if len(values.subject) > MAX_SUBJECT:
        wrong["subject"] = _("At most 500 characters.")
    if len(values.preheader) > MAX_SUBJECT:
        wrong["preheader"] = _("At most 500 characters.")
    for path, choice in values.choices.items():
        if choice.choice is EmptyChoice.FALLBACK and not choice.text.strip():
            wrong[f"choices.{path}"] = _("Write what people without this value should read.")
    if values.send_at is not None and values.send_at.tzinfo is None:
        wrong["send_at"] = _("The time needs a time zone.")
    if wrong:
        raise NotComplete(wrong)

"""Campaigns: draft, preflight, sending. Approval is asked for and given by people, in the pages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status

from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.paging import Listing, capped, read_cursor, write_cursor
from hongyan.api.problems import Part, Problem, pointer
from hongyan.campaigns import preflight, selectors, sending, services
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.types import CampaignValues, EmptyChoice, FieldChoice, Stage
from hongyan.contacts.models import Topic
from hongyan.content.models import Template
from hongyan.content.types import MailType
from hongyan.delivery.models import Sender

router = Router()


class Choice(Body):
    choice: EmptyChoice
    text: str = ""


class CampaignFields(Schema):
    name: str
    stage: Stage = Stage.CONVERSION
    mail_type: MailType = MailType.PROMOTION
    goal: str = ""
    audience: dict[str, Any] | None = None
    exclusions: dict[str, Any] | None = None
    topic: str | None = None
    sender: UUID | None = None
    template: UUID | None = None
    subject: str = ""
    preheader: str = ""
    choices: dict[str, Choice] = {}


class CampaignIn(CampaignFields, Body):
    """Everything may be set later; preflight says what is missing. topic: its key. sender, template: their ids."""


class CampaignOut(CampaignFields):
    id: UUID
    state: str
    revision: int
    matched: int | None
    recipients: int | None
    send_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class FindingOut(Schema):
    level: str
    code: str
    place: str
    title: str
    remedy: str
    count: int | None


class PreflightOut(Schema):
    clear: bool
    findings: list[FindingOut]
    matched: int | None
    outside: dict[str, int]
    will_receive: int | None
    content_hash: str
    audience_hash: str


class Confirmation(Body):
    """confirmed: the number of people you mean to reach; another number stops the send (409)."""

    confirmed: int
    send_at: datetime | None = None


class Words(Body):
    comment: str = ""


@router.get("", response=Listing[CampaignOut], summary="Campaigns, newest first")
def campaign_list(
    request: HttpRequest, text: str = "", cursor: str | None = None, limit: int = 50
) -> Listing[CampaignOut]:
    position = read_cursor(cursor)
    if position is not None and (not isinstance(position, list) or len(position) != 3 or position[0] != "campaigns"):
        raise Problem.bad_cursor()
    after = selectors.CampaignCursor(datetime.fromisoformat(position[1]), position[2]) if position else None
    page = selectors.campaign_page(
        actor=actor(request), filters=selectors.CampaignFilters(text=text), after=after, limit=capped(limit)
    )
    following = page.following
    return Listing[CampaignOut](
        items=[_out(row) for row in page.rows],
        next=write_cursor(["campaigns", following.created_at.isoformat(), following.id]) if following else None,
    )


@router.post("", response={201: CampaignOut}, summary="Make a draft")
def campaign_create(request: HttpRequest, data: CampaignIn) -> Status[CampaignOut]:
    return Status(201, _out(services.campaign_create(actor=actor(request), values=_values(data))))


@router.get("/{campaign_id}", response=CampaignOut, summary="One campaign")
def campaign_read(request: HttpRequest, campaign_id: UUID) -> CampaignOut:
    return _out(_campaign(request, campaign_id))


@router.put("/{campaign_id}", response=CampaignOut, summary="Change a draft; voids an approval")
def campaign_update(
    request: HttpRequest, campaign_id: UUID, data: CampaignIn, revision: int | None = None
) -> CampaignOut:
    campaign = _campaign(request, campaign_id)
    return _out(
        services.campaign_update(actor=actor(request), campaign_id=campaign.pk, values=_values(data), revision=revision)
    )


@router.get("/{campaign_id}/preflight", response=PreflightOut, summary="What stands in the way, and who would get it")
def campaign_preflight(request: HttpRequest, campaign_id: UUID) -> PreflightOut:
    checked = preflight.preflight(_campaign(request, campaign_id))
    counts = checked.counts
    return PreflightOut(
        clear=checked.clear,
        findings=[
            FindingOut(
                level=item.level,
                code=item.code,
                place=item.place,
                title=item.title,
                remedy=item.remedy,
                count=item.count,
            )
            for item in checked.findings
        ],
        matched=counts.matched if counts else None,
        outside={str(why): number for why, number in counts.outside.items()} if counts else {},
        will_receive=counts.will_receive if counts else None,
        content_hash=checked.content_hash,
        audience_hash=checked.audience_hash,
    )


@router.post("/{campaign_id}/start", response=CampaignOut, summary="Send now, or at send_at")
def campaign_start(request: HttpRequest, campaign_id: UUID, data: Confirmation) -> CampaignOut:
    who, campaign = actor(request), _campaign(request, campaign_id)
    if data.send_at is None:
        sending.campaign_start(actor=who, campaign_id=campaign.pk, confirmed=data.confirmed)
    else:
        sending.campaign_schedule(actor=who, campaign_id=campaign.pk, send_at=data.send_at, confirmed=data.confirmed)
    return _out(_campaign(request, campaign_id))


@router.post("/{campaign_id}/pause", response=CampaignOut, summary="Hold what has not left")
def campaign_pause(request: HttpRequest, campaign_id: UUID, data: Words) -> CampaignOut:
    campaign = _campaign(request, campaign_id)
    sending.campaign_pause(actor=actor(request), campaign_id=campaign.pk, note=data.comment)
    return _out(_campaign(request, campaign_id))


@router.post("/{campaign_id}/resume", response=CampaignOut, summary="Go on")
def campaign_resume(request: HttpRequest, campaign_id: UUID) -> CampaignOut:
    campaign = _campaign(request, campaign_id)
    sending.campaign_resume(actor=actor(request), campaign_id=campaign.pk)
    return _out(_campaign(request, campaign_id))


@router.post("/{campaign_id}/cancel", response=CampaignOut, summary="Never send what has not left")
def campaign_cancel(request: HttpRequest, campaign_id: UUID, data: Words) -> CampaignOut:
    campaign = _campaign(request, campaign_id)
    sending.campaign_cancel(actor=actor(request), campaign_id=campaign.pk, note=data.comment)
    return _out(_campaign(request, campaign_id))


def _campaign(request: HttpRequest, public_id: UUID) -> Campaign:
    return selectors.campaign_by_public_id(actor=actor(request), public_id=public_id)


def _values(data: CampaignIn) -> CampaignValues:
    return CampaignValues(
        name=data.name,
        stage=data.stage,
        mail_type=data.mail_type,
        goal=data.goal,
        audience=data.audience,
        exclusions=data.exclusions,
        topic_id=_id_of("topic", Topic.objects, data.topic, by="key"),
        sender_id=_id_of("sender", Sender.objects, data.sender),
        template_id=_id_of("template", Template.objects, data.template),
        subject=data.subject,
        preheader=data.preheader,
        choices={path: FieldChoice(item.choice, item.text) for path, item in data.choices.items()},
    )


def _id_of(field: str, rows: Any, asked: object, *, by: str = "public_id") -> int | None:
    if asked is None:
        return None
    row_id: int | None = rows.filter(**{by: asked}).values_list("pk", flat=True).first()
    if row_id is None:
        title = _("There is no such thing.")
        raise Problem(422, "values", title, [Part(pointer=pointer(field), code="unknown", message=title)])
    return row_id


def _out(campaign: Campaign) -> CampaignOut:
    return CampaignOut(
        id=campaign.public_id,
        name=campaign.name,
        stage=Stage(campaign.stage),
        mail_type=MailType(campaign.mail_type),
        goal=campaign.goal,
        audience=campaign.audience,
        exclusions=campaign.exclusions,
        topic=campaign.topic.key if campaign.topic else None,
        sender=campaign.sender.public_id if campaign.sender else None,
        template=campaign.template.public_id if campaign.template else None,
        subject=campaign.subject,
        preheader=campaign.preheader,
        choices={path: Choice(**item) for path, item in campaign.choices.items()},
        state=campaign.state,
        revision=campaign.revision,
        matched=campaign.matched,
        recipients=campaign.recipients,
        send_at=campaign.send_at,
        started_at=campaign.started_at,
        finished_at=campaign.finished_at,
    )

"""Consent of one contact: what holds, the ledger, a new act."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status

from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.problems import Part, Problem, pointer
from hongyan.contacts.consent import consent_record, history_of, states_of
from hongyan.contacts.models import Topic
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.types import Channel, ConsentAction, Evidence

router = Router()


class Standing(Schema):
    """topic: null for the channel as a whole."""

    channel: str
    topic: str | None
    state: str
    since: datetime


class Line(Schema):
    channel: str
    topic: str | None
    action: str
    method: str
    legal_basis: str
    wording: str
    wording_version: str
    occurred_at: datetime
    recorded_by: str


class ConsentOut(Schema):
    states: list[Standing]
    ledger: list[Line]


class NewConsent(Body):
    """What the person did, and the proof of it. given needs the wording they agreed to."""

    channel: Channel = Channel.EMAIL
    topic: str | None = None
    action: ConsentAction
    wording: str = ""
    wording_version: str = ""
    source_url: str = ""
    legal_basis: str = "consent"
    occurred_at: datetime | None = None


@router.get("/{contact_id}/consent", response=ConsentOut, summary="What holds, and how it came about")
def consent_read(request: HttpRequest, contact_id: UUID) -> ConsentOut:
    who = actor(request)
    contact, _identity = contact_by_public_id(actor=who, public_id=contact_id, audit=False)
    states = states_of(actor=who, contact_id=contact.pk)
    return ConsentOut(
        states=[
            Standing(channel=channel, topic=topic, state=state, since=since)
            for (channel, topic), (state, since) in states.items()
        ],
        ledger=[
            Line(
                channel=line.channel,
                topic=line.topic_key or None,
                action=line.action,
                method=line.method,
                legal_basis=line.legal_basis,
                wording=line.wording,
                wording_version=line.wording_version,
                occurred_at=line.occurred_at,
                recorded_by=line.recorded_by,
            )
            for line in history_of(actor=who, contact_id=contact.pk)
        ],
    )


@router.post("/{contact_id}/consent", response={201: ConsentOut}, summary="Record an act of the person")
def consent_write(request: HttpRequest, contact_id: UUID, data: NewConsent) -> Status[ConsentOut]:
    who = actor(request)
    contact, _identity = contact_by_public_id(actor=who, public_id=contact_id, audit=False)
    if data.topic is not None and not Topic.objects.filter(key=data.topic).exists():
        raise _bad("topic", "unknown")
    if data.action is ConsentAction.GIVEN and not data.wording.strip():
        raise _bad("wording", "missing")
    consent_record(
        actor=who,
        contact_id=contact.pk,
        channel=data.channel,
        topic_key=data.topic,
        action=data.action,
        evidence=Evidence(
            method="api",
            legal_basis=data.legal_basis,
            wording=data.wording,
            wording_version=data.wording_version,
            source_url=data.source_url,
            occurred_at=data.occurred_at,
        ),
    )
    return Status(201, consent_read(request, contact_id))


def _bad(field: str, code: str) -> Problem:
    from django.utils.translation import gettext as _

    title = _("Some values cannot be used.")
    return Problem(422, "values", title, [Part(pointer=pointer(field), code=code, message=title)])

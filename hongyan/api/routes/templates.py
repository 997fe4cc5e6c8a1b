"""Templates: list, read, make, save a new version."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.content import selectors, services
from hongyan.content.models import Template
from hongyan.content.types import MailDraft, MailType, SourceKind, TemplateContent

router = Router()


class TemplateLine(Schema):
    id: UUID
    name: str
    kind: str
    mail_type: str
    language: str
    subject: str
    version: int
    updated_at: datetime


class TemplateOut(TemplateLine):
    preheader: str
    source: str
    text_source: str
    fallbacks: dict[str, str]


class NewTemplate(Body):
    name: str
    kind: SourceKind
    mail_type: MailType
    language: str = "zh-hans"
    subject: str = ""
    preheader: str = ""
    source: str = ""
    text_source: str = ""
    fallbacks: dict[str, str] = {}


class TemplateText(Body):
    """base: the version you read; saving over a newer one is refused (409)."""

    base: int
    subject: str
    preheader: str = ""
    source: str
    text_source: str = ""
    fallbacks: dict[str, str] = {}
    note: str = ""


@router.get("", response=list[TemplateLine], summary="Templates, newest first")
def template_list(request: HttpRequest, text: str = "", mail_type: str = "", language: str = "") -> list[TemplateLine]:
    actor(request).require(Permission.CONTACT_VIEW)
    filters = selectors.TemplateFilters(text=text, mail_type=mail_type, language=language)
    return [
        TemplateLine(
            id=row.public_id,
            name=row.name,
            kind=row.kind,
            mail_type=row.mail_type,
            language=row.language,
            subject=row.subject,
            version=row.version,
            updated_at=row.updated_at,
        )
        for row in selectors.template_rows(filters)
    ]


@router.post("", response={201: TemplateOut}, summary="Make a template; refused with places when it cannot be a mail")
def template_create(request: HttpRequest, data: NewTemplate) -> Status[TemplateOut]:
    who = actor(request)
    who.require(Permission.CONTENT_EDIT)
    services.content_compile(
        MailDraft(
            subject=data.subject,
            kind=data.kind,
            source=data.source,
            preheader=data.preheader,
            text_source=data.text_source,
            language=data.language,
            mail_type=data.mail_type,
            fallbacks=data.fallbacks,
        )
    )
    made = services.template_create(
        actor=who,
        name=data.name,
        kind=data.kind,
        mail_type=data.mail_type,
        language=data.language,
        content=TemplateContent(data.subject, data.preheader, data.source, data.text_source, data.fallbacks),
    )
    return Status(201, _out(made))


@router.get("/{template_id}", response=TemplateOut, summary="One template as it reads now")
def template_read(request: HttpRequest, template_id: UUID) -> TemplateOut:
    actor(request).require(Permission.CONTACT_VIEW)
    return _out(selectors.template_by_id(template_id))


@router.put("/{template_id}", response=TemplateOut, summary="Save a new version")
def template_save(request: HttpRequest, template_id: UUID, data: TemplateText) -> TemplateOut:
    services.template_save(
        actor=actor(request),
        template_id=template_id,
        base=data.base,
        content=TemplateContent(data.subject, data.preheader, data.source, data.text_source, data.fallbacks),
        note=data.note,
    )
    return _out(selectors.template_by_id(template_id))


def _out(template: Template) -> TemplateOut:
    version = selectors.template_version(template)
    return TemplateOut(
        id=template.public_id,
        name=template.name,
        kind=template.kind,
        mail_type=template.mail_type,
        language=template.language,
        subject=version.subject,
        version=template.version,
        updated_at=template.updated_at,
        preheader=version.preheader,
        source=version.source,
        text_source=version.text_source,
        fallbacks=version.fallbacks,
    )

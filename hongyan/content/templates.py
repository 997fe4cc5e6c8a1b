"""Acts on templates: write, save, restore, copy, archive."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.content.errors import EditConflict, NotFound
from hongyan.content.models import Template, TemplateVersion
from hongyan.content.types import MailType, SourceKind, TemplateContent
from hongyan.core import clock

# Autosaves of one person within this time are one entry of the history: an entry a keystroke would bury the real ones.
SAME_SITTING = timedelta(minutes=10)


@transaction.atomic
def template_create(
    *,
    actor: Actor,
    name: str,
    kind: SourceKind,
    mail_type: MailType,
    language: str = "zh-hans",
    content: TemplateContent | None = None,
    ready_key: str = "",
) -> Template:
    actor.require(Permission.CONTENT_EDIT)
    template = Template.objects.create(
        name=name.strip()[:160], kind=kind, mail_type=mail_type, language=language, ready_key=ready_key
    )
    _add_version(template, 1, content or TemplateContent(), actor, note="")
    record(actor=actor, action="template.created", subject_kind="template", subject_id=str(template.public_id))
    return template


@transaction.atomic
def template_save(
    *, actor: Actor, template_id: UUID, base: int, content: TemplateContent, note: str = ""
) -> TemplateVersion:
    """base: number of the version the editor was opened with. Raises EditConflict when somebody saved since.

    Nothing is written when nothing changed. A note closes the sitting, so that what it describes stays as it is.
    """
    actor.require(Permission.CONTENT_EDIT)
    template = _locked(template_id)
    newest = template.versions.get(number=template.version)
    if base != template.version:
        raise EditConflict(template.version)
    if _same(newest, content) and not note:
        return newest
    if _continues(newest, actor):
        return _amend(template, newest, content, note)
    return _add_version(template, template.version + 1, content, actor, note=note)


@transaction.atomic
def template_restore(*, actor: Actor, template_id: UUID, number: int, note: str) -> TemplateVersion:
    """Makes an old version the newest, as a new entry: nothing in between is lost."""
    actor.require(Permission.CONTENT_EDIT)
    template = _locked(template_id)
    old = template.versions.filter(number=number).first()
    if old is None:
        raise NotFound
    record(actor=actor, action="template.restored", subject_kind="template", subject_id=str(template.public_id))
    return _add_version(template, template.version + 1, content_of(old), actor, note=note)


@transaction.atomic
def template_version_name(*, actor: Actor, template_id: UUID, number: int, note: str) -> TemplateVersion:
    """Give a version a name people will look for ("before the sale"); empty takes it away. A named one stays as it is:
    later edits make a new version. Raises NotFound."""
    actor.require(Permission.CONTENT_EDIT)
    template = _locked(template_id)
    version = template.versions.filter(number=number).first()
    if version is None:
        raise NotFound
    version.note = note.strip()[:200]
    version.save(update_fields=["note"])
    return version


@transaction.atomic
def template_update(
    *,
    actor: Actor,
    template_id: UUID,
    name: str | None = None,
    mail_type: MailType | None = None,
    language: str | None = None,
) -> Template:
    actor.require(Permission.CONTENT_EDIT)
    template = _locked(template_id)
    if name is not None and name.strip():
        template.name = name.strip()[:160]
    template.mail_type = mail_type or template.mail_type
    template.language = language or template.language
    template.save()
    return template


@transaction.atomic
def template_copy(*, actor: Actor, template_id: UUID, name: str) -> Template:
    actor.require(Permission.CONTENT_EDIT)
    template = _locked(template_id)
    return template_create(
        actor=actor,
        name=name,
        kind=SourceKind(template.kind),
        mail_type=MailType(template.mail_type),
        language=template.language,
        content=content_of(template.versions.get(number=template.version)),
        ready_key=template.ready_key,
    )


@transaction.atomic
def template_archive(*, actor: Actor, template_id: UUID) -> None:
    """Out of the lists; campaigns and versions that rest on it stay."""
    actor.require(Permission.CONTENT_EDIT)
    template = _locked(template_id)
    if template.archived_at is None:
        template.archived_at = clock.now()
        template.save(update_fields=["archived_at"])
        record(actor=actor, action="template.archived", subject_kind="template", subject_id=str(template.public_id))


@transaction.atomic
def template_unarchive(*, actor: Actor, template_id: UUID) -> None:
    actor.require(Permission.CONTENT_EDIT)
    template = _locked(template_id)
    if template.archived_at is not None:
        template.archived_at = None
        template.save(update_fields=["archived_at"])
        record(actor=actor, action="template.unarchived", subject_kind="template", subject_id=str(template.public_id))


def content_of(version: TemplateVersion) -> TemplateContent:
    return TemplateContent(
        subject=version.subject,
        preheader=version.preheader,
        source=version.source,
        text_source=version.text_source,
        fallbacks=dict(version.fallbacks),
    )


def _locked(template_id: UUID) -> Template:
    template = Template.objects.select_for_update().filter(public_id=template_id).first()
    if template is None:
        raise NotFound
    return template


def _same(version: TemplateVersion, content: TemplateContent) -> bool:
    return content_of(version) == content


def _continues(version: TemplateVersion, actor: Actor) -> bool:
    recent = clock.now() - version.started_at < SAME_SITTING
    return recent and not version.note and actor.kind == "user" and version.saved_by_id == actor.id


def _amend(template: Template, version: TemplateVersion, content: TemplateContent, note: str) -> TemplateVersion:
    _fill(version, content, note)
    version.saved_at = clock.now()
    version.save()
    template.save(update_fields=["updated_at"])
    return version


def _add_version(
    template: Template, number: int, content: TemplateContent, actor: Actor, *, note: str
) -> TemplateVersion:
    now = clock.now()
    version = TemplateVersion(
        template=template,
        number=number,
        saved_by_id=actor.id if actor.kind == "user" else None,
        started_at=now,
        saved_at=now,
    )
    _fill(version, content, note)
    version.save()
    template.version = number
    template.save(update_fields=["version", "updated_at"])
    return version


def _fill(version: TemplateVersion, content: TemplateContent, note: str) -> None:
    # PostgreSQL cannot store NUL; the strict checks name it, but a draft must be savable all the same.
    version.subject = content.subject.replace("\x00", "")
    version.preheader = content.preheader.replace("\x00", "")
    version.source = content.source.replace("\x00", "")
    version.text_source = content.text_source.replace("\x00", "")
    version.fallbacks = {str(key): str(value) for key, value in content.fallbacks.items() if str(value).strip()}
    version.note = note.strip()[:200]

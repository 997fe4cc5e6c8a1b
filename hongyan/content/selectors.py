"""Reads of templates and snippets. They hold no personal data; pages ask for permission to see mails at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from hongyan.content.errors import NotFound
from hongyan.content.models import Snippet, SnippetVersion, Template, TemplateVersion
from hongyan.content.snippets import included
from hongyan.content.types import MailDraft, MailType, SourceKind


@dataclass(frozen=True, slots=True)
class TemplateFilters:
    text: str = ""
    kind: str = ""
    mail_type: str = ""
    language: str = ""
    archived: bool = False


@dataclass(frozen=True, slots=True)
class TemplateRow:
    id: int
    public_id: UUID
    name: str
    kind: str
    mail_type: str
    language: str
    subject: str
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class SnippetUser:
    """A template or snippet that includes a snippet."""

    kind: str  # template | snippet
    public_id: UUID
    name: str


ORDERS = {"name": "name", "-name": "-name", "updated": "updated_at", "-updated": "-updated_at"}


def template_rows(filters: TemplateFilters, *, order: str = "-updated", limit: int = 200) -> list[TemplateRow]:
    found = _newest().filter(template__archived_at__isnull=not filters.archived)
    if filters.text:
        found = found.filter(Q(template__name__icontains=filters.text) | Q(subject__icontains=filters.text))
    if filters.kind:
        found = found.filter(template__kind=filters.kind)
    if filters.mail_type:
        found = found.filter(template__mail_type=filters.mail_type)
    if filters.language:
        found = found.filter(template__language=filters.language)
    column = ORDERS.get(order, "-updated_at")
    sign, name = ("-", column[1:]) if column.startswith("-") else ("", column)
    return [
        TemplateRow(
            id=version.template.pk,
            public_id=version.template.public_id,
            name=version.template.name,
            kind=version.template.kind,
            mail_type=version.template.mail_type,
            language=version.template.language,
            subject=version.subject,
            updated_at=version.template.updated_at,
            version=version.template.version,
        )
        for version in found.defer("source", "text_source").order_by(f"{sign}template__{name}", "template_id")[:limit]
    ]


def template_by_id(template_id: UUID) -> Template:
    template = Template.objects.filter(public_id=template_id).first()
    if template is None:
        raise NotFound
    return template


def template_version(template: Template, number: int | None = None) -> TemplateVersion:
    version = template.versions.filter(number=number or template.version).first()
    if version is None:
        raise NotFound
    return version


def template_history(template: Template) -> list[TemplateVersion]:
    return list(template.versions.select_related("saved_by").order_by("-number")[:200])


def template_draft(
    template: Template,
    *,
    subject: str = "",
    preheader: str = "",
    fallbacks: Mapping[str, str] | None = None,
    utm_campaign: str = "",
) -> MailDraft:
    """The newest version as a draft. What is given replaces the template's own; fallbacks are added to its own."""
    version = template_version(template)
    return MailDraft(
        subject=subject or version.subject,
        preheader=preheader or version.preheader,
        kind=SourceKind(template.kind),
        source=version.source,
        text_source=version.text_source,
        language=template.language,
        mail_type=MailType(template.mail_type),
        fallbacks={**version.fallbacks, **(fallbacks or {})},
        utm_campaign=utm_campaign,
    )


def snippet_sources() -> dict[str, str]:
    """All snippets by key, as they read now."""
    versions = SnippetVersion.objects.filter(number=F("snippet__version"))
    return dict(versions.values_list("snippet__key", "source"))


def snippet_by_id(snippet_id: UUID) -> Snippet:
    snippet = Snippet.objects.filter(public_id=snippet_id).first()
    if snippet is None:
        raise NotFound
    return snippet


def snippet_version(snippet: Snippet, number: int | None = None) -> SnippetVersion:
    version = snippet.versions.filter(number=number or snippet.version).first()
    if version is None:
        raise NotFound
    return version


def snippet_history(snippet: Snippet) -> list[SnippetVersion]:
    return list(snippet.versions.select_related("saved_by").order_by("-number")[:200])


def snippet_users(key: str) -> list[SnippetUser]:
    """Who includes it directly. The text search only narrows; the tags decide."""
    marker = f"snippet:{key}"
    users = [
        SnippetUser("template", version.template.public_id, version.template.name)
        for version in _newest().filter(Q(source__contains=marker) | Q(text_source__contains=marker))
        if key in included(version.source) | included(version.text_source)
    ]
    inner = SnippetVersion.objects.filter(number=F("snippet__version"), source__contains=marker)
    users += [
        SnippetUser("snippet", version.snippet.public_id, version.snippet.name)
        for version in inner.select_related("snippet").exclude(snippet__key=key)
        if key in included(version.source)
    ]
    return users


def _newest() -> QuerySet[TemplateVersion]:
    return TemplateVersion.objects.filter(number=F("template__version")).select_related("template")


@dataclass(frozen=True, slots=True)
class SnippetRow:
    public_id: UUID
    key: str
    name: str
    kind: str
    updated_at: datetime


def snippet_rows(text: str = "") -> list[SnippetRow]:
    found = Snippet.objects.order_by("name", "id")
    if text:
        found = found.filter(Q(name__icontains=text) | Q(key__icontains=text))
    return [SnippetRow(row.public_id, row.key, row.name, row.kind, row.updated_at) for row in found[:500]]

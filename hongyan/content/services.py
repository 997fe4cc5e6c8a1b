"""Making what goes out."""

from dataclasses import asdict

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.content.build import Compiled, build, fingerprint
from hongyan.content.catalogue import catalogue
from hongyan.content.library import snippet_create, snippet_delete, snippet_restore, snippet_save
from hongyan.content.models import ContentVersion
from hongyan.content.selectors import snippet_sources
from hongyan.content.templates import (
    template_archive,
    template_copy,
    template_create,
    template_restore,
    template_save,
    template_unarchive,
    template_update,
    template_version_name,
)
from hongyan.content.types import MailDraft

__all__ = [
    "content_compile",
    "content_version_create",
    "snippet_create",
    "snippet_delete",
    "snippet_restore",
    "snippet_save",
    "template_archive",
    "template_copy",
    "template_create",
    "template_restore",
    "template_save",
    "template_unarchive",
    "template_update",
    "template_version_name",
]


def content_version_create(*, actor: Actor, draft: MailDraft) -> ContentVersion:
    """The draft, checked strictly and compiled for good. Equal drafts give the same row. Raises ContentProblem."""
    actor.require(Permission.CONTENT_EDIT)
    version = content_compile(draft)
    existing = ContentVersion.objects.filter(sha256=version.sha256).first()
    if existing is not None:
        return existing
    version.created_by_id = actor.id if actor.kind == "user" else None
    # Two people at the same moment: the second finds the first one's row.
    ContentVersion.objects.bulk_create([version], ignore_conflicts=True)
    return ContentVersion.objects.get(sha256=version.sha256)


def content_compile(draft: MailDraft) -> ContentVersion:
    """As ``content_version_create``, without keeping it: for previews, which everybody who sees mails may have."""
    compiled = build(draft, catalogue=catalogue(), snippets=snippet_sources())
    return _version(draft, compiled)


def _version(draft: MailDraft, compiled: Compiled) -> ContentVersion:
    return ContentVersion(
        sha256=fingerprint(draft, compiled),
        kind=draft.kind,
        language=draft.language,
        mail_type=draft.mail_type,
        subject=draft.subject,
        preheader=draft.preheader,
        source=draft.source,
        text_source=draft.text_source,
        fallbacks=dict(draft.fallbacks),
        utm_campaign=draft.utm_campaign,
        compiled_subject=compiled.subject,
        compiled_html=compiled.html,
        compiled_text=compiled.text,
        variables=list(compiled.variables),
        required=list(compiled.required),
        replaced=dict(compiled.replaced),
        links=[asdict(link) for link in compiled.links],
    )

"""Acts on snippets: pieces of mail written once and included by key."""

import re
from uuid import UUID

from django.db import IntegrityError, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.content.errors import EditConflict, NameTaken, NotFound, SnippetInUse
from hongyan.content.models import Snippet, SnippetVersion
from hongyan.content.selectors import snippet_users
from hongyan.content.types import SourceKind
from hongyan.core import clock

KEY = re.compile(r"[a-z][a-z0-9-]{0,63}")


@transaction.atomic
def snippet_create(*, actor: Actor, key: str, name: str, kind: SourceKind, source: str) -> Snippet:
    """Raises NameTaken when the key is used, ValueError when it is not lower-case letters, digits and hyphens."""
    actor.require(Permission.CONTENT_EDIT)
    if not KEY.fullmatch(key):
        raise ValueError(key)
    try:
        with transaction.atomic():
            snippet = Snippet.objects.create(key=key, name=name.strip()[:160] or key, kind=kind)
    except IntegrityError as error:
        raise NameTaken from error
    _add_version(snippet, 1, source, actor, note="")
    record(actor=actor, action="snippet.created", subject_kind="snippet", subject_id=str(snippet.public_id))
    return snippet


@transaction.atomic
def snippet_save(
    *, actor: Actor, snippet_id: UUID, base: int, source: str, name: str | None = None, note: str = ""
) -> SnippetVersion:
    """Mails built from now on say the new text; those already built are unchangeable."""
    actor.require(Permission.CONTENT_EDIT)
    snippet = _locked(snippet_id)
    if base != snippet.version:
        raise EditConflict(snippet.version)
    if name is not None and name.strip():
        snippet.name = name.strip()[:160]
        snippet.save(update_fields=["name"])
    newest = snippet.versions.get(number=snippet.version)
    if newest.source == source:
        return newest
    record(actor=actor, action="snippet.changed", subject_kind="snippet", subject_id=str(snippet.public_id))
    return _add_version(snippet, snippet.version + 1, source, actor, note=note)


@transaction.atomic
def snippet_restore(*, actor: Actor, snippet_id: UUID, number: int, note: str) -> SnippetVersion:
    actor.require(Permission.CONTENT_EDIT)
    snippet = _locked(snippet_id)
    old = snippet.versions.filter(number=number).first()
    if old is None:
        raise NotFound
    return _add_version(snippet, snippet.version + 1, old.source, actor, note=note)


@transaction.atomic
def snippet_delete(*, actor: Actor, snippet_id: UUID) -> None:
    """Raises SnippetInUse while a template or another snippet includes it."""
    actor.require(Permission.CONTENT_EDIT)
    snippet = _locked(snippet_id)
    if users := snippet_users(snippet.key):
        raise SnippetInUse([user.name for user in users])
    record(actor=actor, action="snippet.deleted", subject_kind="snippet", subject_id=str(snippet.public_id))
    snippet.delete()


def _locked(snippet_id: UUID) -> Snippet:
    snippet = Snippet.objects.select_for_update().filter(public_id=snippet_id).first()
    if snippet is None:
        raise NotFound
    return snippet


def _add_version(snippet: Snippet, number: int, source: str, actor: Actor, *, note: str) -> SnippetVersion:
    version = SnippetVersion.objects.create(
        snippet=snippet,
        number=number,
        source=source.replace("\x00", ""),
        note=note.strip()[:200],
        saved_by_id=actor.id if actor.kind == "user" else None,
        saved_at=clock.now(),
    )
    snippet.version = number
    snippet.save(update_fields=["version", "updated_at"])
    return version

"""Notes of staff about a person: sealed, signed with who and when, changed only by whoever wrote them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import normalise
from hongyan.contacts.errors import ContactNotFound, NormaliseProblem, NoteRefused
from hongyan.contacts.masking import STARS
from hongyan.contacts.models import Contact, ContactNote
from hongyan.contacts.sealing import open_record
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring

LIMIT: Final = 8000


@dataclass(frozen=True, slots=True)
class NoteRow:
    """text: stars for those who may not see identities. own: the reader wrote it."""

    id: int
    public_id: UUID
    text: str
    masked: bool
    author: str
    own: bool
    created_at: datetime
    edited_at: datetime | None


def note_add(*, actor: Actor, contact_id: int, text: str) -> NoteRow:
    """Raises ContactNotFound, NoteRefused (empty, too_long)."""
    actor.require(Permission.CONTACT_EDIT)
    actor.require(Permission.CONTACT_IDENTITY)  # who sees stars cannot read what was written
    plain = _checked(text)
    with transaction.atomic():
        contact = Contact.objects.filter(pk=contact_id).only("public_id").first()
        if contact is None:
            raise ContactNotFound
        note = ContactNote(
            contact_id=contact_id,
            sealed=b"",
            author_id=actor.id if actor.kind == "user" else None,
            author_label=actor.label[:160],
            created_at=now(),
        )
        note.save()
        _seal(note, plain)
        _audit(actor, "contact.note_added", contact)
    return _row(note, actor)


def note_change(*, actor: Actor, public_id: UUID, text: str) -> NoteRow:
    """Raises NoteRefused (gone, not_author, empty, too_long)."""
    plain = _checked(text)
    with transaction.atomic():
        note = _own(actor, public_id)
        note.edited_at = now()
        _seal(note, plain)
        _audit(actor, "contact.note_changed", note.contact)
    return _row(note, actor)


def note_delete(*, actor: Actor, public_id: UUID) -> None:
    """Raises NoteRefused (gone, not_author)."""
    with transaction.atomic():
        note = _own(actor, public_id)
        _audit(actor, "contact.note_deleted", note.contact)
        note.delete()


def notes_of_contact(
    *, actor: Actor, contact_id: int, before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[NoteRow]:
    """Newest first; ``before``: time and id of the last one shown."""
    actor.require(Permission.CONTACT_VIEW)
    rows = ContactNote.objects.filter(contact_id=contact_id)
    if before is not None:
        at, pk = before
        rows = rows.filter(created_at__lte=at).exclude(created_at=at, id__gte=pk)
    return [_row(note, actor) for note in rows.order_by("-created_at", "-id")[:limit]]


def note_texts(notes: Sequence[ContactNote]) -> list[str]:
    """Opened; system use (export)."""
    return [open_record(note.sealed, owner_id=note.pk).decode() for note in notes]


def _checked(text: str) -> str:
    try:
        plain = normalise.paragraph(text, limit=LIMIT)
    except NormaliseProblem as problem:
        raise NoteRefused(problem.code) from problem
    if not plain:
        raise NoteRefused("empty")
    return plain


def _own(actor: Actor, public_id: UUID) -> ContactNote:
    actor.require(Permission.CONTACT_EDIT)
    actor.require(Permission.CONTACT_IDENTITY)
    note = ContactNote.objects.select_for_update(of=("self",)).filter(public_id=public_id).first()
    if note is None:
        raise NoteRefused("gone")
    if actor.kind != "user" or note.author_id != actor.id:
        raise NoteRefused("not_author")
    return note


def _seal(note: ContactNote, plain: str) -> None:
    note.sealed = keyring().records.seal(plain.encode(), owner_id=note.pk)
    note.save(update_fields=["sealed", "edited_at"])


def _row(note: ContactNote, actor: Actor) -> NoteRow:
    clear = actor.may(Permission.CONTACT_IDENTITY)
    return NoteRow(
        id=note.pk,
        public_id=note.public_id,
        text=open_record(note.sealed, owner_id=note.pk).decode() if clear else STARS,
        masked=not clear,
        author=note.author_label,
        own=clear and actor.kind == "user" and note.author_id == actor.id,
        created_at=note.created_at,
        edited_at=note.edited_at,
    )


def _audit(actor: Actor, action: str, contact: Contact) -> None:
    record(actor=actor, action=action, subject_kind="contact", subject_id=str(contact.public_id))

"""What the sums hold about a person: marks carry the contact until erasure; counts stay without them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.analytics.models import MessageMark
from hongyan.analytics.types import Mark

TABLES_ABOUT_PEOPLE = ("analytics_messagemark",)


@dataclass(frozen=True, slots=True)
class MarkRow:
    origin_kind: str
    origin_id: int
    mark: str
    link: int
    first_at: datetime


def export(*, actor: Actor, contact_id: int) -> Iterator[MarkRow]:
    """What mails to the contact reached, oldest first."""
    actor.require(Permission.CONTACT_VIEW)
    rows = MessageMark.objects.filter(contact_id=contact_id).order_by("first_at")
    for row in rows.iterator():
        yield MarkRow(row.origin_kind, row.origin_id, Mark(row.mark).name.lower(), row.link, row.first_at)


def erase(*, contact_id: int) -> int:
    """Cut the tie to the person; the sums do not change. Returns how many marks were changed."""
    return MessageMark.objects.filter(contact_id=contact_id).update(contact_id=None)

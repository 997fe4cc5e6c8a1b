"""Whom a user opened last."""

from typing import Final

from django.db import connection

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.listing import contact_rows
from hongyan.contacts.models import RecentContact
from hongyan.contacts.types import ContactRow
from hongyan.core.clock import now
from hongyan.core.sql import statement

KEPT: Final = 30


def recent_add(*, actor: Actor, contact_id: int) -> None:
    """One statement: this one is the newest, and what is beyond the thirty goes."""
    if actor.kind != "user" or actor.id is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.contacts", "objects.sql", "recent_add"),
            {"user_id": actor.id, "contact_id": contact_id, "at": now(), "kept": KEPT},
        )


def recent_contacts(*, actor: Actor, limit: int) -> list[ContactRow]:
    """The last opened first; names masked for those who may not see them."""
    if actor.kind != "user" or actor.id is None or not actor.may(Permission.CONTACT_VIEW):
        return []
    ids = RecentContact.objects.filter(user_id=actor.id).order_by("-at").values_list("contact_id", flat=True)[:limit]
    return contact_rows(actor=actor, contact_ids=list(ids))

"""What the fact log holds about a person, and how it forgets them.

Facts of visitors nobody has recognised hang on the keyed hash of an anonymous id (``events_anonymous``); they lose even
that after the time the policy says (``retention``).
"""

from collections.abc import Iterator

from django.db import connection

from hongyan.accounts.types import Actor
from hongyan.core.sql import statement
from hongyan.events.selectors import events_of_contact
from hongyan.events.types import EventRow

TABLES_ABOUT_PEOPLE = ("events_event", "events_anonymous")


def export(*, actor: Actor, contact_id: int) -> Iterator[EventRow]:
    """Every event of the contact, newest first."""
    before = None
    while rows := events_of_contact(actor=actor, contact_id=contact_id, before=before, limit=1000):
        yield from rows
        before = (rows[-1].occurred_at, rows[-1].id)


def erase(*, contact_id: int) -> int:
    """Cut the tie to the person; counts stay. Returns how many events were changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "forget_contact"), {"contact_id": contact_id})
        return int(cursor.rowcount)

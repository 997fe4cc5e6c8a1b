"""The latest events of several people: the newest of each by index, then the newest of all."""

from collections.abc import Sequence

from django.db import connection

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.timeline import event_row
from hongyan.core.sql import numbers, statement
from hongyan.events.types import EventRow

EACH = 10


def events_of_people(*, actor: Actor, contact_ids: Sequence[int], limit: int) -> list[EventRow]:
    """At most ``EACH`` of one person, so that one busy visitor does not hide all others."""
    actor.require(Permission.CONTACT_VIEW)
    if not contact_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.contacts", "timeline.sql", "of_people"),
            {"contact_ids": numbers(contact_ids), "each": EACH, "limit": limit},
        )
        return [event_row(values) for values in cursor.fetchall()]

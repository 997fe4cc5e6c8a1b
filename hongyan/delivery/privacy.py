"""What the outbox holds about a person, and how it forgets them."""

from collections.abc import Iterator

from django.db import connection

from hongyan.accounts.types import Actor
from hongyan.core.sql import statement
from hongyan.delivery.models import DirectContent
from hongyan.delivery.selectors import messages_of_contact
from hongyan.delivery.types import RecipientRow

# delivery_caughtmail is a development aid of installations without a relay: whole mails, the newest 20,000 only.
TABLES_ABOUT_PEOPLE = ("delivery_message", "delivery_directcontent", "delivery_caughtmail")


def export(*, actor: Actor, contact_id: int) -> Iterator[RecipientRow]:
    """Every mail of the contact, newest first."""
    yield from messages_of_contact(actor=actor, contact_id=contact_id, limit=100_000)


def erase(*, contact_id: int) -> int:
    """Cut the tie to the person, stop what waits, destroy sealed texts. Returns how many messages were changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.delivery", "outbox.sql", "forget_contact"), {"contact_id": contact_id})
        ids = [row[0] for row in cursor.fetchall()]
    DirectContent.objects.filter(message_id__in=ids).delete()
    return len(ids)

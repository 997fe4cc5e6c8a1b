"""What the outbox holds about a person, and how it forgets them."""

from collections.abc import Iterator

from django.db import connection

from hongyan.accounts.types import Actor
from hongyan.contacts.identifiers import blind_of
from hongyan.contacts.models import Identifier
from hongyan.core.sql import statement
from hongyan.delivery.models import CaughtMail, DirectContent
from hongyan.delivery.selectors import messages_of_contact
from hongyan.delivery.types import RecipientRow

# delivery_caughtmail is a development aid of installations without a relay: whole mails, the newest 20,000 only.
TABLES_ABOUT_PEOPLE = ("delivery_message", "delivery_directcontent", "delivery_caughtmail")


def export(*, actor: Actor, contact_id: int) -> Iterator[RecipientRow]:
    """Every mail of the contact, newest first."""
    yield from messages_of_contact(actor=actor, contact_id=contact_id, limit=100_000)


def erase(*, contact_id: int) -> int:
    """Cut the tie to the person, stop what waits, destroy sealed texts and what the local catcher took in. Returns how
    many messages were changed or deleted."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.delivery", "outbox.sql", "forget_contact"), {"contact_id": contact_id})
        ids = [row[0] for row in cursor.fetchall()]
    DirectContent.objects.filter(message_id__in=ids).delete()
    return len(ids) + _erase_caught(contact_id)


def _erase_caught(contact_id: int) -> int:
    """An address that a merge brought is known by its blind index alone, so the envelopes are held against these."""
    emails = Identifier.objects.filter(contact_id=contact_id, kind=Identifier.Kind.EMAIL)
    theirs = {bytes(blind) for blind in emails.values_list("blind", flat=True)}
    envelopes = CaughtMail.objects.order_by().values_list("rcpt_to", flat=True).distinct() if theirs else ()
    found = [
        one for one in envelopes if not theirs.isdisjoint(blind_of("email", address) for address in one.split(", "))
    ]
    return CaughtMail.objects.filter(rcpt_to__in=found).delete()[0] if found else 0

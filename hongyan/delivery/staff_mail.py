"""Django's mail (invitations, password resets) through the same outbox as everything else."""

from collections.abc import Sequence
from email.utils import parseaddr

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from hongyan.core.ids import uuid7
from hongyan.delivery.outbox import send_now
from hongyan.delivery.types import DirectMail

STAFF = "staff"  # the kind of origin


class StaffMailBackend(BaseEmailBackend):
    """Each recipient gets a mail of their own; text and address are sealed until it has left, then deleted."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        sent = 0
        for message in email_messages:
            recipients = [parseaddr(entry)[1] for entry in message.recipients()]
            mail = DirectMail(subject=str(message.subject), html=_html(message), text=str(message.body))
            for recipient in recipients:
                origin_id = uuid7().int >> 65  # a time-ordered number of its own: every staff mail is its own origin
                send_now(kind=STAFF, origin_id=origin_id, to=recipient, mail=mail)
            sent += bool(recipients)
        return sent


def _html(message: EmailMessage) -> str | None:
    if not isinstance(message, EmailMultiAlternatives):
        return None
    return next((str(body) for body, kind in message.alternatives if kind == "text/html"), None)

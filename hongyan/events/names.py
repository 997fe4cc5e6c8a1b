"""The closed vocabulary of mail events; other names are free (Segment's spec for commerce)."""

from enum import StrEnum


class EmailEvent(StrEnum):
    """Properties of all: origin_kind, origin_id, message_id, machine (reason text, or null for people)."""

    SENT = "email_sent"  # the receiving server accepted the mail
    DEFERRED = "email_deferred"  # temporary refusal; will be tried again
    BOUNCED = "email_bounced"  # permanent refusal, at SMTP time or by a later report
    DELIVERED = "email_delivered"  # confirmed by a provider
    OPENED = "email_opened"
    CLICKED = "email_clicked"  # also: link (index in the content version)
    COMPLAINED = "email_complained"
    UNSUBSCRIBED = "email_unsubscribed"
    SUBSCRIBED = "email_subscribed"

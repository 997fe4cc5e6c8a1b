"""Settling messages whose answer was lost: by a person, or by what happened later."""

from collections.abc import Sequence
from enum import StrEnum

from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.delivery.facts import About, sent_event
from hongyan.delivery.types import MessageKey, MessageState
from hongyan.events.services import append


class Resolution(StrEnum):
    SENT = "sent"  # the relay's log or the person says it arrived
    FAILED = "failed"  # it did not arrive, and shall not be sent again
    RESEND = "resend"  # it did not arrive: send it again, under the same Message-ID


_STATES = {
    Resolution.SENT: MessageState.SENT,
    Resolution.FAILED: MessageState.FAILED,
    Resolution.RESEND: MessageState.QUEUED,
}


def uncertain_resolve(*, actor: Actor, messages: Sequence[MessageKey], resolution: Resolution) -> int:
    """Returns how many were still uncertain and are settled now."""
    actor.require(Permission.CAMPAIGN_SEND)
    with transaction.atomic():
        settled = _settle(messages, resolution)
        if settled:
            data = {"resolution": resolution.value, "messages": settled}
            record(actor=actor, action="delivery.uncertain_resolved", subject_kind="message", subject_id="", data=data)
    return settled


def uncertain_proved_sent(messages: Sequence[MessageKey]) -> int:
    """An open, a click or a report arrived for these: whatever was uncertain has been delivered. Called by whoever
    takes in such facts, in the transaction that records them."""
    return _settle(messages, Resolution.SENT) if messages else 0


def _settle(messages: Sequence[MessageKey], resolution: Resolution) -> int:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.delivery", "outbox.sql", "settle_uncertain"),
            {
                "ids": [key.id for key in messages],
                "months": sorted({key.month for key in messages}),
                "state": int(_STATES[resolution]),
                "now": now,
            },
        )
        rows = cursor.fetchall()
    if resolution is Resolution.SENT:
        append([sent_event(About(*row), now) for row in rows])
    return len(rows)

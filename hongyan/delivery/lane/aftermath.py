"""What follows from outcomes beyond the message itself. Runs on Django's connection of the thread that calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from hongyan.accounts.types import system_actor
from hongyan.contacts.selectors import identities
from hongyan.contacts.suppression import suppress
from hongyan.contacts.types import SuppressionReason
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.delivery.lane.outcome import DomainPause, throttle_until
from hongyan.delivery.lane.work import Claimed, Result
from hongyan.delivery.models import DirectContent, Throttle
from hongyan.delivery.types import MessageState, Reason

RELAY = "*"  # the Throttle row that says why nothing can be sent at all
_FRESH = timedelta(hours=24)
# How many mails a mailbox may refuse for such a reason within 30 days before its address is suppressed.
_PATIENCE = {
    Reason.UNKNOWN_RECIPIENT: 1,
    Reason.NULL_MX: 1,
    Reason.DISABLED_RECIPIENT: 2,
    Reason.MAILBOX_FULL: 5,
}


@dataclass(frozen=True, slots=True)
class Bounce:
    contact_id: int
    reason: str
    note: str  # code and status


def bounces_of(results: Sequence[Result]) -> list[Bounce]:
    return [
        Bounce(result.work.row.contact_id, outcome.reason, f"{outcome.code or ''} {outcome.enhanced}".strip())
        for result in results
        if (outcome := result.outcome).state is MessageState.BOUNCED and result.work.row.contact_id is not None
    ]


def suppress_bounced(bounces: Sequence[Bounce]) -> None:
    """Addresses that will not work again are not mailed again, by whatever list they come."""
    due = [bounce for bounce in bounces if _too_often(bounce)]
    addresses = identities([bounce.contact_id for bounce in due]) if due else {}
    for bounce in due:
        identity = addresses.get(bounce.contact_id)
        if identity is not None and identity.email:
            suppress(
                actor=system_actor("delivery"),
                kind="email",
                value=identity.email,
                reason=SuppressionReason.HARD_BOUNCE,
                note=bounce.note,
            )


def _too_often(bounce: Bounce) -> bool:
    patience = _PATIENCE.get(Reason(bounce.reason), 0)
    if patience <= 1:
        return patience == 1
    since = clock.now() - timedelta(days=30)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.delivery", "claims.sql", "soft_bounces"),
            {"contact_id": bounce.contact_id, "reason": bounce.reason, "since": since},
        )
        (count,) = cursor.fetchone()
    return int(count) >= patience


def hold_domain(pause: DomainPause) -> None:
    """Longer with each repeat within a day: minutes, hours, a day."""
    now = clock.now()
    with transaction.atomic():
        known = Throttle.objects.select_for_update().filter(domain=pause.domain).first()
        if known is not None and known.until > now:
            return  # connections that were under way repeat what is known
        fresh = known is not None and now - known.changed_at < _FRESH
        level = known.level + 1 if known is not None and fresh else 1
        Throttle.objects.update_or_create(
            domain=pause.domain,
            defaults={
                "until": throttle_until(level, now=now),
                "level": level,
                "reason": pause.reason.value,
                "smtp_text": pause.text,
                "changed_at": now,
            },
        )


def note_relay(problem: str | None) -> None:
    """Why nothing leaves, for the page that shows it; None when it does again."""
    now = clock.now()
    if problem is None:
        Throttle.objects.filter(domain=RELAY).delete()
        return
    values = {"until": now + timedelta(minutes=5), "reason": Reason.RELAY_DOWN.value, "smtp_text": problem[:300]}
    Throttle.objects.update_or_create(domain=RELAY, defaults={**values, "changed_at": now})


def forget_direct(rows: Sequence[Claimed]) -> None:
    """A single mail's address and text are gone as soon as it is finished."""
    ids = [row.id for row in rows if row.content_version_id is None]
    if ids:
        DirectContent.objects.filter(message_id__in=ids).delete()

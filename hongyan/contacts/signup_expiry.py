"""Sign-ups that nobody confirmed are forgotten, with the people of whom nothing else is known."""

from django.db import transaction

from hongyan.accounts.types import system_actor
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.models import ConfirmationRequest, ConsentState, Contact
from hongyan.contacts.signup import existing, say
from hongyan.contacts.types import Channel, ConsentAction, Evidence
from hongyan.core.clock import now


def expire_unconfirmed(*, limit: int = 500) -> int:
    """Forget sign-ups that nobody confirmed in time, and people of whom nothing but such a sign-up is known.

    Returns how many requests ended.
    """
    due = ConfirmationRequest.objects.filter(confirmed_at=None, expires_at__lte=now()).order_by("id")
    ids = list(due.values_list("pk", flat=True)[:limit])
    return sum(_expire(request_id) for request_id in ids)


def _expire(request_id: int) -> int:
    at = now()
    with transaction.atomic():
        request = (
            ConfirmationRequest.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(pk=request_id, confirmed_at=None)
            .first()
        )
        if request is None:
            return 0
        contact_id, created = request.contact_id, request.created_contact
        others = ConfirmationRequest.objects.filter(contact_id=contact_id).exclude(pk=request.pk)
        open_keys = {
            key for keys in others.filter(confirmed_at=None).values_list("topic_keys", flat=True) for key in keys
        }
        pending = ConsentState.objects.filter(contact_id=contact_id, channel=Channel.EMAIL, state="pending")
        still = set(pending.values_list("topic__key", flat=True))
        for key in existing(request.topic_keys):
            if key in still and key not in open_keys:
                say(request, key, ConsentAction.EXPIRED, Evidence(method="form"), at=at)
        alone = created and not others.exists() and _only_an_address(contact_id)
        if created and not alone:
            # The next request to run out decides about the person.
            others.filter(confirmed_at=None).update(created_contact=True)
        request.delete()
        if alone:
            contact_erase(actor=system_actor("sign-ups"), contact_id=contact_id, reason="retention", suppress=False)
    return 1


def _only_an_address(contact_id: int) -> bool:
    """Nobody has written anything about this person but the form, and the person never said yes or no."""
    if ConsentState.objects.filter(contact_id=contact_id).exclude(state__in=["pending", "none"]).exists():
        return False
    return Contact.objects.filter(
        pk=contact_id, source="form", filled=["email"], attributes={}, owner=None, last_activity_at=None
    ).exists()

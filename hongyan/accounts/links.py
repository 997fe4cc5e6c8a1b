"""One-time links: a signed token names a row that holds the hash of a secret. Opening one shows a button; only pressing
it uses the link up, because mail scanners and chat previews open whatever they are sent."""

import hashlib
import hmac
import secrets
import struct
from datetime import timedelta

from django.db import transaction
from django.urls import reverse

from hongyan.accounts.errors import LinkRefused
from hongyan.accounts.models import OneTimeLink, User
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.tokens import TokenRefused

_PURPOSE = "one-time-link"
LIFE = {
    OneTimeLink.Purpose.SIGN_IN: timedelta(minutes=15),
    OneTimeLink.Purpose.INVITE: timedelta(days=7),
}


def one_time_link_create(
    *, user: User, purpose: str = OneTimeLink.Purpose.SIGN_IN, created_by_id: int | None = None
) -> str:
    """The path of a fresh link; the user's earlier unused links of this purpose stop working.

    No actor: sign-in links are made on the server's own console, invitations by ``services``, which checks.
    """
    secret, at = secrets.token_bytes(16), now()
    with transaction.atomic():
        OneTimeLink.objects.filter(user=user, purpose=purpose, used_at=None).delete()
        link = OneTimeLink.objects.create(
            user=user,
            purpose=purpose,
            secret_hash=_hash(secret),
            created_at=at,
            created_by_id=created_by_id,
            expires_at=at + LIFE[OneTimeLink.Purpose(purpose)],
        )
    token = keyring().signer.sign(_PURPOSE, struct.pack(">q", link.pk) + secret)
    return reverse("one_time_link", args=[token])


def one_time_link_peek(*, token: str) -> OneTimeLink:
    """The link as it stands, unused. Raises LinkRefused."""
    return _find(token, lock=False)


def one_time_link_use(*, token: str) -> OneTimeLink:
    """Use it up; two at once: one wins. Raises LinkRefused."""
    with transaction.atomic():
        link = _find(token, lock=True)
        link.used_at = now()
        link.save(update_fields=["used_at"])
    return link


def _find(token: str, *, lock: bool) -> OneTimeLink:
    try:
        payload = keyring().signer.unsign(_PURPOSE, token)
    except TokenRefused as error:
        raise LinkRefused from error
    link_id, secret = struct.unpack(">q", payload[:8])[0], payload[8:]
    rows = OneTimeLink.objects.select_related("user")
    if lock:
        rows = rows.select_for_update(of=("self",))
    link = rows.filter(pk=link_id).first()
    if (
        link is None
        or not hmac.compare_digest(bytes(link.secret_hash), _hash(secret))
        or link.used_at is not None
        or link.expires_at <= now()
        or not link.user.is_active
    ):
        raise LinkRefused
    return link


def _hash(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()

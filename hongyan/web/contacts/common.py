"""What the pages of people share."""

import base64
import binascii
from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils import translation

from hongyan.accounts.types import Actor
from hongyan.contacts.errors import ContactMerged, ContactNotFound
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.types import Identity
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.sealing import SealBroken


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", cast("Any", request).actor)


def language() -> str:
    return "zh-hans" if (translation.get_language() or "zh").startswith("zh") else "en"


def contact_or_404(request: HttpRequest, public_id: UUID, *, audit: bool = False) -> tuple[Contact, Identity]:
    try:
        return contact_by_public_id(actor=actor_of(request), public_id=public_id, audit=audit)
    except ContactMerged:
        raise  # web.middleware leads on to the record it is now
    except ContactNotFound:
        raise Http404 from None


def seal_search(text: str, actor: Actor) -> str:
    """What somebody searched for names people, and addresses of pages land in histories and logs: there it is sealed,
    for this user only."""
    blob = keyring().records.seal(text.encode(), owner_id=actor.id or 0)
    return base64.urlsafe_b64encode(blob).decode().rstrip("=")


def open_search(sealed: str, actor: Actor) -> str:
    """ "" for what is not one, or somebody else's."""
    try:
        blob = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        return keyring().records.open(blob, owner_id=actor.id or 0).decode()
    except (SealBroken, binascii.Error, ValueError):
        return ""

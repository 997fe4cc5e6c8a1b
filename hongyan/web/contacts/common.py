"""What the pages of people share."""

from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils import translation

from hongyan.accounts.types import Actor
from hongyan.contacts.errors import ContactMerged, ContactNotFound
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.types import Identity


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

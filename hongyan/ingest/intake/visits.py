"""Who comes to the website from a mail: a token in the address, opaque, valid for an hour and only here.

The edge adds it when a tracked link leads to a website of ours; the snippet takes it out of the address at once and
sends it with the visitor's anonymous id. Nothing in it can be read or made by others.
"""

import base64
import binascii
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from hongyan.contacts.consent import tracking_allowed
from hongyan.contacts.merging import current_ids
from hongyan.contacts.models import Contact
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.sealing import SealBroken

PARAMETER: Final = "hy"
VALID: Final = timedelta(hours=1)
_OWNER = -2  # keeps these apart from everything else that is sealed
_CONTENT = struct.Struct(">qq")


def token(*, contact_id: int, at: datetime) -> str:
    content = _CONTENT.pack(contact_id, int(at.timestamp()))
    return base64.urlsafe_b64encode(keyring().records.seal(content, owner_id=_OWNER)).decode().rstrip("=")


def with_token(url: str, *, contact_id: int, at: datetime) -> str:
    """Before the fragment, after whatever the address has already."""
    address, hash_sign, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{PARAMETER}={token(contact_id=contact_id, at=at)}{hash_sign}{fragment}"


def read(text: Any, *, at: datetime) -> int | None:
    """The contact, or None for what is not a token of ours, or too old."""
    if not isinstance(text, str) or len(text) > 200:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        contact_id, seconds = _CONTENT.unpack(keyring().records.open(raw, owner_id=_OWNER))
    except (binascii.Error, ValueError, SealBroken, struct.error):
        return None
    age = at.timestamp() - seconds
    return contact_id if -60 <= age <= VALID.total_seconds() else None


def recognised(tokens: Sequence[tuple[int, int]]) -> Mapping[int, int]:
    """(place, contact) pairs → place → contact as it is now, of those who allow that their clicks are followed."""
    moved = current_ids(contact_id for _, contact_id in tokens)
    wanted = {place: moved.get(contact_id, contact_id) for place, contact_id in tokens}
    allowed = set(tracking_allowed(set(wanted.values()), channel="tracking_click")) if wanted else set()
    there = set(Contact.objects.filter(pk__in=allowed).values_list("pk", flat=True)) if allowed else set()
    return {place: contact_id for place, contact_id in wanted.items() if contact_id in there}

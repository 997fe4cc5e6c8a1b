"""What somebody searched for names people, and addresses of pages land in histories and logs: there it is sealed."""

import base64
import binascii

from hongyan.accounts.types import Actor
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.sealing import SealBroken


def seal_search(text: str, actor: Actor) -> str:
    """For this user only."""
    blob = keyring().records.seal(text.encode(), owner_id=actor.id or 0)
    return base64.urlsafe_b64encode(blob).decode().rstrip("=")


def open_search(sealed: str, actor: Actor) -> str:
    """ "" for what is not one, or somebody else's."""
    try:
        blob = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        return keyring().records.open(blob, owner_id=actor.id or 0).decode()
    except (SealBroken, binascii.Error, ValueError):
        return ""

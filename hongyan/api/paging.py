"""Lists by cursor: opaque, signed, stable while rows come and go."""

from typing import Any, Generic, TypeVar

import orjson
from ninja import Schema

from hongyan.api.problems import Problem
from hongyan.core.crypto.keyring import keyring
from hongyan.core.crypto.tokens import TokenRefused

T = TypeVar("T")
MOST = 200


class Listing(Schema, Generic[T]):
    """items, and the cursor of the next page; null at the end."""

    items: list[T]
    next: str | None = None


def write_cursor(position: Any) -> str:
    """position: JSON of where the page ended."""
    return keyring().signer.sign("cursor", orjson.dumps(position, default=str))


def read_cursor(cursor: str | None) -> Any:
    """Raises Problem (422) for anything this installation did not write."""
    if not cursor:
        return None
    try:
        return orjson.loads(keyring().signer.unsign("cursor", cursor))
    except (TokenRefused, orjson.JSONDecodeError) as error:
        raise Problem.bad_cursor() from error


def capped(limit: int) -> int:
    """What a page may hold: 1 to 200 rows."""
    return min(max(limit, 1), MOST)

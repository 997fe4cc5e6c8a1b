"""Blind indexes: keyed hashes that find equal values without revealing them (HMAC-SHA-256, truncated)."""

import hashlib
import hmac


class BlindIndexer:
    """kind separates namespaces, so that an e-mail and an external id with the same text do not collide."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("the index key is 32 bytes")
        self._key = key

    def index(self, kind: str, normalised: str) -> bytes:
        """16 bytes; equal for equal (kind, normalised value)."""
        return hmac.digest(self._key, f"{kind}\x00{normalised}".encode(), hashlib.sha256)[:16]

    def token(self, normalised: str) -> int:
        """A signed 64-bit search token for GIN-indexed bigint arrays."""
        digest = hmac.digest(self._key, b"token\x00" + normalised.encode(), hashlib.sha256)
        return int.from_bytes(digest[:8], "big", signed=True)

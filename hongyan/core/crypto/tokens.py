"""Opaque, unforgeable tokens for links: purpose-bound, never expiring by themselves, no personal data inside.

``base64url(key version (1 byte) + payload + MAC (12 bytes))``; HMAC-SHA-256 truncated to 96 bits (RFC 2104 §5).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache

_MAC = 12
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class TokenRefused(Exception):
    """The token was altered, cut, made for another purpose, or never ours."""


class TokenSigner:
    def __init__(self, *, keys: Mapping[int, bytes], current: int) -> None:
        """keys: by version 1..255; old versions stay valid so that links in old mails keep working."""
        self._keys, self._current = dict(keys), current

    def sign(self, purpose: str, payload: bytes) -> str:
        head = bytes([self._current]) + payload
        raw = binascii.b2a_base64(head + self._mac(self._current, purpose, head), newline=False)
        return raw.translate(_URL_SAFE, b"=").decode()

    def unsign(self, purpose: str, token: str) -> bytes:
        """The payload. Raises TokenRefused."""
        if len(token) > 2048 or not token.isascii():
            raise TokenRefused
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise TokenRefused from error
        if len(raw) < 1 + _MAC or raw[0] not in self._keys:
            raise TokenRefused
        head, mac = raw[:-_MAC], raw[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(raw[0], purpose, head)):
            raise TokenRefused
        return head[1:]

    def _mac(self, version: int, purpose: str, head: bytes) -> bytes:
        inner, outer = _begun(self._keys[version], purpose)
        inner, outer = inner.copy(), outer.copy()
        inner.update(head)
        outer.update(inner.digest())
        return outer.digest()[:_MAC]


@lru_cache(maxsize=64)
def _begun(key: bytes, purpose: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """The two halves of HMAC (RFC 2104) with the key's block and the purpose already taken in: several tokens stand in
    each mail, and a copy costs a quarter of beginning anew."""
    block = key.ljust(64, b"\x00")  # keys are 32 bytes
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    inner.update(purpose.encode() + b"\x00")
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

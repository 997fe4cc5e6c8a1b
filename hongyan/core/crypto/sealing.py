"""AES-256-GCM (NIST SP 800-38D) with the key version and the owner's id as associated data.

A sealed blob is ``version (2 bytes, big endian) + nonce (12 bytes) + ciphertext and tag``. Moving a blob to another
row or pretending another key version breaks the tag.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = struct.Struct(">H")
_OVERHEAD = 2 + 12 + 16


class SealBroken(Exception):
    """The blob was altered, belongs to another row, or its key is not in the ring."""


def _associated(kind: bytes, version: int, owner_id: int) -> bytes:
    return kind + _VERSION.pack(version) + owner_id.to_bytes(8, "big", signed=True)


class Sealer:
    """Seals and opens blobs of one kind. Thread safe; holds one AESGCM object per key version."""

    def __init__(self, *, kind: bytes, keys: Mapping[int, bytes], current: int) -> None:
        """keys: 32-byte key by version (1..65535); current: the version new blobs are sealed with."""
        if any(len(key) != 32 for key in keys.values()):
            raise ValueError("data keys are 32 bytes")
        self.kind, self.current = kind, current
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}

    def seal(self, plain: bytes, *, owner_id: int) -> bytes:
        nonce = os.urandom(12)
        body = self._ciphers[self.current].encrypt(nonce, plain, _associated(self.kind, self.current, owner_id))
        return _VERSION.pack(self.current) + nonce + body

    def seal_many(self, plains: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
        """As ``seal`` for pairs of owner's id and plain text, as they are asked for; the random source is read once."""
        pairs = list(plains)
        encrypt, version = self._ciphers[self.current].encrypt, _VERSION.pack(self.current)
        kind, noise = self.kind + version, os.urandom(12 * len(pairs))
        for place, (owner_id, plain) in enumerate(pairs):
            nonce = noise[12 * place : 12 * place + 12]
            yield version + nonce + encrypt(nonce, plain, kind + owner_id.to_bytes(8, "big", signed=True))

    def open(self, blob: bytes, *, owner_id: int) -> bytes:
        """Raises SealBroken; never returns altered data."""
        if len(blob) < _OVERHEAD:
            raise SealBroken("blob too short")
        version = self.version_of(blob)
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise SealBroken(f"key version {version} is not in the ring")
        try:
            return cipher.decrypt(bytes(blob[2:14]), bytes(blob[14:]), _associated(self.kind, version, owner_id))
        except InvalidTag as error:
            raise SealBroken("blob does not verify") from error

    @staticmethod
    def version_of(blob: bytes) -> int:
        version: int = _VERSION.unpack(bytes(blob[:2]))[0]
        return version

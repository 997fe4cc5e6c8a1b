"""Uploaded files and exports at rest: encrypted in frames, random access, gone after seven days.

A file is a sequence of frames of 1 MiB of text each: nonce (12 bytes) + AES-256-GCM ciphertext. The associated data is
the frame's number and whether it is the last, so that frames can be neither moved nor cut off. Each file has a key of
its own, sealed in its database row: with the row gone, the bytes are noise.
"""

import io
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FRAME = 1 << 20
_NONCE, _TAG = 12, 16
_STORED = _NONCE + _FRAME + _TAG
_ASSOCIATED = struct.Struct(">Q?")


class StoredFileBroken(Exception):
    """The stored bytes were altered, cut or belong to another file."""


def new_key() -> bytes:
    return AESGCM.generate_key(bit_length=256)


class FrameWriter:
    """Text in, sealed frames out into ``file``. ``finish`` writes the last frame; without it nothing can be read."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file, self._cipher = file, AESGCM(key)
        self._buffer = bytearray()
        self._number = 0
        self.size = 0

    def write(self, data: "bytes | bytearray | memoryview") -> None:
        self._buffer += data
        self.size += len(data)
        while len(self._buffer) > _FRAME:  # one byte more than a frame: the last frame is written by ``finish``
            self._frame(bytes(self._buffer[:_FRAME]), last=False)
            del self._buffer[:_FRAME]

    def finish(self) -> None:
        self._frame(bytes(self._buffer), last=True)
        self._buffer.clear()
        self._file.flush()

    def _frame(self, text: bytes, *, last: bool) -> None:
        nonce = os.urandom(_NONCE)
        self._file.write(nonce + self._cipher.encrypt(nonce, text, _ASSOCIATED.pack(self._number, last)))
        self._number += 1


class SealedWriter(io.RawIOBase):
    """Writes to ``path`` (mode 0600) under a temporary name; ``commit`` makes it appear, leaving without removes it."""

    def __init__(self, path: Path, key: bytes) -> None:
        super().__init__()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._part = path.with_name(f"{path.name}.{os.getpid()}.part")
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._frames = FrameWriter(self._file, key)

    @property
    def size(self) -> int:
        return self._frames.size

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self._frames.write(data)
        return len(data)

    def commit(self) -> int:
        """Returns the size of the text."""
        self._frames.finish()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        super().close()
        return self.size

    def close(self) -> None:
        if not self._file.closed:
            self._file.close()
            self._part.unlink(missing_ok=True)
        super().close()


class SealedReader(io.RawIOBase):
    """Seekable plain bytes of a sealed file. Raises StoredFileBroken instead of returning altered data.

    source: its path, or the open file itself, which is closed with the reader.
    """

    def __init__(self, source: Path | BinaryIO, key: bytes) -> None:
        super().__init__()
        self._file: BinaryIO = source.open("rb") if isinstance(source, Path) else source
        self._cipher = AESGCM(key)
        stored = os.fstat(self._file.fileno()).st_size
        self._frames = max(1, -(-stored // _STORED))
        self.size = stored - self._frames * (_NONCE + _TAG)
        self._place = 0
        self._cached = -1
        self._text = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        left = self.size - self._place if size is None or size < 0 else min(size, self.size - self._place)
        parts = []
        while left > 0:
            number, inside = divmod(self._place, _FRAME)
            piece = self._frame(number)[inside : inside + left]
            if not piece:
                raise StoredFileBroken
            parts.append(piece)
            self._place += len(piece)
            left -= len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _frame(self, number: int) -> bytes:
        if number != self._cached:
            self._file.seek(number * _STORED)
            stored = self._file.read(_STORED)
            associated = _ASSOCIATED.pack(number, number == self._frames - 1)
            try:
                self._text = self._cipher.decrypt(stored[:_NONCE], stored[_NONCE:], associated)
            except (InvalidTag, ValueError) as error:
                raise StoredFileBroken from error
            self._cached = number
        return self._text


def store(path: Path, key: bytes, blocks: Iterable[bytes]) -> int:
    with SealedWriter(path, key) as writer:
        for block in blocks:
            writer.write(block)
        return writer.commit()

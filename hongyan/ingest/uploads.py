"""Uploads on their way in. Customer files are personal data: what does not stay in memory is sealed before it reaches a
disk, with a key that only this process knows, in a file without a name. Django's own handlers spool clear text.
"""

import io
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any, BinaryIO, cast

from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.asgi import ASGIHandler

from hongyan.ingest import files_at_rest as rest
from hongyan.ingest.files.types import MAX_FILE_BYTES
from hongyan.ingest.storage import FrameWriter, SealedReader, new_key

MAX_BODY = MAX_FILE_BYTES + 16 * 2**20  # the largest file and the form around it
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class SealedSpool(io.RawIOBase):
    """Written once, then read: in memory up to ``limit`` bytes, sealed in a file without a name beyond."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self._memory: io.BytesIO | None = io.BytesIO()
        self._file: BinaryIO | None = None
        self._frames: FrameWriter | None = None
        self._key = b""
        self._reader: SealedReader | None = None
        self.size = 0

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self.size += len(data)
        if self._memory is not None:
            if self.size <= self._limit:
                return self._memory.write(data)
            self._roll_over(self._memory)
        cast("FrameWriter", self._frames).write(data)
        return len(data)

    def _roll_over(self, memory: io.BytesIO) -> None:
        folder = rest.folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._key = new_key()
        self._file = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed in ``close``
        self._frames = FrameWriter(self._file, self._key)
        self._frames.write(memory.getbuffer())
        self._memory = None

    def _source(self) -> io.BytesIO | SealedReader:
        if self._memory is not None:
            return self._memory
        if self._reader is None:  # the first look back ends the writing
            file, frames = cast("BinaryIO", self._file), cast("FrameWriter", self._frames)
            frames.finish()
            self._reader = SealedReader(file, self._key)
        return self._reader

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._source().seek(offset, whence)

    def tell(self) -> int:
        return self._source().tell()

    def read(self, size: int | None = -1) -> bytes:
        return self._source().read(size)

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        return self._source().readinto(buffer)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


class SealedUploadHandler(FileUploadHandler):
    """Each file of a form into a spool of its own."""

    chunk_size = 1 << 20

    def new_file(self, *values: Any, **named: Any) -> None:
        super().new_file(*values, **named)
        self._spool = SealedSpool(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        del start
        self._spool.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        self._spool.seek(0)
        return UploadedFile(
            file=cast("Any", self._spool),
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        if hasattr(self, "_spool"):
            self._spool.close()


class SealingASGIHandler(ASGIHandler):
    """Django's handler, which keeps the body of a request in a temporary file of clear text; here it is sealed. A body
    larger than any upload may be is refused before it can fill the disk."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and announced(scope) > MAX_BODY:
            await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await super().__call__(scope, receive, send)

    async def read_body(self, receive: Receive) -> IO[bytes]:
        body = SealedSpool(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)
        while True:
            message = await receive()
            if message["type"] == "http.disconnect" or body.size > MAX_BODY:
                body.close()
                raise RequestAborted
            body.write(message.get("body", b""))
            if not message.get("more_body", False):
                body.seek(0)
                return cast("IO[bytes]", body)


def announced(scope: dict[str, Any]) -> int:
    """The length of the body as the client gives it; 0 when it does not say."""
    text = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(text) if text.isdigit() else 0

"""What an upload leaves on disk on its way in: nothing that can be read."""

import asyncio
import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings

from hongyan.accounts.api_keys import api_key_create
from hongyan.accounts.permissions import Permission
from hongyan.ingest.models import Import
from hongyan.ingest.uploads import MAX_BODY, SealedSpool, SealingASGIHandler
from tests.accounts.factory import person

MARK = b"zhang.wei.not.on.disk@example.com"
LINES = 160_000  # about 6 MB: more than stays in memory


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Descriptors of every nameless file that uploads make, open until the test ends."""
    import_module("hongyan.config.urls")  # before the traps are set: pages name these classes when they are read
    found: list[int] = []
    real = tempfile.TemporaryFile

    def watched(**values: Any) -> Any:
        file = real(**values)
        found.append(os.dup(file.fileno()))
        return file

    def refused(*_values: Any, **_named: Any) -> Any:
        raise AssertionError("a temporary file of clear text")

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    for name in ("SpooledTemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refused)
    yield found
    for number in found:
        os.close(number)


def on_disk(numbers: list[int]) -> bytes:
    return b"".join(os.pread(number, os.fstat(number).st_size, 0) for number in numbers)


def form(content: bytes) -> tuple[bytes, bytes]:
    """Body and content type."""
    border = b"----border"
    head = (
        b'--%b\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\nContent-Type: text/csv\r\n\r\n'
    )
    return (head % border) + content + b"\r\n--" + border + b"--\r\n", b"multipart/form-data; boundary=" + border


async def post(body: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    parts = [body[at : at + (1 << 18)] for at in range(0, len(body), 1 << 18)] or [b""]
    sent: list[Mapping[str, Any]] = []
    waiting = iter(
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1} for place, part in enumerate(parts)
    )

    async def receive() -> dict[str, Any]:
        message = next(waiting, None)
        if message is None:
            await asyncio.Event().wait()  # the client stays
        return message or {}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/imports", "query_string": b"", "http_version": "1.1",
        "headers": [(b"host", b"localhost"), (b"content-length", str(len(body)).encode()), *headers],
    }  # fmt: skip
    await SealingASGIHandler()(scope, receive, send)
    return int(sent[0]["status"])


@pytest.mark.django_db(transaction=True)
def test_a_large_upload_is_sealed_while_it_comes_in(written: list[int]) -> None:
    secret = api_key_create(actor=person("ada").actor, name="test", scopes=[Permission.IMPORT_RUN]).secret
    content = b"name,email\r\n" + b"".join(b"Wei %d,%d.%b\r\n" % (n, n, MARK) for n in range(LINES))
    assert len(content) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    body, kind = form(content)
    headers = [(b"content-type", kind), (b"authorization", b"Bearer " + secret.encode())]
    assert async_to_sync(post)(body, headers) == 201
    assert Import.objects.get().size == len(content)
    assert len(written) == 2  # the body and the file in it
    left = on_disk(written)
    assert len(left) > 2 * len(content)
    assert MARK not in left
    assert not [path for path in Path(settings.HONGYAN_DATA_DIR, "imports").iterdir() if MARK in path.read_bytes()]


async def test_a_body_larger_than_any_upload_is_refused_unread() -> None:
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("nothing is read")

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    length = str(MAX_BODY + 1).encode()
    await SealingASGIHandler()(
        {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", length)]}, receive, send
    )
    assert sent[0]["status"] == 413


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 1 << 20, (1 << 20) + 1, 3 * (1 << 20)])
def test_a_spool_gives_back_what_it_was_given(size: int) -> None:
    data = os.urandom(size)
    with SealedSpool(100) as spool:
        for at in range(0, size, 70_000):
            spool.write(data[at : at + 70_000])
        spool.seek(0)
        assert spool.read() == data
        spool.seek(size // 2)
        assert spool.read(50) == data[size // 2 :][:50]
        assert spool.size == size


def test_a_spool_reads_lines_like_any_file() -> None:
    with SealedSpool(10) as spool:
        spool.write(b"first line\nsecond line\n" * 10)
        spool.seek(0)
        assert next(io.BufferedReader(spool)) == b"first line\n"

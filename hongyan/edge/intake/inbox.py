"""Group commit of requests: those that arrive together go into the inbox with one COPY; each is answered after it."""

import asyncio
import logging
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

from hongyan.core.crypto.keyring import keyring
from hongyan.core.dsn import connection_parameters

log = logging.getLogger("hongyan.edge")

_MOST_ROWS = 1_000
_MOST_BYTES = 8_000_000  # a transaction
_WAITING_BYTES = 64_000_000  # of a process; more is refused, so that memory is bounded whatever the database does
_WRITERS = 2  # one more connection reads keys; one copies while the other waits for the disk
_PACK_FROM = 2_048  # bytes; smaller bodies gain nothing
_COPY = (
    "COPY ingest_intakerequest (write_key_id, received_at, kind, calls, packed, checked, body) "
    "FROM STDIN (FORMAT binary)"
)
_START = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_HEAD = struct.Struct(">hiiiqi")  # columns; key id and time, each with its length; length of the kind
_MIDDLE = struct.Struct(">iii?i?i")  # number of calls, packed, checked, each with its length; length of the body
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class InboxRefused(Exception):
    """Nothing was kept. ``code``: overloaded or database_away."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Waiting:
    row: bytes
    done: "asyncio.Future[None]"


class InboxWriter:
    """One a web process, made inside its running loop. ``accept`` returns when the request is durable."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._bytes = 0
        self._arrived = asyncio.Event()
        self.pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]] = AsyncConnectionPool(
            kwargs=connection_parameters() | {"autocommit": False}, min_size=1, max_size=_WRITERS + 1, open=False
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.pool.open()
        self._tasks = [asyncio.create_task(self._run()) for _ in range(_WRITERS)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pool.close()

    async def accept(
        self, *, key_id: int, at: datetime, kind: str, calls: int, content: bytes, checked: bool = False
    ) -> None:
        """Raises InboxRefused; the client tries again later. checked: there is no fault in any of its calls."""
        if self._bytes > _WAITING_BYTES:
            raise InboxRefused("overloaded")
        try:
            keyring()
        except SynchronousOnlyOperation:  # it is to be read again, which the loop may not wait for
            await sync_to_async(keyring)()
        waiting = Waiting(
            row(key_id, at, kind, calls, content, checked=checked), asyncio.get_running_loop().create_future()
        )
        self._waiting.append(waiting)
        self._bytes += len(waiting.row)
        self._arrived.set()
        await waiting.done

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            batch = self._take()
            if not self._waiting:
                self._arrived.clear()
            if batch:
                await self._write(batch)

    def _take(self) -> list[Waiting]:
        size = count = 0
        for waiting in self._waiting[:_MOST_ROWS]:
            size += len(waiting.row)
            count += 1
            if size > _MOST_BYTES:
                break
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._bytes -= size
        return batch

    async def _write(self, batch: list[Waiting]) -> None:
        try:
            async with self.pool.connection(timeout=5) as connection:
                async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                    await copy.write(b"".join((_START, *[waiting.row for waiting in batch], _END)))
                await connection.commit()
        except (OperationalError, TimeoutError) as error:
            log.warning("events not stored", extra={"requests": len(batch), "why": type(error).__name__})
            _refuse(batch, InboxRefused("database_away"))
        except Exception as error:
            _refuse(batch, error)
            raise
        else:
            for waiting in batch:
                if not waiting.done.done():
                    waiting.done.set_result(None)


def row(key_id: int, at: datetime, kind: str, calls: int, content: bytes, *, checked: bool = False) -> bytes:
    """A tuple in PostgreSQL's binary form. The body holds personal data: sealed from the first moment on disk."""
    packed = len(content) >= _PACK_FROM
    body = keyring().records.seal(zlib.compress(content, 1) if packed else content, owner_id=key_id)
    since = at - _EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    name = kind.encode()
    return b"".join(
        (
            _HEAD.pack(7, 4, key_id, 8, micros, len(name)),
            name,
            _MIDDLE.pack(4, calls, 1, packed, 1, checked, len(body)),
            body,
        )
    )


def _refuse(batch: list[Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_exception(error)

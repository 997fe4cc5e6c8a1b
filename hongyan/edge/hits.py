"""Group commit of hits: requests that arrive together share one transaction, and each is answered after it."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import date, datetime

from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

from hongyan.core.dsn import connection_parameters
from hongyan.core.sql import statement

log = logging.getLogger("hongyan.edge")

_MOST = 2_000  # hits a transaction
_WRITERS = 2


class HitsRefused(Exception):
    """The database could not take the hit; the caller answers as well as it can without it."""


@dataclass(slots=True)
class PendingHit:
    at: datetime
    kind: int
    message_id: int
    month: date
    link: int | None
    user_agent: str
    done: "asyncio.Future[int | None]"


class HitWriter:
    """One a web process, made inside its running loop. ``record`` returns when the hit is durable."""

    def __init__(self) -> None:
        self._waiting: list[PendingHit] = []
        self._arrived = asyncio.Event()
        self._pool = AsyncConnectionPool(
            kwargs=connection_parameters() | {"autocommit": False}, min_size=1, max_size=_WRITERS, open=False
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._pool.open()
        self._tasks = [asyncio.create_task(self._run()) for _ in range(_WRITERS)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.close()

    async def record(
        self, *, at: datetime, kind: int, message_id: int, month: date, link: int | None, user_agent: str
    ) -> int | None:
        """The content version of the hit's message, or None when there is no such message any more.

        kind 0 only looks: nothing is written.

        Raises HitsRefused when the database is away.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(PendingHit(at, kind, message_id, month, link, user_agent, done))
        self._arrived.set()
        version: int | None = await done
        return version

    async def link_urls(self, version: int) -> tuple[str, ...]:
        """The link targets of a content version, by index. Raises HitsRefused when the database is away."""
        try:
            async with self._pool.connection(timeout=5) as connection:
                cursor = await connection.execute(
                    "SELECT link ->> 'url' FROM content_contentversion, jsonb_array_elements(links) AS link "
                    "WHERE id = %s ORDER BY (link ->> 'index')::int",
                    [version],
                )
                return tuple(str(row[0]) for row in await cursor.fetchall())
        except (OperationalError, TimeoutError) as error:
            raise HitsRefused from error

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            if not self._waiting:
                self._arrived.clear()
            if batch:
                await self._write(batch)

    async def _write(self, batch: list[PendingHit]) -> None:
        try:
            async with self._pool.connection(timeout=5) as connection:
                versions = await _store(connection, batch)
        except (OperationalError, TimeoutError) as error:
            log.warning("hits not stored", extra={"count": len(batch), "why": type(error).__name__})
            for hit in batch:
                if not hit.done.done():
                    hit.done.set_exception(HitsRefused())
            return
        except Exception as error:
            for hit in batch:
                if not hit.done.done():
                    hit.done.set_exception(error)
            raise
        for position, hit in enumerate(batch):
            if not hit.done.done():
                hit.done.set_result(versions.get(position))


async def _store(connection: AsyncConnection[tuple[int, int | None]], batch: list[PendingHit]) -> dict[int, int | None]:
    """Write the batch and commit; the content version by position in the batch."""
    cursor = await connection.execute(
        statement("hongyan.edge", "edge.sql", "store_hits"),
        {
            "positions": list(range(len(batch))),
            "at": [hit.at for hit in batch],
            "kinds": [hit.kind for hit in batch],
            "message_ids": [hit.message_id for hit in batch],
            "months": [hit.month for hit in batch],
            "links": [hit.link for hit in batch],
            "agents": [hit.user_agent for hit in batch],
        },
    )
    found = dict(await cursor.fetchall())
    await connection.commit()
    return found

"""Group commit of hits: requests that arrive together share one transaction, and each is answered after it."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

from hongyan.core.dsn import connection_parameters
from hongyan.core.sql import statement

log = logging.getLogger("hongyan.edge")

_MOST = 2_000  # hits a transaction
_WRITERS = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HitsRefused(Exception):
    """The database could not take the hit; the caller answers as well as it can without it."""


@dataclass(frozen=True, slots=True)
class HitFound:
    """What the message of a hit was. contact_id: None for test mails, and after an erasure."""

    version: int
    contact_id: int | None


@dataclass(slots=True)
class PendingHit:
    at: datetime
    kind: int
    message_id: int
    month: date
    link: int | None
    user_agent: str
    done: "asyncio.Future[HitFound | None]"


class HitWriter:
    """One a web process, made inside its running loop. ``record`` returns when the hit is durable."""

    def __init__(self) -> None:
        self._waiting: list[PendingHit] = []
        self._arrived = asyncio.Event()
        self._pool = AsyncConnectionPool(
            kwargs=connection_parameters() | {"autocommit": True}, min_size=1, max_size=_WRITERS, open=False
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
    ) -> HitFound | None:
        """Content version and contact of the hit's message, or None when there is no such message any more.

        kind 0 only looks: nothing is written.

        Raises HitsRefused when the database is away.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(PendingHit(at, kind, message_id, month, link, user_agent, done))
        self._arrived.set()
        found: HitFound | None = await done
        return found

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
                found = await _store(connection, batch)
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
                hit.done.set_result(found.get(position))


async def _store(connection: AsyncConnection[tuple[Any, ...]], batch: list[PendingHit]) -> dict[int, HitFound]:
    """Write the batch and commit, in one statement and one round trip; what was found, by position in the batch.

    Arrays are written out here: the driver's way of adapting a list asks every element what it is.
    """
    texts = list({hit.user_agent: None for hit in batch})
    place = {agent: number for number, agent in enumerate(texts, 1)}
    cursor = await connection.execute(
        statement("hongyan.edge", "edge.sql", "store_hits"),
        {
            "at": _array([microseconds(hit.at) for hit in batch]),
            "kinds": _array([hit.kind for hit in batch]),
            "message_ids": _array([hit.message_id for hit in batch]),
            "months": _array([hit.month for hit in batch]),
            "links": _array(["NULL" if hit.link is None else hit.link for hit in batch]),
            "agents": _array([place[hit.user_agent] for hit in batch]),
            "agent_texts": texts,
        },
    )
    return {
        position: HitFound(version, contact_id)
        for position, version, contact_id in await cursor.fetchall()
        if version is not None
    }


def microseconds(at: datetime) -> int:
    """Since 1970; exact, which a float of seconds is not."""
    passed = at - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _array(values: Iterable[object]) -> str:
    """Numbers and dates as PostgreSQL writes arrays: nothing in them needs quoting."""
    return "{" + ",".join(map(str, values)) + "}"

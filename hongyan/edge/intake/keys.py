"""Which write keys work, as this process last read them."""

import asyncio
import logging
import time
from collections import Counter
from typing import Any

from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

from hongyan.core.sql import numbers, statement
from hongyan.ingest.intake.write_keys import KnownKey, hash_of

log = logging.getLogger("hongyan.edge")
Pool = AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]

_FRESH_S = 5.0  # an archived key ends within this time in every process
_AGAIN_S = 0.5  # a key nobody knows may be brand new: it is looked for, but guessers wait until the next look
_SECRETS = 1_000  # secrets whose hash is remembered


class KeysAway(Exception):
    """The keys were never read, and the database cannot be reached."""


class Keys:
    def __init__(self, pool: Pool, turned_away: Counter[int] | None = None) -> None:
        """turned_away: calls over the limit by key, written down and emptied with each look."""
        self._pool = pool
        self._turned_away = Counter[int]() if turned_away is None else turned_away
        self._known: dict[bytes, KnownKey] = {}
        self._hashes: dict[str, bytes] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, secret: str) -> KnownKey | None:
        """Raises KeysAway."""
        if not secret or len(secret) > 100:
            return None
        hashed = self._hashes.get(secret)
        if hashed is None:
            hashed = hash_of(secret)
        age = time.monotonic() - self._read_at
        if age > _FRESH_S:
            await self._read()
        elif hashed not in self._known:
            if age < _AGAIN_S:
                await asyncio.sleep(_AGAIN_S - age)
            if time.monotonic() - self._read_at >= _AGAIN_S:  # nobody else has looked while this one waited
                await self._read()
        known = self._known.get(hashed)
        if known is not None and len(self._hashes) < _SECRETS:
            self._hashes[secret] = hashed
        return known

    async def origins(self) -> frozenset[str]:
        """Of all websites with a browser's key."""
        if time.monotonic() - self._read_at > _FRESH_S:
            await self._read()
        return frozenset(origin for known in self._known.values() for origin in known.origins)

    async def _read(self) -> None:
        """One reader at a time; while the database is away, what was known goes on to count."""
        seen = self._read_at
        async with self._reading:
            if self._read_at != seen:
                return
            try:
                async with self._pool.connection(timeout=5) as connection:
                    cursor = await connection.execute(statement("hongyan.edge", "intake.sql", "known_keys"))
                    rows = await cursor.fetchall()
                    await self._write_down(connection)
            except (OperationalError, TimeoutError) as error:
                if seen == float("-inf"):
                    raise KeysAway from error
                log.warning("write keys not read", extra={"why": type(error).__name__})
            else:
                self._known = {
                    bytes(hashed): KnownKey(pk, kind, tuple(origins), rate) for hashed, pk, kind, origins, rate in rows
                }
            self._read_at = time.monotonic()

    async def _write_down(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        if not self._turned_away:
            return
        refused = dict(self._turned_away)
        values = {"ids": numbers(refused), "calls": numbers(refused.values())}
        await connection.execute(statement("hongyan.edge", "intake.sql", "count_refused"), values)
        await connection.commit()
        self._turned_away.subtract(refused)
        for key in [key for key, calls in self._turned_away.items() if not calls]:
            del self._turned_away[key]

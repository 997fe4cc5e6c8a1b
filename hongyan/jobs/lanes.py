"""What the lanes of a worker have in common: turn by turn until there is nothing to do, a rest, again."""

import asyncio
from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.db import close_old_connections


async def keep_turning(turn: Callable[[], object], stop: asyncio.Event, *, rest_s: float) -> None:
    """turn: one piece of work, in a thread; says (as true or false) whether there may be more to do at once."""
    work = sync_to_async(_with_living_connection, thread_sensitive=False)
    while not stop.is_set():
        if not await work(turn):
            await rest(stop, rest_s)


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """So long, or until the worker is to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def _with_living_connection(turn: Callable[[], object]) -> object:
    close_old_connections()  # the lane lives on when the database restarts
    return turn()

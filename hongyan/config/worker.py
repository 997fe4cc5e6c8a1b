"""The worker process: every lane is a coroutine; one that fails is started again, the others go on.

Any number of workers may run against one database; any of them may die at any instant.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable

import uvloop

from hongyan.config.boot import setup_django

log = logging.getLogger("hongyan.worker")
Lane = Callable[[asyncio.Event], Awaitable[None]]


async def main() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await asyncio.gather(*(keep_running(name, lane, stop) for name, lane in lanes().items()))


def lanes() -> dict[str, Lane]:
    from hongyan.audience.membership.lane import run_membership
    from hongyan.audience.population.lane import run_population
    from hongyan.audience.standing.lane import run_standing
    from hongyan.delivery.sender import run_sender
    from hongyan.edge.digest import run_digest
    from hongyan.events.history.turns import run_history
    from hongyan.events.tasks import run_catalogue
    from hongyan.identity.lane import run_arriving
    from hongyan.ingest.commerce.inbox import run_inbox
    from hongyan.ingest.intake.lane import run_intake
    from hongyan.jobs.worker import run_worker

    name = f"{os.uname().nodename}-{os.getpid()}"
    return {
        "jobs": run_worker,
        "sender": lambda stop: run_sender(stop, worker_name=name),
        "digest": run_digest,
        "intake": run_intake,
        "catalogue": run_catalogue,
        "history": run_history,
        "population": run_population,
        "shops": run_inbox,
        "identity": run_arriving,
        "standing": run_standing,
        "membership": run_membership,
    }


async def keep_running(name: str, lane: Lane, stop: asyncio.Event) -> None:
    from hongyan.jobs.lanes import rest

    pause_s = 0.5
    while not stop.is_set():
        try:
            await lane(stop)
        except Exception:  # the outermost loop: log where, rest, go on
            log.exception("lane failed", extra={"lane": name})
        if not stop.is_set():
            await rest(stop, pause_s)
            pause_s = min(pause_s * 2, 30)


if __name__ == "__main__":
    setup_django()
    uvloop.run(main())

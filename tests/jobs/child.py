"""A worker process for the tests that kill one."""

import asyncio
import signal

import django

django.setup()

from hongyan.jobs import worker  # noqa: E402

from . import kinds  # noqa: E402, F401  registers

worker.BEAT_S, worker.SILENT_S = 0.3, 1.5


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await worker.run_worker(stop)


asyncio.run(main())

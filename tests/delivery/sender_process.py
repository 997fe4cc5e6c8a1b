"""A sender process to be killed: ``python -m tests.delivery.sender_process PORT``."""

import asyncio
import os
import sys
from datetime import timedelta

import django


def main() -> None:
    django.setup()
    from django.conf import settings

    from hongyan.delivery.sender import SenderOptions, run_sender
    from tests.delivery.servers import relay

    settings.HONGYAN_MIN_FREE_MB = 0
    options = SenderOptions(batch=100, lease=timedelta(seconds=2), poll_s=0.05, connections=8)
    asyncio.run(
        run_sender(asyncio.Event(), worker_name=str(os.getpid()), relay=relay(int(sys.argv[1])), options=options)
    )


if __name__ == "__main__":
    main()

"""A worker of its own: the intake lane until it is killed. ``python -m tests.ingest.intake_process``"""

import asyncio
import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = os.environ["HONGYAN_TEST_DATABASE_NAME"]
    from hongyan.ingest.intake import lane

    lane._CALLS = 300  # many transactions, so that a kill meets one in its middle

    async def run() -> None:
        await lane.run_intake(asyncio.Event())

    asyncio.run(run())


if __name__ == "__main__":
    main()

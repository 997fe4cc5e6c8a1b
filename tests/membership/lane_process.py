"""A worker of its own with this lane only, until it is killed. ``python -m tests.membership.lane_process``"""

import asyncio
import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = os.environ["HONGYAN_TEST_DATABASE_NAME"]
    from hongyan.audience.membership import building, lane, passing

    passing.EVENTS = 7  # many small passes, so that death meets them everywhere
    building.CHUNK = 200
    asyncio.run(lane.run_membership(asyncio.Event()))


if __name__ == "__main__":
    main()

"""A worker of its own: one run of a source to its end, or its death. ``python -m tests.ingest.source_process ID``"""

import os
import sys


def main(run_id: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = os.environ["HONGYAN_TEST_DATABASE_NAME"]
    from hongyan.ingest.sources import runner

    runner.source_run(run_id, lambda _read: None)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""A worker of its own: runs one import to its end (or to its death). ``python -m tests.ingest.runner_process ID``"""

import os
import sys


def main(import_id: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = os.environ["HONGYAN_TEST_DATABASE_NAME"]
    from hongyan.ingest import runner

    runner.CHUNK = 500
    runner.import_run(import_id, lambda _done, _total: None, workers=1)


if __name__ == "__main__":
    main(int(sys.argv[1]))

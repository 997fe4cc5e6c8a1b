"""Settings of the test suite: a throw-away PostgreSQL of its own, started when this module is first imported."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if not os.environ.get("HONGYAN_TEST_STARTED"):
    _folder = Path(tempfile.mkdtemp(prefix="hongyan-test-"))
    os.environ["HONGYAN_DATA_DIR"] = str(_folder)
    os.environ["HONGYAN_TEST_STARTED"] = str(os.getpid())
    if not os.environ.get("HONGYAN_TEST_DATABASE_URL"):
        from hongyan.core import embedded

        _server = embedded.start(_folder, throwaway=True)
        os.environ["HONGYAN_DATABASE_URL"] = embedded.url(_folder)
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
        atexit.register(_server.cleanup)  # runs first: last registered
    else:
        os.environ["HONGYAN_DATABASE_URL"] = os.environ["HONGYAN_TEST_DATABASE_URL"]

from hongyan.config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

"""What every test needs of the test database."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import _application, chromium, open_page, site  # noqa: F401  fixtures for every room


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests with real transactions empty the tables afterwards, which append-only tables refuse: their guards against
    TRUNCATE are off here, and on again in the tests of those guards."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 > 0"
        )
        for table, trigger in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{trigger}"')


@pytest.fixture(autouse=True)
def _fresh_keyring() -> Iterator[None]:
    """Keys made inside a test are rolled back with it."""
    yield
    from hongyan.core.crypto.keyring import forget_keyring

    forget_keyring()

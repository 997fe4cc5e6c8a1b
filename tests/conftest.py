"""What every test needs of the test database."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import _application, chromium, open_page, site  # noqa: F401  fixtures for every room
from tests.emptying import PARTITIONED, empty, empty_database


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps a loop running in this thread, in which no asynchronous test can run."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    for item in items:
        if item.get_closest_marker("browser"):  # a busy machine may starve a browser; the report names every rerun
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end; looking through its 800,000 objects again and again took an
    eighth of the time of tests that make many."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What went wrong in attempts that were repeated: a rerun hides nothing."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"first attempt of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Tests with real transactions empty the tables afterwards, which the guards of append-only tables against TRUNCATE
    refuse: they are off here, and on again in the tests of those guards."""
    from django.db import connection
    from django.test import TransactionTestCase

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 > 0"
        )
        for table, trigger in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{trigger}"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_database)
        yield
    # Threads that asynchronous tests left behind may still hold a connection; the database could not be dropped.
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@pytest.fixture(autouse=True)
def _fresh_keyring() -> Iterator[None]:
    """Keys made inside a test are rolled back with it."""
    yield
    from hongyan.core.crypto.keyring import forget_keyring

    forget_keyring()


@pytest.fixture(autouse=True)
def _whole_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Around tests with real transactions: nothing is there but the seeds of all migrations."""
    marker = request.node.get_closest_marker("django_db")
    real = "transactional_db" in request.fixturenames or bool(marker and marker.kwargs.get("transaction"))
    if not real:
        yield
        return
    request.getfixturevalue("transactional_db")
    empty(PARTITIONED)
    _seed_again()
    yield


def _seed_again() -> None:
    from importlib import import_module

    from django.apps import apps
    from django.contrib.contenttypes.models import ContentType

    from hongyan.contacts.models import Topic

    ContentType.objects.clear_cache()
    if not Topic.objects.exists():
        import_module("hongyan.contacts.migrations.0002_topics_and_ledger_guard").seed(apps, None)

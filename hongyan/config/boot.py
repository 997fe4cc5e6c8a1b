"""Bringing the database and Django up for a command or a process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hongyan.config.own_database import DatabaseProblem, check_own
from hongyan.core import embedded, env
from hongyan.core.crypto.master import MasterKeyProblem


class NotSetUp(Exception):
    """There is no installation, or one of an older version; the text names the place and the remedy."""


PROBLEMS = (embedded.EmbeddedProblem, DatabaseProblem, env.BadSetting, MasterKeyProblem, NotSetUp)


@contextmanager
def database() -> Iterator[Any]:
    """Run the block with a database: the configured one, or the embedded server (yields its handle)."""
    folder = data_dir()
    if url := env.given("HONGYAN_DATABASE_URL"):
        embedded.check_folder(folder)
        check_own(url)
        yield None
        return
    server = embedded.start(folder)
    os.environ["HONGYAN_DATABASE_URL"] = embedded.url(folder)
    try:
        yield server
    finally:
        _close_connections()
        server.cleanup()
        os.environ.pop("HONGYAN_DATABASE_URL", None)


def data_dir() -> Path:
    default = Path(__file__).resolve().parents[2] / "var"
    return Path(os.environ.get("HONGYAN_DATA_DIR") or default).resolve()


def point_at_settings() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hongyan.config.settings")


def setup_django() -> None:
    point_at_settings()
    import django

    django.setup()


@contextmanager
def product(*, there: bool = True, current: bool = True) -> Iterator[None]:
    """Database and Django for the length of a command; known problems end it with their remedy instead of a trace.
    there: the command makes no installation. current: it needs one of this very version."""
    try:
        if there:
            _require_folder()
        with database():
            setup_django()
            if there and current:
                _require_schema()
            yield
    except PROBLEMS as problem:
        from rich.console import Console

        Console(stderr=True).print(f"[bold red]✗[/] {problem}")
        sys.exit(1)


def _require_folder() -> None:
    """Before an empty database is made of a mistyped folder."""
    if not env.given("HONGYAN_DATABASE_URL") and not (data_dir() / "postgres" / "PG_VERSION").exists():
        raise NotSetUp(
            f"There is no Hongyan in {data_dir()} yet: 'hongyan up' sets one up there. "
            "If yours is elsewhere, HONGYAN_DATA_DIR says where."
        )


def _require_schema() -> None:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotSetUp(
            "The database is not set up for this version of Hongyan: 'hongyan up' or 'hongyan migrate' does that. "
            "Make a backup before an upgrade."
        )


def migrate() -> None:
    """Bring the schema up to date; two processes starting at once wait for each other."""
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7105002)")
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(7105002)")


def _close_connections() -> None:
    from django.conf import settings

    if settings.configured:
        from django.db import connections

        connections.close_all()

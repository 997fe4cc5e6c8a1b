"""Bringing the database and Django up for a command or a process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hongyan.core import embedded, env
from hongyan.core.crypto.master import MasterKeyProblem

_OLDEST = 16  # major version of PostgreSQL


class DatabaseProblem(Exception):
    """The configured database cannot be used; the text says what is wrong and the remedy, never the password."""


PROBLEMS = (embedded.EmbeddedProblem, DatabaseProblem, env.BadSetting, MasterKeyProblem)


@contextmanager
def database() -> Iterator[Any]:
    """Run the block with a database: the configured one, or the embedded server (yields its handle)."""
    folder = data_dir()
    if url := os.environ.get("HONGYAN_DATABASE_URL"):
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


def check_own(url: str) -> None:
    """A PostgreSQL of one's own: there, new enough, in UTF-8, and ours to make tables in. Raises DatabaseProblem."""
    if not url.startswith(("postgresql://", "postgres://")):
        return  # the settings say what an address must look like
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10, client_encoding="UTF8", autocommit=True) as connection:
            version = connection.info.server_version // 10_000
            row = connection.execute(
                "SELECT current_setting('server_encoding'), has_schema_privilege('public', 'CREATE'), current_user, "
                "current_database(), pg_is_in_recovery()"
            ).fetchone()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise DatabaseProblem(
            f"the database of HONGYAN_DATABASE_URL does not answer: {reason}. Check address, user and password; "
            "a database is made with: createdb --encoding=UTF8 hongyan. "
            "Without HONGYAN_DATABASE_URL Hongyan starts one of its own."
        ) from error
    encoding, may_create, user, name, standby = row or ("", False, "", "", False)
    if version < _OLDEST:
        raise DatabaseProblem(
            f"the database of HONGYAN_DATABASE_URL is PostgreSQL {version}; Hongyan needs {_OLDEST} or newer. "
            "Without HONGYAN_DATABASE_URL it starts one of its own."
        )
    if encoding != "UTF8":
        raise DatabaseProblem(
            f"the database {name} is encoded in {encoding}; make one in UTF-8: "
            "createdb --template=template0 --encoding=UTF8 hongyan"
        )
    if standby:
        raise DatabaseProblem(f"the database {name} is a standby that takes no writes; use the primary's address")
    if not may_create:
        raise DatabaseProblem(
            f"the user {user} may not make tables in the database {name}; as its owner: "
            f'GRANT CREATE ON SCHEMA public TO "{user}", or ALTER DATABASE "{name}" OWNER TO "{user}"'
        )


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
def product() -> Iterator[None]:
    """Database and Django for the length of a command; known problems end it with their remedy instead of a trace."""
    try:
        with database():
            setup_django()
            yield
    except PROBLEMS as problem:
        from rich.console import Console

        Console(stderr=True).print(f"[bold red]✗[/] {problem}")
        sys.exit(1)


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

"""Empties the database after tests with real transactions. Django's flush makes the files of all 150 tables and every
permission anew, 0.6 s of processor time a test; by then few tables hold anything, and of those few rows."""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection, transaction

PARTITIONED: Final = (  # Django manages none of them, so its flush leaves them full
    "contacts_touched",
    "delivery_message",
    "events_anonymous",
    "events_dedupe",
    "events_event",
    "events_message",
)
_KEPT: Final = {"auth_permission", "django_content_type"}  # the same in every test; a flush makes them again
_LARGE: Final = 1024 * 1024  # bytes, from which on new files are cheaper than deleting


def empty_database(*_: object) -> None:
    """As a flush would leave it."""
    empty(set(connection.introspection.django_table_names(only_existing=True)) - _KEPT | set(PARTITIONED))


def empty(tables: Iterable[str]) -> None:
    """Whoever is still at work is waited for. Guards and logs hear nothing of it, as with TRUNCATE."""
    names = sorted(tables)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {_listed(names)} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {_quoted(name)})" for name in names)
        )
        filled = {str(row[0]) for row in cursor.fetchall()}
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relnamespace = 'public'::regnamespace "
            "AND (relkind = 'p' OR pg_relation_size(oid) > %s)",
            [list(filled), _LARGE],
        )
        large = {str(row[0]) for row in cursor.fetchall()}
        if large:
            cursor.execute(f"TRUNCATE {_listed(sorted(large))} CASCADE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in sorted(filled - large):
            cursor.execute(f"DELETE FROM {_quoted(name)}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)

"""A PostgreSQL of one's own: is it one that Hongyan can live in? Every refusal names the remedy, never the password."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hongyan.core import dsn

if TYPE_CHECKING:
    import psycopg

OLDEST = 16  # major version of PostgreSQL
_WITHOUT = "Without HONGYAN_DATABASE_URL Hongyan starts one of its own."

_LOOK = """
SELECT current_user::text AS "user", current_database()::text AS database,
       current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby,
       current_setting('transaction_read_only')::boolean AS read_only,
       to_regnamespace('public') IS NOT NULL AS has_public,
       coalesce(has_schema_privilege(to_regnamespace('public'), 'USAGE')
           AND has_schema_privilege(to_regnamespace('public'), 'CREATE'), false) AS may_create,
       has_database_privilege(current_database(), 'TEMPORARY') AS may_temporary,
       to_regclass('public.django_migrations') IS NOT NULL AS begun,
       (SELECT count(*) FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p', 'f')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')) AS tables
"""


class DatabaseProblem(Exception):
    """The configured database cannot be used; the text says what is wrong and the remedy, never the password."""


@dataclass(frozen=True, slots=True)
class Seen:
    user: str
    database: str
    encoding: str
    standby: bool
    read_only: bool
    has_public: bool
    may_create: bool
    may_temporary: bool
    begun: bool
    tables: int


def check_own(url: str) -> None:
    """There, new enough, in UTF-8, and ours to make tables in. Raises DatabaseProblem."""
    import psycopg

    try:
        parameters = {"connect_timeout": 10, **dsn.parameters_of(url)}
    except dsn.BadAddress as error:
        raise DatabaseProblem(f"HONGYAN_DATABASE_URL is no address of a database: {error}") from None
    try:
        with psycopg.connect(**{**parameters, "client_encoding": "UTF8", "autocommit": True}) as connection:
            _refuse_old(connection.info.server_version // 10_000)
            seen = _look(connection)
    except psycopg.Error as error:
        raise DatabaseProblem(
            f"the database of HONGYAN_DATABASE_URL does not answer: {_reason(error)}. "
            f"Check address, user and password; a database is made with: createdb --encoding=UTF8 hongyan. {_WITHOUT}"
        ) from error
    for problem in (_unfit(seen), _no_rights(seen), _foreign(seen)):
        if problem:
            raise DatabaseProblem(problem)


def _look(connection: "psycopg.Connection[Any]") -> Seen:
    from psycopg.rows import class_row

    with connection.cursor(row_factory=class_row(Seen)) as cursor:
        seen = cursor.execute(_LOOK).fetchone()
    assert seen is not None  # noqa: S101 - a SELECT without FROM has one row
    return seen


def _refuse_old(version: int) -> None:
    if version < OLDEST:
        raise DatabaseProblem(
            f"the database of HONGYAN_DATABASE_URL is PostgreSQL {version}; Hongyan needs {OLDEST} or newer. "
            "Move it to a newer server (pg_upgrade, or pg_dump and pg_restore; packages: https://apt.postgresql.org). "
            f"{_WITHOUT}"
        )


def _unfit(seen: Seen) -> str:
    if seen.encoding != "UTF8":
        return (
            f"the database {seen.database} is encoded in {seen.encoding}; make one in UTF-8: "
            "createdb --template=template0 --encoding=UTF8 hongyan"
        )
    if seen.standby:
        return f"the database {seen.database} is a standby that takes no writes; use the primary's address"
    if seen.read_only:
        return (
            f"the database {seen.database} is read-only for the user {seen.user}; as its owner: "
            f'ALTER ROLE "{seen.user}" IN DATABASE "{seen.database}" SET default_transaction_read_only = off'
        )
    return ""


def _no_rights(seen: Seen) -> str:
    if not seen.has_public:
        return (
            f"the database {seen.database} has no schema named public; as its owner: "
            f'CREATE SCHEMA public AUTHORIZATION "{seen.user}"'
        )
    if not seen.may_create:
        return (
            f"the user {seen.user} may not make tables in the database {seen.database}; as its owner: "
            f'GRANT USAGE, CREATE ON SCHEMA public TO "{seen.user}", '
            f'or ALTER DATABASE "{seen.database}" OWNER TO "{seen.user}"'
        )
    if not seen.may_temporary:
        return (
            f"the user {seen.user} may not make temporary tables in the database {seen.database}, "
            f'and imports need them; as its owner: GRANT TEMPORARY ON DATABASE "{seen.database}" TO "{seen.user}"'
        )
    return ""


def _foreign(seen: Seen) -> str:
    if seen.tables and not seen.begun:
        return (
            f"the database {seen.database} already holds {seen.tables} tables that are not Hongyan's; "
            f'give it a database of its own: createdb --encoding=UTF8 --owner="{seen.user}" hongyan'
        )
    return ""


def _reason(error: Exception) -> str:
    """The server's words, without a stop of their own and on one line."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__

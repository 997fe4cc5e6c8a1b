"""How connections to the database are opened: Django's, and the hot lanes' own through psycopg."""

from typing import Any

# A server of one's own may speak otherwise by default: dates as 22/11/2026 cannot be read back, days would begin in the
# server's zone, and a schema named like the user would take the tables. The embedded server is told the same.
SESSION = (
    "-c search_path=public -c timezone=UTC -c datestyle=ISO,MDY -c intervalstyle=postgres "
    r"-c default_transaction_isolation=read\ committed"
)
_NAMES = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
_DJANGOS = frozenset({"server_side_binding"})  # options that Django takes for itself


class BadAddress(Exception):
    """The text is no address of a PostgreSQL database; says what is wrong with it, without repeating it."""


def django_database(url: str, *, default_name: str) -> dict[str, Any]:
    """Django's description of the database at ``postgresql://…``: everything libpq understands may stand in it, several
    hosts and certificates too. Raises BadAddress."""
    given = parameters_of(url)
    options = {"server_side_binding": False, "sslmode": "prefer"}
    options |= {key: value for key, value in given.items() if key not in _NAMES.values()}
    database = {name: str(given.get(key, "")) for name, key in _NAMES.items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **database,
        "NAME": database["NAME"] or default_name,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def parameters_of(url: str) -> dict[str, Any]:
    """What ``psycopg.connect`` takes, with the session as the product's statements expect it. Raises BadAddress."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    if not url.startswith(("postgresql://", "postgres://")):
        raise BadAddress("it must start with postgresql://")
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError as error:  # its words may repeat the password
        raise BadAddress(
            "it cannot be read; the form is postgresql://user:password@host:port/database, "
            "and signs like @ : / ? # % in a password are written %40 %3A %2F %3F %23 %25"
        ) from error
    return {**given, "options": f"{SESSION} {given.get('options') or ''}".strip()}


def connection_parameters() -> dict[str, Any]:
    """Keyword arguments for ``psycopg.connect`` and its pools, from Django's default database."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    wanted = {key: database[name] for name, key in _NAMES.items()}
    wanted |= {key: value for key, value in database["OPTIONS"].items() if key not in _DJANGOS}
    return {key: value for key, value in wanted.items() if value}

"""Connections beside Django's: the hot lanes use psycopg directly, with the same settings."""

from typing import Any

from django.conf import settings


def connection_parameters() -> dict[str, Any]:
    """Keyword arguments for ``psycopg.connect`` and its pools, from Django's default database."""
    database = settings.DATABASES["default"]
    wanted = {
        "dbname": database["NAME"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "host": database["HOST"],
        "port": database["PORT"],
        "sslmode": database["OPTIONS"].get("sslmode", "prefer"),
    }
    return {key: value for key, value in wanted.items() if value}

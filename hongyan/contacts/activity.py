"""When people last did something themselves: a visit, an order, a click. What is done to their record is not that."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from hongyan.contacts import touched
from hongyan.core.sql import numbers, statement, texts


def mark_active(latest: Mapping[int, datetime]) -> None:
    """latest: contact id and when. In the caller's transaction, in the order of ids; never back in time."""
    if not latest:
        return
    pairs = sorted(latest.items())
    with connection.cursor() as cursor, touched.only_activity(cursor):
        cursor.execute(
            statement("hongyan.contacts", "contacts.sql", "seen_active"),
            {"ids": numbers(pk for pk, _ in pairs), "at": texts([at.isoformat() for _, at in pairs])},
        )

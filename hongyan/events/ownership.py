"""Whose events they are, when two records of one person become one and when that is taken back."""

from collections.abc import Sequence

from django.db import connection

from hongyan.core.sql import numbers, statement


def hand_over(*, contact_id: int, to: int) -> list[int]:
    """All events of a contact; returns their ids, to hand them back by. Readers with a cursor do not see them again."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.events", "events.sql", "hand_over"), {"contact_id": contact_id, "to": to})
        return [row[0] for row in cursor.fetchall()]


def hand_back(ids: Sequence[int], *, contact_id: int, to: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "events.sql", "hand_back"),
            {"ids": numbers(ids), "contact_id": contact_id, "to": to},
        )

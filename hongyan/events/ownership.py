"""Whose events they are, when two records of one person become one and when that is taken back."""

from collections.abc import Sequence

from django.db import connection

from hongyan.core.sql import numbers, statement


def hand_over(pairs: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    """All events of the first of each pair to the second; returns their ids by the first, to hand them back by.
    Nobody is in two of the pairs. Readers with a cursor do not see the events again."""
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "events.sql", "hand_over"),
            {"from": numbers(one for one, _ in pairs), "to": numbers(other for _, other in pairs)},
        )
        found: dict[int, list[int]] = {}
        for contact_id, event_id in cursor.fetchall():
            found.setdefault(contact_id, []).append(event_id)
    return found


def hand_back(ids: Sequence[int], *, contact_id: int, to: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.events", "events.sql", "hand_back"),
            {"ids": numbers(ids), "contact_id": contact_id, "to": to},
        )

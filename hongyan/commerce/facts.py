"""What a contact bought, worked out from the orders alone: late, changed and cancelled ones need no special care."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from hongyan.commerce.models import Order
from hongyan.commerce.settings import commerce_settings, factors
from hongyan.core.sql import numbers, statement, texts

_BLOCK = 5_000


def facts_renew(contact_ids: Iterable[int]) -> int:
    """In the caller's transaction. Returns how many contacts were looked at."""
    wanted = sorted(set(contact_ids))
    if not wanted:
        return 0
    row = commerce_settings()
    known = factors(row)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.commerce", "orders.sql", "facts"),
            {
                "contacts": numbers(wanted),
                "currency": row.currency,
                "currencies": texts(known),
                "factors": texts([format(factor, "f") for factor in known.values()]),
            },
        )
    return len(wanted)


def contacts_with_orders(after: int, limit: int = _BLOCK) -> Sequence[int]:
    found = Order.objects.filter(contact_id__gt=after).order_by("contact_id").values_list("contact_id", flat=True)
    return [contact_id for contact_id in found.distinct()[:limit] if contact_id is not None]


def facts_renew_block(after: int) -> int | None:
    """The next contacts with orders after this one; where it ended, None at the end."""
    with transaction.atomic():
        block = contacts_with_orders(after)
        facts_renew(block)
    return block[-1] if block else None

"""Customers and what they did, written straight into the tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from hongyan.commerce.models import ContactFacts
from hongyan.contacts.models import Contact
from hongyan.events.services import append
from hongyan.events.types import NewEvent

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def did(contact: Contact, name: str, *, days_ago: float, **properties: Any) -> None:
    append([NewEvent(contact.pk, name, NOW - timedelta(days=days_ago), "test", properties)])


def customer(*, orders: int, total_minor: int, days_ago: float, contact: Contact | None = None) -> Contact:
    made = contact or Contact.objects.create()
    ContactFacts.objects.create(
        contact=made,
        orders=orders,
        currency="CNY",
        total_minor=total_minor,
        average_minor=total_minor // max(orders, 1),
        per_currency={},
        first_at=NOW - timedelta(days=days_ago),
        last_at=NOW - timedelta(days=days_ago),
    )
    return made


def told(name: str) -> list[tuple[int, dict[str, Any]]]:
    """Events of this name, in order: contact and properties."""
    import orjson

    with connection.cursor() as cursor:
        cursor.execute("SELECT contact_id, properties FROM events_event WHERE name = %s ORDER BY id", [name])
        return [(contact_id, orjson.loads(data) if isinstance(data, str) else data) for contact_id, data in cursor]

"""Orders in a few words, for tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hongyan.accounts.types import system_actor
from hongyan.commerce import orders
from hongyan.commerce.models import Order
from hongyan.commerce.money import rounded_minor
from hongyan.commerce.types import LineIn, LineKind, OrderIn, OrderOutcome, Person
from hongyan.contacts.models import Contact
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues

ACTOR = system_actor("test")
START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SHOP = "shop"


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def line(
    sku: str, quantity: str = "1", price: str = "10.00", currency: str = "GBP", kind: LineKind = LineKind.PRODUCT
) -> LineIn:
    amount = rounded_minor(Decimal(price) * Decimal(quantity), currency)
    return LineIn(sku, sku.title(), Decimal(quantity), Decimal(price), amount, kind)


def order(name: str, *lines: LineIn, email: str = "mei@example.com", at: int = 0, **more: Any) -> OrderIn:
    person = more.pop("person", Person(email=email))
    currency = more.pop("currency", "GBP")
    return OrderIn(
        external_id=name, placed_at=day(at), currency=currency, lines=lines or (line("tea"),), person=person, **more
    )


def put(*given: OrderIn, source: str = SHOP, **more: Any) -> list[OrderOutcome]:
    return orders.upsert(actor=ACTOR, source=source, orders=given, **more)


def kept(name: str, source: str = SHOP) -> Order:
    return Order.objects.get(source=source, external_id=name)


def contact(**values: Any) -> Contact:
    return contact_create(actor=ACTOR, values=ContactValues(values), source="test")

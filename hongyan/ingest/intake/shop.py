"""Order Completed and Order Updated of servers and apps become orders, which write their own facts.

A browser's key is public: what it says about orders stays an event and never becomes turnover. So does what names no
known customer or cannot be read as an order.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from hongyan.accounts.types import Actor
from hongyan.commerce import orders
from hongyan.commerce.errors import CommerceRefused
from hongyan.commerce.types import LineIn, OrderIn, OrderState, Outcome, Person
from hongyan.contacts import normalise
from hongyan.contacts.errors import NormaliseProblem
from hongyan.core.money import Money
from hongyan.events.tracked import claim
from hongyan.ingest.intake.work import Item

_NAMES: Final = frozenset({"order_completed", "order_updated"})
_MOST_LINES = 500


def take_orders(items: Sequence[Item], *, actor: Actor) -> None:
    """Marks the items that became orders."""
    by_source: dict[str, list[tuple[Item, OrderIn]]] = {}
    for item in items:
        order = None if item.sender.browser or item.dropped or item.contact_id is None else order_of(item)
        if order is not None:
            by_source.setdefault(item.sender.key, []).append((item, order))
    for source, found in by_source.items():
        pairs = _unseen(source, found)
        try:
            outcomes = orders.upsert(actor=actor, source=source, orders=[order for _, order in pairs])
        except CommerceRefused:
            continue
        for (item, _), outcome in zip(pairs, outcomes, strict=True):
            item.in_shop = outcome.outcome is not Outcome.REJECTED and outcome.contact_id is not None


def _unseen(source: str, pairs: Sequence[tuple[Item, OrderIn]]) -> list[tuple[Item, OrderIn]]:
    """Without repeats of a message id, which are done with here."""
    fresh = claim(source, [item.call.message_id for item, _ in pairs if item.call.message_id])
    found = []
    for item, order in pairs:
        key = item.call.message_id
        if key and key not in fresh:
            item.in_shop = True
            continue
        fresh.discard(key)
        item.claimed = True
        found.append((item, order))
    return found


def order_of(item: Item) -> OrderIn | None:
    """Segment's spec, "Ecommerce: Order Completed". None: not an order that can be kept as one."""
    said = item.call.properties
    order_id, products = said.get("order_id"), said.get("products")
    if item.call.name not in _NAMES or not item.call.user_id or not isinstance(products, list) or not products:
        return None
    if not isinstance(order_id, str | int) or isinstance(order_id, bool) or len(products) > _MOST_LINES:
        return None
    try:
        currency = normalise.currency(str(said.get("currency") or ""))
        lines = tuple(_line(product, currency) for product in products)
        amounts = {name: _minor(said.get(name), currency) for name in ("discount", "shipping", "tax", "total")}
    except (NormaliseProblem, InvalidOperation, ValueError, TypeError):
        return None
    return OrderIn(
        external_id=str(order_id),
        number=str(order_id),
        placed_at=item.call.occurred_at,
        updated_at=item.call.occurred_at,
        currency=currency,
        lines=lines,
        state=OrderState.PAID,
        person=Person(external_id=item.call.user_id),
        discount_minor=abs(amounts["discount"] or 0),
        shipping_minor=amounts["shipping"] or 0,
        tax_minor=amounts["tax"] or 0,
        total_minor=amounts["total"],
        coupon=str(said.get("coupon") or "")[:120],
    )


def _line(product: Any, currency: str) -> LineIn:
    if not isinstance(product, dict):
        raise TypeError
    price, quantity = _decimal(product.get("price")), _decimal(product.get("quantity", 1))
    if price is None or quantity is None:
        raise ValueError
    sku = str(product.get("sku") or product.get("product_id") or "")
    return LineIn(
        sku=sku,
        title=str(product.get("name") or sku)[:300],
        quantity=quantity,
        unit_price=price,
        amount_minor=Money.of(price * quantity, currency).amount_minor,
        product=str(product.get("product_id") or ""),
        variant=str(product.get("variant") or ""),
    )


def _minor(value: Any, currency: str) -> int | None:
    amount = _decimal(value)
    return None if amount is None else Money.of(amount, currency).amount_minor


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    found = Decimal(str(value))
    if not found.is_finite() or abs(found) > Decimal(10) ** 12:
        raise ValueError
    return found

"""Orders as events of the contact, with the names and properties of Segment's spec for commerce (v2).

Amounts stand twice: ``total`` and its like as exact decimal numbers in major units, as the spec has them, and
``total_minor`` in minor units. https://segment.com/docs/connections/spec/ecommerce/v2/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from hongyan.commerce.models import Order
from hongyan.commerce.money import major_text, rounded_minor
from hongyan.commerce.types import LineIn, LineKind, OrderIn, OrderKind, OrderState, RefundIn
from hongyan.events.types import NewEvent

MOST_PRODUCTS = 100  # in one event; the order itself has them all
_UNPAID = frozenset({OrderState.PENDING, OrderState.CANCELLED})
COMPLETED, UPDATED = "order_completed", "order_updated"
CANCELLED, REFUNDED = "order_cancelled", "order_refunded"


@dataclass(frozen=True, slots=True)
class Written:
    """An order that was written just now. before: the state it had, None for a new one."""

    order: OrderIn
    contact_id: int
    total_minor: int
    digest: str
    before: str | None
    moved: bool  # it has another contact than before: told anew
    at: datetime


def events_of(
    written: Written, *, source: str, products: Mapping[str, tuple[int, str, str, str]]
) -> Iterator[NewEvent]:
    """Repeats are dropped by their keys, so everything that is true is said."""
    order = written.order
    said = False
    for name, at, key, extra in _occasions(written):
        said = said or written.before is None or key.split(":")[0] != "completed"
        yield NewEvent(
            contact_id=written.contact_id,
            name=name,
            occurred_at=at,
            source=source,
            properties={**_properties(written, products), **extra},
            dedupe_key=f"order:{order.external_id}:{key}",
        )
    changed = written.before is not None and not written.moved
    if changed and order.kind is OrderKind.ORDER and order.state is not OrderState.CANCELLED:
        yield NewEvent(
            contact_id=written.contact_id,
            name=UPDATED,
            occurred_at=order.updated_at or written.at,
            source=source,
            properties=_properties(written, products),
            dedupe_key=f"order:{order.external_id}:updated:{written.digest}",
        )


def _occasions(written: Written) -> Iterator[tuple[str, datetime, str, dict[str, Any]]]:
    order = written.order
    # A person's history moves with the person when contacts are merged; only an order given to somebody else is retold.
    again = f":{written.contact_id}" if written.moved else ""
    if order.kind is OrderKind.CREDIT:
        yield CANCELLED, order.placed_at, f"cancelled{again}", {}
        return
    if order.kind is OrderKind.ADJUSTMENT:
        return
    if order.state not in _UNPAID:
        yield COMPLETED, order.placed_at, f"completed{again}", {}
    if order.state is OrderState.CANCELLED:
        yield CANCELLED, order.cancelled_at or order.updated_at or written.at, f"cancelled{again}", {}
    for refund in order.refunds:
        amount = {
            "total": _number(refund.amount_minor, order.currency),
            "total_minor": refund.amount_minor,
            "refund_id": refund.external_id,
        }
        yield REFUNDED, refund.at, f"refund:{refund.external_id}{again}", amount


def _properties(written: Written, products: Mapping[str, tuple[int, str, str, str]]) -> dict[str, Any]:
    order, total = written.order, abs(written.total_minor)
    goods = [line for line in order.lines if line.kind in {LineKind.PRODUCT, LineKind.GIFT_CARD}]
    revenue = abs(sum(line.amount_minor for line in goods)) - order.discount_minor
    found: dict[str, Any] = {
        "order_id": order.number or order.external_id,
        "currency": order.currency,
        "total": _number(total, order.currency),
        "total_minor": total,
        "revenue": _number(max(revenue, 0), order.currency),
        "products": [_product(line, order.currency, products) for line in goods[:MOST_PRODUCTS]],
    }
    if len(goods) > MOST_PRODUCTS:
        found["products_count"] = len(goods)
    for name, minor in (
        ("shipping", order.shipping_minor or sum(x.amount_minor for x in order.lines if x.kind is LineKind.SHIPPING)),
        ("tax", order.tax_minor),
        ("discount", order.discount_minor),
    ):
        if minor:
            found[name] = _number(minor, order.currency)
    if order.coupon:
        found["coupon"] = order.coupon
    return found


def _product(line: LineIn, currency: str, products: Mapping[str, tuple[int, str, str, str]]) -> dict[str, Any]:
    quantity = line.quantity
    found: dict[str, Any] = {
        "product_id": line.product or line.sku,
        "sku": line.sku,
        "name": line.title,
        "quantity": int(quantity) if quantity == quantity.to_integral_value() else _decimal(quantity),
        "price": _decimal(line.unit_price),
        "price_minor": rounded_minor(line.unit_price, currency),
    }
    known = products.get(line.product or line.sku)
    if known is not None:
        _, title, category, brand = known
        found |= {key: value for key, value in (("category", category), ("brand", brand)) if value}
        found["name"] = line.title or title
    if line.variant:
        found["variant"] = line.variant
    return found


def _number(minor: int, currency: str) -> orjson.Fragment:
    """An exact JSON number: 19.90, never 19.899999."""
    return orjson.Fragment(major_text(minor, currency))


def _decimal(value: Decimal) -> orjson.Fragment:
    return orjson.Fragment(format(value.normalize(), "f"))


def refund_event(order: Order, refund: RefundIn) -> NewEvent:
    """Of a refund that came by itself."""
    return NewEvent(
        contact_id=order.contact_id,
        name=REFUNDED,
        occurred_at=refund.at,
        source=order.source,
        properties={
            "order_id": order.number,
            "currency": order.currency,
            "total": _number(refund.amount_minor, order.currency),
            "total_minor": refund.amount_minor,
            "refund_id": refund.external_id,
        },
        dedupe_key=f"order:{order.external_id}:refund:{refund.external_id}",
    )


def cancel_event(order: Order, at: datetime) -> NewEvent:
    return NewEvent(
        contact_id=order.contact_id,
        name=CANCELLED,
        occurred_at=at,
        source=order.source,
        properties={
            "order_id": order.number,
            "currency": order.currency,
            "total": _number(order.total_minor, order.currency),
            "total_minor": order.total_minor,
        },
        dedupe_key=f"order:{order.external_id}:cancelled",
    )

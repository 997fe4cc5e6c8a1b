"""What WooCommerce says, in our words. Field names and meanings: REST API v3, orders, products, customers.
https://woocommerce.github.io/woocommerce-rest-api-docs/
"""

from decimal import Decimal
from typing import Any, Final

from hongyan.commerce.money import rounded_minor
from hongyan.commerce.types import LineIn, LineKind, OrderIn, OrderState, Person, ProductIn, RefundIn
from hongyan.ingest.commerce.said import Said

API: Final = "/wp-json/wc/v3"
_STATES: Final = {
    "pending": OrderState.PENDING,
    "on-hold": OrderState.PENDING,
    "checkout-draft": OrderState.PENDING,
    "auto-draft": OrderState.PENDING,
    "processing": OrderState.PAID,
    "completed": OrderState.FULFILLED,
    "cancelled": OrderState.CANCELLED,
    "failed": OrderState.CANCELLED,
    "trash": OrderState.CANCELLED,
    "refunded": OrderState.REFUNDED,
}
_SIXTH: Final = Decimal("0.000001")


def order_of(value: Any, *, shop: str) -> OrderIn | None:
    """None for a cart that was never sent. States of plug-ins we do not know count as paid once money was."""
    said = Said(value)
    status = said.text("status", 40)
    if status in {"checkout-draft", "auto-draft"}:
        return None
    currency = said.currency("currency")
    changed = said.moment("date_modified_gmt", utc=True)
    paid = said.moment("date_paid_gmt", utc=True)
    state = _STATES.get(status, OrderState.PAID if paid else OrderState.PENDING)
    coupons = [coupon.text("code", 120) for coupon in said.several("coupon_lines")]
    billing = said.inner("billing")
    placed = said.needed_moment("date_created_gmt", utc=True)
    return OrderIn(
        external_id=said.identifier("id"),
        number=said.text("number", 120),
        placed_at=placed,
        updated_at=changed,
        cancelled_at=changed if state is OrderState.CANCELLED else None,
        currency=currency,
        state=state,
        person=_buyer(said, billing, shop=shop),
        lines=(
            *(_line(line, currency) for line in said.several("line_items")),
            *(_fee(line, currency) for line in said.several("fee_lines")),
        ),
        discount_minor=said.minor("discount_total", currency),
        shipping_minor=said.minor("shipping_total", currency),
        tax_minor=said.minor("total_tax", currency),
        total_minor=said.minor("total", currency),
        # Refunds inside an order carry no time of their own; the order's last change is the nearest there is.
        refunds=tuple(
            RefundIn(
                item.identifier("id"), abs(item.minor("total", currency)), changed or placed, item.text("reason", 300)
            )
            for item in said.several("refunds")
        ),
        country=billing.text("country", 2),
        coupon=next(iter(coupons), ""),
    )


def person_of(said: Said, *, shop: str) -> Person:
    """A customer of the shop; their numbers are small and the shop's own, so they carry its key."""
    billing = said.inner("billing")
    number = said.text("id", 40)
    return Person(
        external_id=f"{shop}:{number}"[:120] if number not in {"", "0"} else "",
        email=said.text("email") or billing.text("email"),
        phone=billing.text("phone", 40),
        given_name=said.text("first_name", 120) or billing.text("first_name", 120),
        family_name=said.text("last_name", 120) or billing.text("last_name", 120),
        country=billing.text("country", 2),
        city=billing.text("city", 120),
    )


def product_of(value: Any, *, currency: str = "") -> ProductIn:
    """Messages do not say the currency: it is the one the shop sells in."""
    said = Said(value)
    pictures, categories = said.several("images"), said.several("categories")
    price = said.minor("price", currency) if currency and said.text("price") else None
    return ProductIn(
        external_id=said.identifier("id"),
        sku=said.text("sku", 120),
        title=said.text("name", 400),
        url=said.text("permalink", 2000),
        image_url=pictures[0].text("src", 2000) if pictures else "",
        category=categories[0].text("name", 200) if categories else "",
        brand=next((brand.text("name", 200) for brand in said.several("brands")), ""),
        currency=currency if price is not None else "",
        price_minor=price,
        attributes={"type": said.text("type", 40)},
        active=said.text("status") in {"publish", ""},
        updated_at=said.moment("date_modified_gmt", utc=True),
    )


def _buyer(said: Said, billing: Said, *, shop: str) -> Person:
    number = said.text("customer_id", 40)
    return Person(
        external_id=f"{shop}:{number}"[:120] if number not in {"", "0"} else "",
        email=billing.text("email"),
        phone=billing.text("phone", 40),
        given_name=billing.text("first_name", 120),
        family_name=billing.text("last_name", 120),
        country=billing.text("country", 2),
        city=billing.text("city", 120),
    )


def _line(said: Said, currency: str) -> LineIn:
    """subtotal: of the whole line before coupons, without tax."""
    quantity = said.decimal("quantity")
    amount = said.decimal("subtotal")
    each = (amount / quantity).quantize(_SIXTH) if quantity else said.decimal("price")
    return LineIn(
        sku=said.text("sku", 120) or said.text("product_id", 120),
        title=said.text("name", 400),
        quantity=quantity,
        unit_price=each,
        amount_minor=rounded_minor(amount, currency),
        product=said.text("product_id", 200),
        external_id=said.text("id", 120),
    )


def _fee(said: Said, currency: str) -> LineIn:
    amount = said.decimal("total")
    return LineIn(
        sku="fee",
        title=said.text("name", 400),
        quantity=Decimal(1),
        unit_price=amount,
        amount_minor=rounded_minor(amount, currency),
        kind=LineKind.FEE,
        external_id=said.text("id", 120),
    )

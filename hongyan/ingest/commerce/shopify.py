"""What Shopify says, in our words. Field names and meanings: Admin REST API: Order, Product, Customer, Refund.
https://shopify.dev/docs/api/admin-rest
"""

from decimal import Decimal
from typing import Any, Final

from hongyan.commerce.money import exact_minor, rounded_minor
from hongyan.commerce.types import LineIn, LineKind, OrderIn, OrderState, Person, ProductIn, RefundIn
from hongyan.ingest.commerce.said import Said

API: Final = "/admin/api/2026-07"  # Shopify answers a version it has dropped with its oldest one
_PAID: Final = {
    "pending": OrderState.PENDING,
    "authorized": OrderState.PENDING,
    "partially_paid": OrderState.PENDING,
    "expired": OrderState.CANCELLED,
    "voided": OrderState.CANCELLED,
    "refunded": OrderState.REFUNDED,
    "partially_refunded": OrderState.PARTIALLY_REFUNDED,
}


def order_of(value: Any, *, shop: str) -> OrderIn | None:
    """None for a test order. Amounts are in the shop's own currency."""
    said = Said(value)
    if said.value.get("test") is True:
        return None
    currency = said.currency("currency")
    cancelled_at = said.moment("cancelled_at")
    discounts = [code.text("code", 120) for code in said.several("discount_codes")]
    return OrderIn(
        external_id=said.identifier("id"),
        number=said.text("name", 120) or said.identifier("order_number"),
        placed_at=said.moment("processed_at") or said.needed_moment("created_at"),
        updated_at=said.moment("updated_at"),
        cancelled_at=cancelled_at,
        currency=currency,
        state=OrderState.CANCELLED if cancelled_at else _state(said),
        person=person_of(said.inner("customer"), shop=shop, order=said),
        lines=tuple(_line(line, currency) for line in said.several("line_items")),
        discount_minor=said.minor("total_discounts", currency),
        shipping_minor=_shipping(said, currency),
        tax_minor=said.minor("total_tax", currency),
        total_minor=said.minor("total_price", currency),
        refunds=tuple(refund for item in said.several("refunds") if (refund := refund_of(item.value, currency))),
        country=_address(said).text("country_code", 2),
        coupon=next(iter(discounts), ""),
    )


def refund_of(value: Any, currency: str) -> RefundIn | None:
    """None for one without money (only stock was put back)."""
    said = Said(value)
    amount = sum(
        item.minor("amount", currency)
        for item in said.several("transactions")
        if item.text("kind") == "refund" and item.text("status") in {"success", ""}
    )
    if not amount:
        return None
    at = said.moment("processed_at") or said.needed_moment("created_at")
    return RefundIn(said.identifier("id"), amount, at, said.text("note", 300))


def person_of(said: Said, *, shop: str, order: Said | None = None) -> Person:
    """Customer numbers are the shop's own, so they carry its key."""
    address = said.inner("default_address")
    number = said.text("id", 40)
    about = order if order is not None else said
    where = _address(about) if order is not None else address
    return Person(
        external_id=f"{shop}:{number}"[:120] if number else "",
        email=said.text("email") or about.text("email") or about.text("contact_email"),
        phone=said.text("phone", 40) or about.text("phone", 40) or address.text("phone", 40),
        given_name=said.text("first_name", 120) or where.text("first_name", 120),
        family_name=said.text("last_name", 120) or where.text("last_name", 120),
        country=where.text("country_code", 2) or address.text("country_code", 2),
        city=where.text("city", 120) or address.text("city", 120),
    )


def product_of(value: Any, *, currency: str = "", address: str = "") -> ProductIn:
    """One product with its first variant's price; lines name products, not variants. Messages do not say the currency:
    it is the one the shop sells in."""
    said = Said(value)
    variants = said.several("variants")
    first = variants[0] if variants else Said({})
    handle = said.text("handle", 200)
    price = first.minor("price", currency) if currency and first.text("price") else None
    pictures = said.several("images")
    image = said.inner("image").text("src", 2000) or (pictures[0].text("src", 2000) if pictures else "")
    return ProductIn(
        external_id=said.identifier("id"),
        sku=first.text("sku", 120),
        title=said.text("title", 400),
        url=f"{address}/products/{handle}" if address and handle else "",
        image_url=image,
        category=said.text("product_type", 200),
        brand=said.text("vendor", 200),
        currency=currency if price is not None else "",
        price_minor=price,
        attributes={"variants": len(variants), "tags": said.text("tags", 1000)},
        active=said.text("status") in {"active", ""},
        updated_at=said.moment("updated_at"),
    )


def _state(said: Said) -> OrderState:
    known = _PAID.get(said.text("financial_status"))
    if known is not None:
        return known
    return OrderState.FULFILLED if said.text("fulfillment_status") == "fulfilled" else OrderState.PAID


def _line(said: Said, currency: str) -> LineIn:
    quantity, price = said.decimal("quantity"), said.decimal("price")
    return LineIn(
        sku=said.text("sku", 120) or said.text("variant_id", 120) or said.text("product_id", 120),
        title=said.text("title", 400) or said.text("name", 400),
        quantity=quantity,
        unit_price=price,
        amount_minor=rounded_minor(quantity * price, currency),
        kind=LineKind.GIFT_CARD if said.value.get("gift_card") is True else LineKind.PRODUCT,
        product=said.text("product_id", 200),
        variant=said.text("variant_title", 200),
        external_id=said.text("id", 120),
    )


def _shipping(said: Said, currency: str) -> int:
    total = said.inner("total_shipping_price_set").inner("shop_money")
    if total.text("amount"):
        return total.minor("amount", currency)
    return exact_minor(sum((line.decimal("price") for line in said.several("shipping_lines")), Decimal(0)), currency)


def _address(said: Said) -> Said:
    billing = said.inner("billing_address")
    return billing if billing.value else said.inner("shipping_address")

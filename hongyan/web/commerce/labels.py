"""Words of this area for the things of ``commerce`` and of files of orders."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from hongyan.commerce import words as commerce_words
from hongyan.commerce.models import Order, PrivacyTask, Shop
from hongyan.commerce.types import OrderState
from hongyan.core.money import Money, exponent
from hongyan.ingest import words
from hongyan.ingest.commerce import columns
from hongyan.ingest.commerce.types import FileOf, OrderCounts
from hongyan.ingest.errors import IngestRefused
from hongyan.web.figures import number

# Look of each state, from the vocabulary of hongyan/web/states.py.
_PILLS = {
    "pending": "unpaid",
    "paid": "active",
    "fulfilled": "done",
    "cancelled": "cancelled",
    "refunded": "given_back",
    "partially_refunded": "given_back_in_part",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    icon: str
    text: str


def money(amount_minor: int | None, currency: str) -> str:
    """1,234.50 GBP."""
    if amount_minor is None:
        return "—"
    return f"{Money(amount_minor, currency).major():,.{exponent(currency)}f} {currency}"


def exact(value: Decimal) -> str:
    """Without trailing zeros."""
    return f"{value.normalize():,f}"


def states() -> list[tuple[str, str]]:
    return [
        (OrderState.PENDING.value, _("Unpaid")),
        (OrderState.PAID.value, _("Paid")),
        (OrderState.FULFILLED.value, _("Fulfilled")),
        (OrderState.PARTIALLY_REFUNDED.value, _("Partly refunded")),
        (OrderState.REFUNDED.value, _("Refunded")),
        (OrderState.CANCELLED.value, _("Cancelled")),
    ]


def state(name: str) -> str:
    return dict(states()).get(name, name)


def pill(order: Any) -> tuple[str, str]:
    """Look and word. A credit note is what it is, whatever its state."""
    if order.kind == "credit":
        return "credit_note", _("Credit note")
    if order.kind == "adjustment":
        return "adjustment", _("Adjustment")
    return _PILLS.get(order.state, order.state), state(order.state)


def kinds() -> list[tuple[str, str]]:
    return [("order", _("Orders")), ("credit", _("Credit notes")), ("adjustment", _("Adjustments"))]


def line_kind(name: str) -> str:
    return {
        "shipping": _("Shipping"),
        "discount": _("Discount"),
        "fee": _("Charge"),
        "adjustment": _("Correction"),
        "gift_card": _("Gift card"),
    }.get(name, "")


def match(name: str) -> str:
    return {
        "exact": _("same customer, article and quantity"),
        "part": _("same customer and article, part of the quantity"),
    }.get(name, "")


def change(name: str) -> str:
    return {
        "state": _("State"),
        "kind": _("Kind"),
        "total_minor": _("Total"),
        "number": _("Number"),
        "currency": _("Currency"),
        "shipping_minor": _("Shipping"),
        "discount_minor": _("Discount"),
        "tax_minor": _("Tax"),
        "items": _("Lines"),
        "contact": _("Customer"),
        "refund": _("Refund"),
    }.get(name, name)


def changed_value(name: str, value: Any, order: Order) -> str:
    if name.endswith("_minor") or name == "refund":
        return money(value, order.currency) if isinstance(value, int) else "—"
    if name == "state":
        return state(str(value))
    if name == "contact":
        return _("known") if value else _("not known")
    return "—" if value is None else str(value)


def shop_kinds() -> list[tuple[str, str, str]]:
    return [
        (Shop.Kind.SHOPIFY.value, "Shopify", _("A custom app of your shop gives the access token and API secret.")),
        (Shop.Kind.WOOCOMMERCE.value, "WooCommerce", _("A REST API key of your WordPress site; reading is enough.")),
    ]


def problem(code: str) -> str:
    return commerce_words.problem(code) if code else ""


def disconnected(why: str) -> str:
    return {"uninstalled": _("The app was removed in the shop.")}.get(why, _("It was disconnected here."))


def privacy_what(what: str) -> str:
    return {
        PrivacyTask.What.DATA_REQUEST.value: _("A customer asks what is held about them"),
        PrivacyTask.What.REDACT_CUSTOMER.value: _("A customer is to be erased"),
        PrivacyTask.What.REDACT_SHOP.value: _("The shop left: everything of its customers is to be erased"),
    }.get(what, what)


def refusal(error: IngestRefused) -> str:
    if "target" in error.params:
        return words.refusal_of(error.code, {**error.params, "target": target(str(error.params["target"]))})
    return words.refusal(error)


def target(name: str) -> str:
    """The name of an import target."""
    return {
        "number": _("Order number"),
        "placed_at": _("Placed at"),
        "updated_at": _("Changed at"),
        "state": _("State"),
        "currency": _("Currency"),
        "customer_id": _("Customer ID"),
        "email": _("E-mail of the customer"),
        "phone": _("Phone of the customer"),
        "full_name": _("Name of the customer"),
        "country": _("Country"),
        "city": _("City"),
        "sku": _("Article number"),
        "title": _("Article name"),
        "variant": _("Variant"),
        "quantity": _("Quantity"),
        "unit_price": _("Unit price"),
        "line_amount": _("Amount of the line"),
        "total": _("Total of the order"),
        "discount": _("Discount of the order"),
        "shipping": _("Shipping of the order"),
        "tax": _("Tax of the order"),
        "coupon": _("Coupon"),
        "product_id": _("Product ID"),
        "price": _("Price"),
        "category": _("Category"),
        "brand": _("Brand"),
        "url": _("Web address"),
        "image_url": _("Picture"),
        "active": _("On sale"),
    }.get(name, name)


def target_groups(kind: str) -> list[tuple[str, list[tuple[str, str]]]]:
    if kind == FileOf.PRODUCTS:
        return [(_("Product"), [(name, target(name)) for name in columns.PRODUCT_TARGETS])]
    person = ("customer_id", "email", "phone", "full_name", "country", "city")
    lines = [name for name in columns.ORDER_TARGETS if name in columns.LINE_TARGETS]
    rest = [name for name in columns.ORDER_TARGETS if name not in person and name not in lines]
    return [
        (_("Order"), [(name, target(name)) for name in rest]),
        (_("Customer"), [(name, target(name)) for name in person]),
        (pgettext("order", "Line"), [(name, target(name)) for name in lines]),
    ]


def date_orders() -> list[tuple[str, str]]:
    return [
        ("ymd", _("Year first (2026-11-22); others only where no other reading is possible")),
        ("dmy", _("Day first (22/11/2026)")),
        ("mdy", _("Month first (11/22/2026)")),
    ]


def sentences(counts: OrderCounts, *, done: bool, products: bool) -> list[Sentence]:
    """What became of the rows (or would), lines about nothing left out."""
    found = [("file-text", counts.rows, ngettext("%(n)s row read.", "%(n)s rows read.", counts.rows))]
    found += _of_products(counts) if products else _of_orders(counts)
    if done:
        refused = ngettext("%(n)s row rejected.", "%(n)s rows rejected.", counts.rejected)
    else:
        refused = ngettext("%(n)s row would be rejected.", "%(n)s rows would be rejected.", counts.rejected)
    found += [
        ("equal", counts.unchanged, ngettext(
            "%(n)s was there already.", "%(n)s were there already.", counts.unchanged)),
        ("clock", counts.stale, ngettext(
            "%(n)s is older than what is kept.", "%(n)s are older than what is kept.", counts.stale)),
        ("x", counts.rejected, refused),
    ]  # fmt: skip
    return [Sentence(icon, text % {"n": number(count)}) for icon, count, text in found if count]


def _of_products(counts: OrderCounts) -> list[tuple[str, int, str]]:
    return [
        ("plus", counts.created, ngettext("%(n)s new product.", "%(n)s new products.", counts.created)),
        ("pencil", counts.updated, ngettext("%(n)s product changed.", "%(n)s products changed.", counts.updated)),
    ]


def _of_orders(counts: OrderCounts) -> list[tuple[str, int, str]]:
    found = [
        ("plus", counts.created, ngettext(
            "%(n)s new order or document.", "%(n)s new orders and documents.", counts.created)),
        ("pencil", counts.updated, ngettext("%(n)s order changed.", "%(n)s orders changed.", counts.updated)),
        ("shopping-cart", counts.orders, ngettext("%(n)s is an order.", "%(n)s are orders.", counts.orders)),
        ("receipt-refund", counts.credits, ngettext(
            "%(n)s is a credit note: it takes back earlier orders.",
            "%(n)s are credit notes: they take back earlier orders.", counts.credits)),
        ("adjustments", counts.adjustments, ngettext(
            "%(n)s is an adjustment of stock or books: nobody bought anything.",
            "%(n)s are adjustments of stock or books: nobody bought anything.", counts.adjustments)),
        ("user-plus", counts.contacts, ngettext(
            "%(n)s customer was not known: a new contact, without consent.",
            "%(n)s customers were not known: new contacts, without consent.", counts.contacts)),
    ]  # fmt: skip
    for code, count in sorted(counts.missing.items()):
        alone = ngettext("%(n)s stays without a contact.", "%(n)s stay without a contact.", count)
        found.append(("user-off", count, f"{alone} {commerce_words.missing(code)}"))
    return found


def reasons(counts: OrderCounts) -> list[dict[str, Any]]:
    ordered = sorted(counts.reasons.items(), key=lambda item: -item[1])
    return [{"label": words.rejection(code), "value": count, "tone": "warn"} for code, count in ordered]

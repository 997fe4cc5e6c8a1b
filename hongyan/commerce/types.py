"""What crosses this room's border."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID


class OrderState(StrEnum):
    PENDING = "pending"  # placed, not paid
    PAID = "paid"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"  # all of it
    PARTIALLY_REFUNDED = "partially_refunded"


class OrderKind(StrEnum):
    ORDER = "order"
    CREDIT = "credit"  # a credit note or cancellation: negative, gives money back for one or several orders
    ADJUSTMENT = "adjustment"  # bookkeeping or stock: nobody bought anything


class LineKind(StrEnum):
    PRODUCT = "product"
    SHIPPING = "shipping"
    DISCOUNT = "discount"
    FEE = "fee"  # bank charges, commissions, a marketplace's share
    ADJUSTMENT = "adjustment"  # written by hand: bad debt, samples, corrections
    GIFT_CARD = "gift_card"


class Missing(StrEnum):
    """Why an order stands without a contact."""

    NONE = ""
    NO_KEY = "no_key"  # the source names no customer: a guest, the till, a stock correction
    BAD_KEY = "bad_key"  # what it names cannot be read as an address, number or id
    ERASED_BEFORE = "erased_before"  # the person was erased and is not brought back
    CONFLICT = "conflict"  # its keys belong to different contacts and none decides
    ERASED = "erased"  # the contact was erased after the order had come


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"  # the same again
    STALE = "stale"  # what is kept is newer
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Person:
    """Who bought, as the source says. Raw; empty texts are unknown. external_id is in the contacts' own name space: a
    shop's customer numbers get the shop's key before them."""

    external_id: str = ""
    email: str = ""
    phone: str = ""
    full_name: str = ""
    given_name: str = ""
    family_name: str = ""
    country: str = ""
    city: str = ""

    def __bool__(self) -> bool:
        return bool(self.external_id or self.email or self.phone)


@dataclass(frozen=True, slots=True)
class LineIn:
    """One line. amount_minor: of the whole line; negative on credits and discounts. unit_price: exact, major units."""

    sku: str
    title: str
    quantity: Decimal
    unit_price: Decimal
    amount_minor: int
    kind: LineKind = LineKind.PRODUCT
    product: str = ""  # the source's id of the product; empty: the sku
    variant: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class RefundIn:
    external_id: str
    amount_minor: int  # positive
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderIn:
    """An order as one source knows it. updated_at: the source's; None when it keeps none (the last to come wins).

    total_minor None: the sum of the lines, discounts, shipping and tax. country: ISO 3166 alpha-2, or the text as
    given where it is none.
    """

    external_id: str
    placed_at: datetime
    currency: str
    lines: tuple[LineIn, ...] = ()
    number: str = ""
    state: OrderState = OrderState.PAID
    kind: OrderKind = OrderKind.ORDER
    person: Person = field(default_factory=Person)
    contact_id: int | None = None  # who bought, where the caller knows it already; else looked up by ``person``
    updated_at: datetime | None = None
    cancelled_at: datetime | None = None
    discount_minor: int = 0  # positive: what was taken off beside the lines
    shipping_minor: int = 0
    tax_minor: int = 0
    total_minor: int | None = None
    refunds: tuple[RefundIn, ...] = ()
    country: str = ""
    coupon: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProductIn:
    external_id: str
    sku: str = ""
    title: str = ""
    url: str = ""
    image_url: str = ""
    category: str = ""
    brand: str = ""
    currency: str = ""
    price_minor: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    active: bool = True
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    external_id: str
    outcome: Outcome
    order_id: int | None = None
    contact_id: int | None = None
    missing: Missing = Missing.NONE
    new_contact: bool = False
    code: str = ""  # why it was rejected


@dataclass(frozen=True, slots=True)
class ProductOutcome:
    external_id: str
    outcome: Outcome
    product_id: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a contact bought. total_minor: in the organisation's currency, from the currencies a rate is known for."""

    orders: int
    currency: str
    total_minor: int
    average_minor: int
    per_currency: Mapping[str, Mapping[str, int]]  # {"GBP": {"orders": 3, "minor": 12345}}
    without_rate: tuple[str, ...]
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A line of a list."""

    id: int
    public_id: UUID
    external_id: str
    number: str
    source: str
    kind: str
    state: str
    currency: str
    total_minor: int
    refunded_minor: int
    items: int
    placed_at: datetime
    contact_id: int | None
    contact_public_id: UUID | None
    missing: str

"""Orders, products and files of orders as callers write and read them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Schema

from hongyan.api.bodies import Body
from hongyan.commerce.types import (
    LineKind,
    OrderKind,
    OrderState,
)

MOST = 500


class LineBody(Body):
    """Amounts are decimal text in major units: "19.90". amount: of the whole line; quantity × price when left out."""

    sku: str = Field(max_length=120)
    title: str = Field("", max_length=400)
    quantity: str = "1"
    price: str
    amount: str | None = None
    kind: LineKind = LineKind.PRODUCT
    product_id: str = Field("", max_length=200)
    variant: str = Field("", max_length=200)


class RefundBody(Body):
    id: str = Field(min_length=1, max_length=200)
    amount: str
    at: datetime
    reason: str = Field("", max_length=300)


class CustomerBody(Body):
    """One of external_id, email and phone tells who it is; an unknown person becomes a contact, without consent."""

    external_id: str = Field("", max_length=120)
    email: str = ""
    phone: str = ""
    full_name: str = Field("", max_length=200)
    country: str = ""
    city: str = ""


class OrderBody(Body):
    """updated_at: the time your system changed it; an older one never overwrites a newer. total: worked out from lines,
    discount, shipping and tax when left out."""

    id: str = Field(min_length=1, max_length=200)
    number: str = Field("", max_length=120)
    state: OrderState = OrderState.PAID
    kind: OrderKind = OrderKind.ORDER
    currency: str
    placed_at: datetime
    updated_at: datetime | None = None
    cancelled_at: datetime | None = None
    customer: CustomerBody = Field(default_factory=lambda: CustomerBody.model_validate({}))
    lines: list[LineBody] = Field([], max_length=2000)
    discount: str = "0"
    shipping: str = "0"
    tax: str = "0"
    total: str | None = None
    coupon: str = Field("", max_length=120)
    country: str = Field("", max_length=64)
    refunds: list[RefundBody] = Field([], max_length=200)
    attributes: dict[str, Any] = {}


class OrdersBody(Body):
    """source: the name of the system they come from; an order is (source, id)."""

    source: str = Field(min_length=1, max_length=64)
    orders: list[OrderBody] = Field(min_length=1, max_length=MOST)


class ProductBody(Body):
    id: str = Field(min_length=1, max_length=200)
    sku: str = ""
    title: str = ""
    url: str = ""
    image_url: str = ""
    category: str = ""
    brand: str = ""
    currency: str = ""
    price: str | None = None
    active: bool = True
    updated_at: datetime | None = None
    attributes: dict[str, Any] = {}


class ProductsBody(Body):
    source: str = Field(min_length=1, max_length=64)
    products: list[ProductBody] = Field(min_length=1, max_length=MOST)


class Taken(Schema):
    """outcome: created, updated, unchanged, stale (what is kept is newer) or rejected; code and reason then say why.
    without_contact: why an order stands alone."""

    id: str
    outcome: str
    code: str = ""
    reason: str = ""
    without_contact: str = ""


class OrderLineOut(Schema):
    sku: str
    title: str
    kind: str
    variant: str
    quantity: str
    price: str
    amount: str


class RefundOut(Schema):
    id: str
    amount: str
    at: datetime
    reason: str


class OrderOut(Schema):
    """Amounts are decimal text in major units of the currency."""

    id: UUID
    source: str
    external_id: str
    number: str
    kind: str
    state: str
    currency: str
    total: str
    refunded: str
    placed_at: datetime
    contact: UUID | None
    without_contact: str


class OrderWhole(OrderOut):
    lines_total: str
    discount: str
    shipping: str
    tax: str
    fees: str
    country: str
    updated_at: datetime | None
    cancelled_at: datetime | None
    attributes: dict[str, Any]
    lines: list[OrderLineOut]
    refunds: list[RefundOut]


class ProductOut(Schema):
    id: UUID
    source: str
    external_id: str
    sku: str
    title: str
    url: str
    image_url: str
    category: str
    brand: str
    currency: str
    price: str | None
    active: bool
    known_from_orders_only: bool
    attributes: dict[str, Any]
    updated_at: datetime


class BoughtIn(Schema):
    currency: str
    orders: int
    total: str


class Bought(Schema):
    """total, average: in the organisation's currency, over the currencies a rate is known for."""

    orders: int
    currency: str
    total: str
    average: str
    by_currency: list[BoughtIn]
    without_rate: list[str]
    first_at: datetime | None
    last_at: datetime | None


class FileOut(Schema):
    id: UUID
    state: str
    header: list[str]
    mapping: list[str]
    options: dict[str, Any]
    counts: dict[str, Any]
    trial: dict[str, Any] | None
    error: str


class FileSettings(Body):
    """mapping: the target of each column, "" leaves it out. options: source, currency, zone, date_order."""

    mapping: list[str] | None = None
    options: dict[str, str] | None = None

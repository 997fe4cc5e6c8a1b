"""Orders and products: lists, one, many at once, take back; what a contact bought; files of orders."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, File, Router, Schema, Status
from ninja.files import UploadedFile

from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.paging import Listing, capped, read_cursor, write_cursor
from hongyan.api.problems import Part, Problem
from hongyan.commerce import orders, products, selectors, words
from hongyan.commerce.errors import CommerceMissing, CommerceRefused
from hongyan.commerce.models import Product
from hongyan.commerce.money import checked_currency, decimal_of, exact_minor, major_text, rounded_minor
from hongyan.commerce.types import (
    LineIn,
    LineKind,
    OrderIn,
    OrderKind,
    OrderRow,
    OrderState,
    Person,
    ProductIn,
    RefundIn,
)
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.ingest import selectors as imports
from hongyan.ingest.commerce import services as files
from hongyan.ingest.models import Import

router = Router()
_MOST = 500


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
    orders: list[OrderBody] = Field(min_length=1, max_length=_MOST)


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
    products: list[ProductBody] = Field(min_length=1, max_length=_MOST)


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


@router.post("/orders", response=list[Taken], summary="Write up to 500 orders; the same again changes nothing")
def orders_write(request: HttpRequest, data: OrdersBody) -> list[Taken]:
    given = [_order_in(item, f"/orders/{place}") for place, item in enumerate(data.orders)]
    outcomes = orders.upsert(actor=actor(request), source=data.source, orders=given, by="api")
    return [
        Taken(
            id=item.external_id,
            outcome=item.outcome.value,
            code=item.code,
            reason=words.problem(item.code) if item.code else "",
            without_contact=item.missing.value,
        )
        for item in outcomes
    ]


@router.get("/orders", response=Listing[OrderOut], summary="Orders, newest first")
def orders_list(  # noqa: PLR0917 - what a query may hold
    request: HttpRequest,
    number: str = "",
    state: str = "",
    kind: str = "",
    source: str = "",
    contact: UUID | None = None,
    day_from: date | None = None,
    day_to: date | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Listing[OrderOut]:
    who = actor(request)
    contact_id = contact_by_public_id(actor=who, public_id=contact, audit=False)[0].pk if contact else None
    filters = selectors.OrderFilters(
        search=number,
        state=state,
        kind=kind,
        source=source,
        contact_id=contact_id,
        day_from=day_from,
        day_to=day_to,
    )
    rows, following = selectors.order_page(actor=who, filters=filters, after=_after(cursor), limit=capped(limit))
    return Listing[OrderOut](
        items=[_line_of(row) for row in rows], next=write_cursor(following) if following is not None else None
    )


@router.get("/orders/{order_id}", response=OrderWhole, summary="One order with its lines and refunds")
def order_read(request: HttpRequest, order_id: UUID) -> OrderWhole:
    view = selectors.order_view(actor=actor(request), public_id=order_id)
    order = view.order

    def money(minor: int) -> str:
        return major_text(minor, order.currency)

    return OrderWhole(
        id=order.public_id,
        source=order.source,
        external_id=order.external_id,
        number=order.number,
        kind=order.kind,
        state=order.state,
        currency=order.currency,
        total=money(order.total_minor),
        refunded=money(order.refunded_minor),
        placed_at=order.placed_at,
        contact=order.contact.public_id if order.contact else None,
        without_contact=order.missing,
        lines_total=money(order.lines_minor),
        discount=money(order.discount_minor),
        shipping=money(order.shipping_minor),
        tax=money(order.tax_minor),
        fees=money(order.fees_minor),
        country=order.country,
        updated_at=order.changed_at,
        cancelled_at=order.cancelled_at,
        attributes=order.attributes,
        lines=[
            OrderLineOut(
                sku=line.sku,
                title=line.title,
                kind=line.kind,
                variant=line.variant,
                quantity=f"{line.quantity.normalize():f}",
                price=f"{line.unit_price.normalize():f}",
                amount=money(line.amount_minor),
            )
            for line in view.lines
        ],
        refunds=[
            RefundOut(id=item.external_id, amount=money(item.amount_minor), at=item.at, reason=item.reason)
            for item in view.refunds
        ],
    )


@router.delete("/orders/{order_id}", response={204: None}, summary="Delete an order that never was")
def order_delete(request: HttpRequest, order_id: UUID) -> Status[None]:
    orders.order_delete(actor=actor(request), public_id=order_id)
    return Status(204, None)


@router.post("/products", response=list[Taken], summary="Write up to 500 products; the same again changes nothing")
def products_write(request: HttpRequest, data: ProductsBody) -> list[Taken]:
    given = [_product_in(item, f"/products/{place}") for place, item in enumerate(data.products)]
    outcomes = products.upsert(actor=actor(request), source=data.source, products=given)
    return [
        Taken(
            id=item.external_id,
            outcome=item.outcome.value,
            code=item.code,
            reason=words.problem(item.code) if item.code else "",
        )
        for item in outcomes
    ]


@router.get("/products", response=Listing[ProductOut], summary="Products, changed last first")
def products_list(
    request: HttpRequest, search: str = "", source: str = "", cursor: str | None = None, limit: int = 50
) -> Listing[ProductOut]:
    rows, following = selectors.product_page(
        actor=actor(request),
        filters=selectors.ProductFilters(search=search, source=source),
        after=_after(cursor),
        limit=capped(limit),
    )
    return Listing[ProductOut](
        items=[_product_out(row) for row in rows], next=write_cursor(following) if following is not None else None
    )


@router.get("/products/{product_id}", response=ProductOut, summary="One product")
def product_read(request: HttpRequest, product_id: UUID) -> ProductOut:
    return _product_out(selectors.product_view(actor=actor(request), public_id=product_id))


@router.delete("/products/{product_id}", response={204: None}, summary="Delete a product; orders keep their lines")
def product_delete(request: HttpRequest, product_id: UUID) -> Status[None]:
    products.product_delete(actor=actor(request), public_id=product_id)
    return Status(204, None)


@router.get("/contacts/{contact_id}/bought", response=Bought, summary="What a contact bought, added up")
def contact_bought(request: HttpRequest, contact_id: UUID) -> Bought:
    who = actor(request)
    contact, _identity = contact_by_public_id(actor=who, public_id=contact_id, audit=False)
    facts = selectors.facts_of_contact(actor=who, contact_id=contact.pk)
    if facts is None:
        return Bought(
            orders=0, currency="", total="0", average="0", by_currency=[], without_rate=[], first_at=None, last_at=None
        )
    return Bought(
        orders=facts.orders,
        currency=facts.currency,
        total=major_text(facts.total_minor, facts.currency),
        average=major_text(facts.average_minor, facts.currency),
        by_currency=[
            BoughtIn(currency=code, orders=item["orders"], total=major_text(item["minor"], code))
            for code, item in sorted(facts.per_currency.items())
        ],
        without_rate=list(facts.without_rate),
        first_at=facts.first_at,
        last_at=facts.last_at,
    )


@router.post("/order-files", response={201: FileOut}, summary="Upload a CSV, XLSX or Parquet file")
def file_create(request: HttpRequest, file: File[UploadedFile], kind: str = "orders") -> Status[FileOut]:
    made = files.order_import_create(
        actor=actor(request), file=file.chunks(), filename=file.name or "upload", kind=kind
    )
    return Status(201, _file(made))


@router.get("/order-files/{file_id}", response=FileOut, summary="One file, with its progress and reconciliation")
def file_read(request: HttpRequest, file_id: UUID) -> FileOut:
    found = imports.import_by_public_id(actor=actor(request), public_id=file_id)
    if not files.is_commerce(found):
        raise CommerceMissing
    return _file(found)


@router.put("/order-files/{file_id}", response=FileOut, summary="Say which column is what")
def file_configure(request: HttpRequest, file_id: UUID, data: FileSettings) -> FileOut:
    return _file(
        files.order_import_configure(
            actor=actor(request), public_id=file_id, mapping=data.mapping, options=data.options
        )
    )


@router.post("/order-files/{file_id}/trial", response={202: FileOut}, summary="Work out what would happen")
def file_trial(request: HttpRequest, file_id: UUID) -> Status[FileOut]:
    files.order_import_dry_run(actor=actor(request), public_id=file_id)
    return Status(202, file_read(request, file_id))


@router.post("/order-files/{file_id}/start", response={202: FileOut}, summary="Run the import")
def file_start(request: HttpRequest, file_id: UUID) -> Status[FileOut]:
    files.order_import_start(actor=actor(request), public_id=file_id)
    return Status(202, file_read(request, file_id))


def _order_in(item: OrderBody, place: str) -> OrderIn:
    with _at(f"{place}/currency"):
        currency = checked_currency(item.currency)
    amounts = {}
    for name in ("discount", "shipping", "tax"):
        with _at(f"{place}/{name}"):
            amounts[name] = exact_minor(decimal_of(getattr(item, name)), currency)
    total = None
    if item.total is not None:
        with _at(f"{place}/total"):
            total = exact_minor(decimal_of(item.total), currency)
    refunds = []
    for number, refund in enumerate(item.refunds):
        with _at(f"{place}/refunds/{number}/amount"):
            refunds.append(
                RefundIn(refund.id, exact_minor(decimal_of(refund.amount), currency), _aware(refund.at), refund.reason)
            )
    who = item.customer
    with _at(place):
        return OrderIn(
            external_id=item.id,
            number=item.number,
            placed_at=_aware(item.placed_at),
            updated_at=_aware(item.updated_at) if item.updated_at else None,
            cancelled_at=_aware(item.cancelled_at) if item.cancelled_at else None,
            currency=currency,
            state=item.state,
            kind=item.kind,
            person=Person(
                external_id=who.external_id,
                email=who.email,
                phone=who.phone,
                full_name=who.full_name,
                country=who.country,
                city=who.city,
            ),
            lines=tuple(_line_in(line, currency, f"{place}/lines/{n}") for n, line in enumerate(item.lines)),
            discount_minor=amounts["discount"],
            shipping_minor=amounts["shipping"],
            tax_minor=amounts["tax"],
            total_minor=total,
            refunds=tuple(refunds),
            country=item.country or who.country[:64],
            coupon=item.coupon,
            attributes=item.attributes,
        )


def _line_in(line: LineBody, currency: str, place: str) -> LineIn:
    with _at(f"{place}/quantity"):
        quantity = decimal_of(line.quantity)
        if abs(quantity) > 10**9 or quantity != round(quantity, 4):
            raise CommerceRefused("quantity")
    with _at(f"{place}/price"):
        price = decimal_of(line.price)
        amount = rounded_minor(price * quantity, currency)
    if line.amount is not None:
        with _at(f"{place}/amount"):
            amount = exact_minor(decimal_of(line.amount), currency)
    return LineIn(line.sku, line.title, quantity, price, amount, line.kind, line.product_id, line.variant)


def _product_in(item: ProductBody, place: str) -> ProductIn:
    currency, minor = "", None
    with _at(f"{place}/updated_at"):
        updated_at = _aware(item.updated_at) if item.updated_at else None
    if item.price is not None:
        with _at(f"{place}/currency"):
            currency = checked_currency(item.currency)
        with _at(f"{place}/price"):
            minor = exact_minor(decimal_of(item.price), currency)
    return ProductIn(
        external_id=item.id,
        sku=item.sku,
        title=item.title,
        url=item.url,
        image_url=item.image_url,
        category=item.category,
        brand=item.brand,
        currency=currency,
        price_minor=minor,
        attributes=item.attributes,
        active=item.active,
        updated_at=updated_at,
    )


class _at:  # noqa: N801 - reads as a clause: with _at("/orders/3/total")
    """Says where in the body a refused value stands."""

    def __init__(self, pointer: str) -> None:
        self._pointer = pointer

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, CommerceRefused):
            text = words.problem(error.code)
            raise Problem(422, "values", text, [Part(pointer=self._pointer, code=error.code, message=text)]) from error


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise CommerceRefused("date")
    return at


def _after(cursor: str | None) -> tuple[datetime, int] | None:
    position = read_cursor(cursor)
    try:
        return (datetime.fromisoformat(position[0]), int(position[1])) if position else None
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise Problem.bad_cursor() from error


def _line_of(row: OrderRow) -> OrderOut:
    return OrderOut(
        id=row.public_id,
        source=row.source,
        external_id=row.external_id,
        number=row.number,
        kind=row.kind,
        state=row.state,
        currency=row.currency,
        total=major_text(row.total_minor, row.currency),
        refunded=major_text(row.refunded_minor, row.currency),
        placed_at=row.placed_at,
        contact=row.contact_public_id,
        without_contact=row.missing,
    )


def _product_out(row: Product) -> ProductOut:
    return ProductOut(
        id=row.public_id,
        source=row.source,
        external_id=row.external_id,
        sku=row.sku,
        title=row.title,
        url=row.url,
        image_url=row.image_url,
        category=row.category,
        brand=row.brand,
        currency=row.currency,
        price=major_text(row.price_minor, row.currency) if row.price_minor is not None else None,
        active=row.active,
        known_from_orders_only=row.learned,
        attributes=row.attributes,
        updated_at=row.updated_at,
    )


def _file(row: Import) -> FileOut:
    return FileOut(
        id=row.public_id,
        state=row.state,
        header=row.header,
        mapping=row.mapping,
        options=row.options,
        counts=row.counts,
        trial=row.dry_counts,
        error=row.error_code,
    )

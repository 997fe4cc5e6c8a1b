"""Orders and products: lists, one, many at once, take back; what a contact bought; files of orders."""

from datetime import date
from uuid import UUID

from django.http import HttpRequest
from ninja import File, Router, Status
from ninja.files import UploadedFile

from hongyan.api.auth import actor
from hongyan.api.paging import Listing, capped, write_cursor
from hongyan.api.routes.commerce_mapping import after, file_out, line_of, order_in, product_in, product_out
from hongyan.api.routes.commerce_shapes import (
    Bought,
    BoughtIn,
    FileOut,
    FileSettings,
    OrderLineOut,
    OrderOut,
    OrdersBody,
    OrderWhole,
    ProductOut,
    ProductsBody,
    RefundOut,
    Taken,
)
from hongyan.commerce import order_acts, orders, products, selectors, words
from hongyan.commerce.errors import CommerceMissing
from hongyan.commerce.money import major_text
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.ingest import selectors as imports
from hongyan.ingest.commerce import services as files

router = Router()


@router.post("/orders", response=list[Taken], summary="Write up to 500 orders; the same again changes nothing")
def orders_write(request: HttpRequest, data: OrdersBody) -> list[Taken]:
    given = [order_in(item, f"/orders/{place}") for place, item in enumerate(data.orders)]
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
    rows, following = selectors.order_page(actor=who, filters=filters, after=after(cursor), limit=capped(limit))
    return Listing[OrderOut](
        items=[line_of(row) for row in rows], next=write_cursor(following) if following is not None else None
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
    order_acts.order_delete(actor=actor(request), public_id=order_id)
    return Status(204, None)


@router.post("/products", response=list[Taken], summary="Write up to 500 products; the same again changes nothing")
def products_write(request: HttpRequest, data: ProductsBody) -> list[Taken]:
    given = [product_in(item, f"/products/{place}") for place, item in enumerate(data.products)]
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
        after=after(cursor),
        limit=capped(limit),
    )
    return Listing[ProductOut](
        items=[product_out(row) for row in rows], next=write_cursor(following) if following is not None else None
    )


@router.get("/products/{product_id}", response=ProductOut, summary="One product")
def product_read(request: HttpRequest, product_id: UUID) -> ProductOut:
    return product_out(selectors.product_view(actor=actor(request), public_id=product_id))


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
    return Status(201, file_out(made))


@router.get("/order-files/{file_id}", response=FileOut, summary="One file, with its progress and reconciliation")
def file_read(request: HttpRequest, file_id: UUID) -> FileOut:
    found = imports.import_by_public_id(actor=actor(request), public_id=file_id)
    if not files.is_commerce(found):
        raise CommerceMissing
    return file_out(found)


@router.put("/order-files/{file_id}", response=FileOut, summary="Say which column is what")
def file_configure(request: HttpRequest, file_id: UUID, data: FileSettings) -> FileOut:
    return file_out(
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

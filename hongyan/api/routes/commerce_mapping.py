"""What callers wrote as the rooms take it, with the place of every fault, and what the rooms say as callers read it."""

from datetime import datetime

from hongyan.api.paging import read_cursor
from hongyan.api.problems import Part, Problem
from hongyan.api.routes.commerce_shapes import FileOut, LineBody, OrderBody, OrderOut, ProductBody, ProductOut
from hongyan.commerce import words
from hongyan.commerce.errors import CommerceRefused
from hongyan.commerce.models import Product
from hongyan.commerce.money import checked_currency, decimal_of, exact_minor, major_text, rounded_minor
from hongyan.commerce.types import (
    LineIn,
    OrderIn,
    OrderRow,
    Person,
    ProductIn,
    RefundIn,
)
from hongyan.ingest.models import Import


def order_in(item: OrderBody, place: str) -> OrderIn:
    with at(f"{place}/currency"):
        currency = checked_currency(item.currency)
    amounts = {}
    for name in ("discount", "shipping", "tax"):
        with at(f"{place}/{name}"):
            amounts[name] = exact_minor(decimal_of(getattr(item, name)), currency)
    total = None
    if item.total is not None:
        with at(f"{place}/total"):
            total = exact_minor(decimal_of(item.total), currency)
    refunds = []
    for number, refund in enumerate(item.refunds):
        with at(f"{place}/refunds/{number}/amount"):
            refunds.append(
                RefundIn(refund.id, exact_minor(decimal_of(refund.amount), currency), aware(refund.at), refund.reason)
            )
    who = item.customer
    with at(place):
        return OrderIn(
            external_id=item.id,
            number=item.number,
            placed_at=aware(item.placed_at),
            updated_at=aware(item.updated_at) if item.updated_at else None,
            cancelled_at=aware(item.cancelled_at) if item.cancelled_at else None,
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
            lines=tuple(line_in(line, currency, f"{place}/lines/{n}") for n, line in enumerate(item.lines)),
            discount_minor=amounts["discount"],
            shipping_minor=amounts["shipping"],
            tax_minor=amounts["tax"],
            total_minor=total,
            refunds=tuple(refunds),
            country=item.country or who.country[:64],
            coupon=item.coupon,
            attributes=item.attributes,
        )


def line_in(line: LineBody, currency: str, place: str) -> LineIn:
    with at(f"{place}/quantity"):
        quantity = decimal_of(line.quantity)
        if abs(quantity) > 10**9 or quantity != round(quantity, 4):
            raise CommerceRefused("quantity")
    with at(f"{place}/price"):
        price = decimal_of(line.price)
        amount = rounded_minor(price * quantity, currency)
    if line.amount is not None:
        with at(f"{place}/amount"):
            amount = exact_minor(decimal_of(line.amount), currency)
    return LineIn(line.sku, line.title, quantity, price, amount, line.kind, line.product_id, line.variant)


def product_in(item: ProductBody, place: str) -> ProductIn:
    currency, minor = "", None
    with at(f"{place}/updated_at"):
        updated_at = aware(item.updated_at) if item.updated_at else None
    if item.price is not None:
        with at(f"{place}/currency"):
            currency = checked_currency(item.currency)
        with at(f"{place}/price"):
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


class at:  # noqa: N801 - reads as a clause: with at("/orders/3/total")
    """Says where in the body a refused value stands."""

    def __init__(self, pointer: str) -> None:
        self._pointer = pointer

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, CommerceRefused):
            text = words.problem(error.code)
            raise Problem(422, "values", text, [Part(pointer=self._pointer, code=error.code, message=text)]) from error


def aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise CommerceRefused("date")
    return at


def after(cursor: str | None) -> tuple[datetime, int] | None:
    position = read_cursor(cursor)
    try:
        return (datetime.fromisoformat(position[0]), int(position[1])) if position else None
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise Problem.bad_cursor() from error


def line_of(row: OrderRow) -> OrderOut:
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


def product_out(row: Product) -> ProductOut:
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


def file_out(row: Import) -> FileOut:
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

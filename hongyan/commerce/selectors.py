"""Reads: lists by cursor, single orders and products, what a contact bought."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Upper
from django.utils import timezone

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.commerce.errors import CommerceMissing
from hongyan.commerce.models import ContactFacts, Order, OrderChange, OrderLine, Product, Refund
from hongyan.commerce.types import Facts, OrderRow
from hongyan.core.sql import statement

_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """All that is set must hold. search: the beginning of an order's number. day_to is inside the range."""

    search: str = ""
    state: str = ""
    kind: str = ""
    source: str = ""
    contact_id: int | None = None
    missing: bool | None = None  # True: orders without a contact
    day_from: date | None = None
    day_to: date | None = None
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all that match. count: capped at 10,000 when exact is False. sums: by currency, of orders that are not
    cancelled, and of what refunds and credit notes gave back."""

    count: int
    exact: bool
    sums: tuple[tuple[str, int, int], ...]  # currency, total, refunded


@dataclass(frozen=True, slots=True)
class OrderView:
    order: Order
    lines: list[OrderLine]
    refunds: list[Refund]
    changes: list[OrderChange]
    returned_by: dict[int, list[Order]] = field(default_factory=dict)  # line → credit notes
    returns: dict[int, Order] = field(default_factory=dict)  # line of a credit note → the order it takes back


@dataclass(frozen=True, slots=True)
class ProductFilters:
    """search: the beginning of the article number, or words of the title."""

    search: str = ""
    source: str = ""
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    """Of one product: how many, in how many orders, for how much; what came back. By currency."""

    currency: str
    orders: int
    quantity: Any
    amount_minor: int
    returned: Any
    returned_minor: int


def order_page(
    *, actor: Actor, filters: OrderFilters, after: tuple[datetime, int] | None = None, limit: int = 50
) -> tuple[list[OrderRow], tuple[datetime, int] | None]:
    """Newest first. after: where the last page ended."""
    actor.require(Permission.CONTACT_VIEW)
    rows = _orders(filters)
    if after is not None:
        at, last_id = after
        rows = rows.filter(Q(placed_at__lt=at) | Q(placed_at=at, id__lt=last_id))
    found = list(rows.select_related("contact").order_by("-placed_at", "-id")[: limit + 1])
    following = (found[limit - 1].placed_at, found[limit - 1].pk) if len(found) > limit else None
    return [_row(order) for order in found[:limit]], following


def order_totals(*, actor: Actor, filters: OrderFilters) -> Totals:
    """What the matching orders come to. Beyond 10,000 matches, the newest 10,000 are added up."""
    actor.require(Permission.CONTACT_VIEW)
    ids = _orders(filters).order_by("-placed_at", "-id").values("pk")[: _COUNTED + 1]
    rows = list(
        Order.objects.filter(pk__in=ids)
        .values("currency")
        .annotate(
            total=Sum("total_minor", filter=Q(kind="order") & ~Q(state="cancelled")),
            credited=Sum("total_minor", filter=Q(kind="credit")),
            count=Count("pk"),
        )
        .order_by("-count")
    )
    count = sum(row["count"] for row in rows)
    # Refunds that a credit note made on an order are counted with the note.
    refunds = Refund.objects.filter(order_id__in=ids, document=None).exclude(order__state="cancelled")
    own = dict(refunds.values_list("order__currency").annotate(sum=Sum("amount_minor")))
    sums = tuple(
        (row["currency"], row["total"] or 0, own.get(row["currency"], 0) - (row["credited"] or 0)) for row in rows
    )
    return Totals(min(count, _COUNTED), count <= _COUNTED, sums)


def order_view(*, actor: Actor, public_id: UUID) -> OrderView:
    """Raises CommerceMissing."""
    actor.require(Permission.CONTACT_VIEW)
    order = Order.objects.select_related("contact").filter(public_id=public_id).first()
    if order is None:
        raise CommerceMissing
    lines = list(order.lines.select_related("product").order_by("place"))
    back = OrderLine.objects.filter(returns_id__in=[line.pk for line in lines]).select_related("order")
    returned: dict[int, list[Order]] = {}
    for line in back:
        returned.setdefault(line.returns_id or 0, []).append(line.order)
    targets = OrderLine.objects.filter(pk__in=[line.returns_id for line in lines if line.returns_id])
    by_line = {line.pk: line.order for line in targets.select_related("order")}
    return OrderView(
        order,
        lines,
        list(order.refunds.select_related("document").order_by("at", "id")),
        list(order.changes.order_by("-at", "-id")[:100]),
        returned,
        {line.pk: by_line[line.returns_id] for line in lines if line.returns_id in by_line},
    )


def orders_of_contact(*, actor: Actor, contact_id: int, limit: int = 20) -> list[OrderRow]:
    """The newest first, credit notes among them."""
    rows, _ = order_page(actor=actor, filters=OrderFilters(contact_id=contact_id), limit=limit)
    return rows


def facts_of_contact(*, actor: Actor, contact_id: int) -> Facts | None:
    """None for somebody who bought nothing."""
    actor.require(Permission.CONTACT_VIEW)
    found = ContactFacts.objects.filter(contact_id=contact_id).first()
    if found is None:
        return None
    return Facts(
        found.orders,
        found.currency,
        found.total_minor,
        found.average_minor,
        found.per_currency,
        tuple(found.without_rate),
        found.first_at,
        found.last_at,
    )


def product_page(
    *, actor: Actor, filters: ProductFilters, after: tuple[datetime, int] | None = None, limit: int = 50
) -> tuple[list[Product], tuple[datetime, int] | None]:
    """Changed last first."""
    actor.require(Permission.CONTACT_VIEW)
    rows = Product.objects.all()
    if search := _holdable(filters.search):
        rows = rows.filter(Q(sku__istartswith=search) | Q(title__icontains=search))
    if filters.source:
        rows = rows.filter(source=_holdable(filters.source))
    if filters.active is not None:
        rows = rows.filter(active=filters.active)
    if after is not None:
        at, last_id = after
        rows = rows.filter(Q(updated_at__lt=at) | Q(updated_at=at, id__lt=last_id))
    found = list(rows.order_by("-updated_at", "-id")[: limit + 1])
    following = (found[limit - 1].updated_at, found[limit - 1].pk) if len(found) > limit else None
    return found[:limit], following


def product_view(*, actor: Actor, public_id: UUID) -> Product:
    """Raises CommerceMissing."""
    actor.require(Permission.CONTACT_VIEW)
    product = Product.objects.filter(public_id=public_id).first()
    if product is None:
        raise CommerceMissing
    return product


def sold(*, actor: Actor, product_ids: Sequence[int]) -> dict[int, list[Sold]]:
    """Per product and currency; cancelled and unpaid orders count nothing."""
    actor.require(Permission.CONTACT_VIEW)
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.commerce", "products.sql", "sold"), {"ids": list(product_ids)})
        found: dict[int, list[Sold]] = {}
        for product_id, *values in cursor.fetchall():
            found.setdefault(product_id, []).append(Sold(*values))
    return found


def sources(*, actor: Actor) -> list[str]:
    """Where orders and products came from: one look at each end of the index per source, however many orders."""
    actor.require(Permission.CONTACT_VIEW)
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.commerce", "products.sql", "sources"))
        return [name for (name,) in cursor.fetchall()]


def anything(*, actor: Actor) -> bool:
    actor.require(Permission.CONTACT_VIEW)
    return Order.objects.exists()


def _orders(filters: OrderFilters) -> QuerySet[Order]:
    rows = Order.objects.all()
    if search := _holdable(filters.search):
        rows = rows.annotate(upper_number=Upper("number")).filter(upper_number__startswith=search.upper())
    for name in ("state", "kind", "source", "contact_id"):
        if value := getattr(filters, name):
            rows = rows.filter(**{name: _holdable(value) if isinstance(value, str) else value})
    if filters.missing is not None:
        rows = rows.filter(contact=None) if filters.missing else rows.exclude(contact=None)
    zone = ZoneInfo(str(timezone.get_current_timezone_name()))
    if filters.day_from is not None:
        rows = rows.filter(placed_at__gte=datetime.combine(filters.day_from, time(), zone))
    if filters.day_to is not None:
        rows = rows.filter(placed_at__lt=datetime.combine(filters.day_to, time.max, zone))
    if filters.product_id is not None:
        rows = rows.filter(pk__in=OrderLine.objects.filter(product_id=filters.product_id).values("order_id"))
    return rows


def _holdable(text: str) -> str:
    """Without NUL, which no text of the database has."""
    return text.replace("\x00", "")


def _row(order: Order) -> OrderRow:
    return OrderRow(
        order.pk,
        order.public_id,
        order.external_id,
        order.number,
        order.source,
        order.kind,
        order.state,
        order.currency,
        order.total_minor,
        order.refunded_minor,
        order.items,
        order.placed_at,
        order.contact_id,
        order.contact.public_id if order.contact else None,
        order.missing,
    )

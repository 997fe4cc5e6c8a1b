"""Putting orders together from rows. Pure.

An order is complete when as many of its rows have come as the survey counted, wherever in the file they stand. It is
taken whole or not at all: with one row missing its total would be wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hongyan.commerce.types import LineKind, OrderIn, OrderKind, OrderState
from hongyan.ingest.commerce.figures import FileFigures
from hongyan.ingest.commerce.rows import OrderRow, RowReader, fault_of
from hongyan.ingest.commerce.types import Layout, OrderOptions
from hongyan.ingest.files.types import Row, RowFault
from hongyan.ingest.types import Reject

BATCH_ORDERS = 600
BATCH_LINES = 12_000


@dataclass(slots=True)
class Survey:
    """Rows of each order, and the figures of the file."""

    expected: dict[str, int]
    figures: FileFigures
    rows: int


@dataclass(slots=True)
class Batch:
    orders: list[OrderIn] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    rows: int = 0  # read since the last batch

    @property
    def lines(self) -> int:
        return sum(len(order.lines) for order in self.orders)


@dataclass(slots=True)
class _Open:
    """An order whose rows are still coming."""

    rows: list[OrderRow] = field(default_factory=list)
    bad: list[Reject] = field(default_factory=list)


def survey(rows: Iterable[Row], reader: RowReader, tick: Any = None) -> Survey:
    """A first pass: nothing is kept but counts."""
    expected: dict[str, int] = {}
    figures = FileFigures()
    count = 0
    for line, cells in rows:
        count += 1
        if tick is not None and not count % 5000:
            tick(count)
        if isinstance(cells, RowFault):
            continue
        number = reader.number(cells)
        expected[number] = expected.get(number, 0) + 1
        row = reader.read(line, cells)
        if isinstance(row, OrderRow):
            figures.add(row, cells)
    return Survey(expected, figures, count)


def batches(rows: Iterable[Row], reader: RowReader, expected: dict[str, int], options: OrderOptions) -> Iterator[Batch]:
    """Always cut at the same places, so that a run that was interrupted finds where it stopped by counting."""
    waiting: dict[str, _Open] = {}
    batch, lines = Batch(), 0
    for line, cells in rows:
        batch.rows += 1
        if isinstance(cells, RowFault):
            batch.rejects.append(fault_of(line, cells))
            continue
        number = reader.number(cells)
        read = reader.read(line, cells)
        if not number:
            if isinstance(read, Reject):
                batch.rejects.append(read)
            continue
        order = waiting.setdefault(number, _Open())
        if isinstance(read, Reject):
            order.bad.append(read)
        else:
            order.rows.append(read)
        if len(order.rows) + len(order.bad) < expected[number]:
            continue
        del waiting[number]
        lines += len(order.rows)
        _close(batch, order, options)
        if len(batch.orders) >= BATCH_ORDERS or lines >= BATCH_LINES or len(batch.rejects) >= BATCH_LINES:
            yield batch
            batch, lines = Batch(), 0
    yield batch


def _close(batch: Batch, order: _Open, options: OrderOptions) -> None:
    if not order.bad:
        made = assembled(order.rows, options)
        if isinstance(made, OrderIn):
            batch.orders.append(made)
            return
        order.bad.append(made)
    spoilt = {reject.line for reject in order.bad}
    rest = [Reject(row.line, None, "order_incomplete", row.number) for row in order.rows if row.line not in spoilt]
    batch.rejects += sorted([*order.bad, *rest], key=lambda reject: reject.line)


def assembled(rows: list[OrderRow], options: OrderOptions) -> OrderIn | Reject:
    """rows: all of one order, in the order of the file."""
    first = rows[0]
    person = next((row.person for row in rows if row.person), first.person)
    whole: dict[str, Any] = {}
    for row in rows:
        if row.currency != first.currency:
            return Reject(row.line, None, "currency_differs", row.currency)
        if row.person and row.person.external_id != person.external_id:
            return Reject(row.line, None, "customer_differs", row.number)
        for name, value in row.whole.items():
            whole.setdefault(name, value)
    items = tuple(row.item for row in rows if row.item is not None)
    kind = _kind(rows, options)
    state = whole.get("state", OrderState.PAID)
    placed_at = min(row.placed_at for row in rows)
    if kind is OrderKind.CREDIT:
        state = OrderState.CANCELLED
    return OrderIn(
        external_id=first.number,
        number=first.number,
        placed_at=placed_at,
        updated_at=whole.get("updated_at"),
        currency=first.currency,
        lines=items,
        state=state,
        kind=kind,
        person=person,
        discount_minor=abs(whole.get("discount", 0)),
        shipping_minor=whole.get("shipping", 0),
        tax_minor=whole.get("tax", 0),
        total_minor=whole.get("total"),
        country=first.person.country,
        coupon=whole.get("coupon", ""),
    )


def _kind(rows: list[OrderRow], options: OrderOptions) -> OrderKind:
    """What the document is. Negative in all its lines: it takes back. Without a customer and without any worth: stock
    was counted, broken or found, and nobody bought anything."""
    items = [row.item for row in rows if row.item is not None]
    number = rows[0].number[:1].upper()
    if options.layout == Layout.ONLINE_RETAIL and number in {"A", "C"}:
        return OrderKind.ADJUSTMENT if number == "A" else OrderKind.CREDIT
    if not items:
        return OrderKind.CREDIT if rows[0].whole.get("total", 0) < 0 else OrderKind.ORDER
    if not any(row.person for row in rows) and all(item.unit_price == 0 for item in items):
        return OrderKind.ADJUSTMENT
    back = all(item.quantity < 0 or item.amount_minor < 0 for item in items)
    charges = all(item.kind in {LineKind.FEE, LineKind.ADJUSTMENT} for item in items)
    if back:
        return OrderKind.ADJUSTMENT if charges and not any(row.person for row in rows) else OrderKind.CREDIT
    return OrderKind.ORDER

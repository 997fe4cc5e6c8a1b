"""What a file of orders holds, and what was kept of it: the same figures counted twice, from the rows and from the
tables, and why the two differ where they do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from hongyan.commerce.types import OrderIn
from hongyan.core.sql import statement, texts
from hongyan.ingest.commerce.rows import OrderRow

FIGURES = (
    "lines", "orders", "credits", "credit_lines", "articles", "customers", "no_customer", "no_title", "duplicates",
    "amount", "clean_lines", "clean_customers", "clean_orders", "clean_amount",
)  # fmt: skip
_MOST_WATCHED = 2_000_000  # rows whose repeats are counted; a longer file says nothing about them


@dataclass(slots=True)
class FileFigures:
    """Counted from the rows as they stand in the file, whether they are taken or not."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FIGURES, 0))
    amounts: dict[str, Decimal] = field(default_factory=lambda: {"amount": Decimal(0), "clean_amount": Decimal(0)})
    _orders: set[str] = field(default_factory=set)
    _credits: set[str] = field(default_factory=set)
    _articles: set[str] = field(default_factory=set)
    _customers: set[str] = field(default_factory=set)
    _clean: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    _rows: set[int] = field(default_factory=set)

    def add(self, row: OrderRow, cells: Sequence[str]) -> None:
        counts, item = self.counts, row.item
        counts["lines"] += 1
        self._orders.add(row.number)
        customer = row.person.external_id or row.person.email or row.person.phone
        if customer:
            self._customers.add(customer)
        else:
            counts["no_customer"] += 1
        if item is None:
            return
        self._articles.add(item.sku)
        if not item.title:
            counts["no_title"] += 1
        worth = item.quantity * item.unit_price
        self.amounts["amount"] += worth
        if item.quantity < 0 and row.number[:1].upper() == "C":
            counts["credit_lines"] += 1
            self._credits.add(row.number)
        if customer and item.quantity > 0 and item.unit_price > 0:
            counts["clean_lines"] += 1
            self.amounts["clean_amount"] += worth
            self._clean[0].add(customer)
            self._clean[1].add(row.number)
        self._watch(cells)

    def _watch(self, cells: Sequence[str]) -> None:
        if len(self._rows) >= _MOST_WATCHED:
            return
        mark = hash(tuple(cells))
        if mark in self._rows:
            self.counts["duplicates"] += 1
        self._rows.add(mark)

    def dump(self) -> dict[str, Any]:
        """JSON; amounts as decimal text."""
        self.counts |= {
            "orders": len(self._orders),
            "credits": len(self._credits),
            "articles": len(self._articles),
            "customers": len(self._customers),
            "clean_customers": len(self._clean[0]),
            "clean_orders": len(self._clean[1]),
        }
        return {**self.counts, **{name: plain(value) for name, value in self.amounts.items()}}


def kept_figures(source: str, external_ids: Iterable[str]) -> dict[str, Any]:
    """The same from the tables, over these orders."""
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.ingest.commerce", "figures.sql", "kept"),
            {"source": source, "externals": texts(external_ids)},
        )
        names = [column.name for column in cursor.description or ()]
        row = cursor.fetchone()
    found = dict(zip(names, row, strict=True)) if row else {}
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in found.items()}


def plain(value: Decimal) -> str:
    """Without trailing zeros or an exponent."""
    return format(value.normalize(), "f") if value else "0"


def taken_orders(orders: Iterable[OrderIn]) -> list[str]:
    return [order.external_id for order in orders]

"""Lines in PostgreSQL's text form of COPY: they come by the hundred thousand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.backends.utils import CursorWrapper

from hongyan.commerce.money import rounded_minor
from hongyan.commerce.types import LineIn, LineKind, OrderIn

_COLUMNS = "order_id, place, kind, product_id, sku, title, variant, external_id, quantity, unit_price, amount_minor"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": ""})
_GOODS = (LineKind.PRODUCT, LineKind.GIFT_CARD)


@dataclass(slots=True)
class Learned:
    """An article as order lines show it."""

    sku: str
    title: str
    price_minor: int | None
    currency: str


def learned(goods: dict[str, Learned], order: OrderIn) -> None:
    """Add the articles of the order. A line without a price carries notes ("damaged", "?") where a name should be, so
    its text names nothing."""
    for line in order.lines:
        if line.kind not in _GOODS:
            continue
        key = (line.product or line.sku)[:200]
        if not key:
            continue
        sold = line.unit_price > 0
        known = goods.get(key)
        if known is None:
            price = rounded_minor(line.unit_price, order.currency) if sold else None
            goods[key] = Learned(line.sku[:120], line.title[:400] if sold else "", price, order.currency)
        elif sold and not known.title:
            known.title, known.price_minor = line.title[:400], rounded_minor(line.unit_price, order.currency)


def copy_lines(
    cursor: CursorWrapper,
    orders: Iterable[tuple[int, OrderIn]],
    products: Mapping[str, tuple[int, str, str, str]],
) -> int:
    rows = [
        _row(order_id, place, line, products)
        for order_id, order in orders
        for place, line in enumerate(order.lines, start=1)
    ]
    if rows:
        with cursor.copy(f"COPY commerce_orderline ({_COLUMNS}) FROM STDIN") as copy:
            copy.write("".join(rows))
    return len(rows)


def _row(order_id: int, place: int, line: LineIn, products: Mapping[str, tuple[int, str, str, str]]) -> str:
    known = products.get((line.product or line.sku)[:200]) if line.kind in _GOODS else None
    texts = (
        f"{_text(line.sku, 120)}\t{_text(line.title, 400)}\t{_text(line.variant, 200)}\t{_text(line.external_id, 120)}"
    )
    return (
        f"{order_id}\t{place}\t{line.kind.value}\t{known[0] if known else chr(92) + 'N'}\t{texts}"
        f"\t{_plain(line.quantity)}\t{_plain(line.unit_price)}\t{line.amount_minor}\n"
    )


def _text(text: str, limit: int) -> str:
    return text[:limit].translate(_ESCAPES) if text else ""


def _plain(value: Decimal) -> str:
    return format(value, "f")

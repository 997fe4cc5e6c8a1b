"""The shop's trading history: orders and cancellations per customer, moved so that the last one was yesterday."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files

from pyarrow import parquet

from hongyan.commerce.types import LineIn, OrderIn, OrderKind, OrderState, ProductIn

CURRENCY = "GBP"
SOURCE = "demo-shop"


@dataclass(slots=True)
class Order:
    number: str
    at: datetime
    lines: list[dict[str, object]] = field(default_factory=list)

    @property
    def cancelled(self) -> bool:
        return self.number.startswith("C")

    @property
    def total_minor(self) -> int:
        return sum(int(str(line["quantity"])) * int(str(line["price_minor"])) for line in self.lines)


@dataclass(frozen=True, slots=True)
class History:
    """One customer's orders, oldest first."""

    orders: tuple[Order, ...]

    @property
    def spent_minor(self) -> int:
        return max(0, sum(order.total_minor for order in self.orders))

    @property
    def count(self) -> int:
        return sum(not order.cancelled for order in self.orders)

    @property
    def last(self) -> datetime:
        return max(order.at for order in self.orders)


@cache
def histories(today: datetime) -> tuple[History, ...]:
    """All customers of the sample; the same people always get the same history. today: aware."""
    path = files("hongyan.config.demo").joinpath("data", "online_retail_sample.parquet")
    with path.open("rb") as file:
        table = parquet.read_table(file)
    shift = _shift(table.column("InvoiceDate").to_pylist(), today)
    customers: dict[int, dict[str, Order]] = {}
    for row in table.to_pylist():
        orders = customers.setdefault(row["CustomerID"], {})
        number = row["InvoiceNo"]
        order = orders.get(number)
        if order is None:
            order = orders[number] = Order(number, row["InvoiceDate"].replace(tzinfo=UTC) + shift)
        order.lines.append(
            {
                "sku": row["StockCode"],
                "name": row["Description"].capitalize(),
                "quantity": row["Quantity"],
                "price_minor": row["UnitPriceMinor"],
            }
        )
    return tuple(
        History(tuple(sorted(orders.values(), key=lambda order: order.at))) for _, orders in sorted(customers.items())
    )


def orders_of(history: History, *, contact_id: int) -> Iterator[OrderIn]:
    """What the till wrote: sales, and credit notes that take them back."""
    for order in history.orders:
        yield OrderIn(
            external_id=order.number,
            number=order.number,
            placed_at=order.at,
            currency=CURRENCY,
            contact_id=contact_id,
            kind=OrderKind.CREDIT if order.cancelled else OrderKind.ORDER,
            state=OrderState.CANCELLED if order.cancelled else OrderState.FULFILLED,
            lines=tuple(map(_line, order.lines)),
            country="GB",
        )


_CATEGORIES = (
    ("圣诞 Christmas", ("christmas", "advent", "santa", "snow", "xmas")),
    (
        "厨房 Kitchen",
        ("mug", "cup", "cake", "tea", "bowl", "plate", "jar", "spoon", "tin", "kitchen", "lunch", "bottle"),
    ),
    ("灯烛 Lights", ("candle", "light", "lamp", "lantern", "t-light")),
    ("文具 Stationery", ("card", "paper", "pencil", "pen ", "notebook", "wrap", "tissue", "sticker", "book")),
    ("包袋 Bags", ("bag", "purse", "basket")),
    ("玩具 Toys", ("toy", "game", "doll", "puzzle", "children", "playhouse")),
    ("花园 Garden", ("garden", "plant", "flower", "herb", "bird")),
)


def category_of(name: str) -> str:
    """The shelf a thing stands on, by the words of its name."""
    low = name.lower()
    return next((category for category, words in _CATEGORIES if any(word in low for word in words)), "家居 Home")


def products_of(bought: Iterable[History]) -> list[ProductIn]:
    """Everything that was ever sold, once."""
    names = {
        str(line["sku"]): str(line["name"]) for history in bought for order in history.orders for line in order.lines
    }
    return [
        ProductIn(sku, sku=sku, title=name, category=category_of(name), currency=CURRENCY)
        for sku, name in sorted(names.items())
    ]


def _line(line: dict[str, object]) -> LineIn:
    quantity, price = int(str(line["quantity"])), int(str(line["price_minor"]))
    sku, name = str(line["sku"]), str(line["name"])
    return LineIn(sku, name, Decimal(quantity), Decimal(price).scaleb(-2), quantity * price)


def _shift(dates: list[datetime], today: datetime) -> timedelta:
    whole_weeks = (today.replace(tzinfo=None) - max(dates) - timedelta(hours=12)).days // 7
    return timedelta(weeks=whole_weeks)  # weekdays stay weekdays

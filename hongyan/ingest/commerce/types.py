"""Values that cross the border of this part."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class FileOf(StrEnum):
    ORDERS = "orders"
    PRODUCTS = "products"


class Layout(StrEnum):
    """Files whose codes mean something special."""

    PLAIN = ""
    ONLINE_RETAIL = "online_retail"  # UCI data set 352: C… cancels, A… adjusts, POST, D, M … are no articles


@dataclass(frozen=True, slots=True)
class OrderOptions:
    """How the values of a file are read. source: the name under which its orders are kept and found again."""

    kind: str = FileOf.ORDERS
    source: str = "file"
    currency: str = "CNY"
    zone: str = "Asia/Shanghai"
    date_order: str = "ymd"
    layout: str = Layout.PLAIN

    @classmethod
    def load(cls, raw: dict[str, Any]) -> Self:
        return cls(**{key: value for key, value in raw.items() if key in cls.__dataclass_fields__})

    def dump(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class OrderCounts:
    """What became of the rows and of the orders (or products) they make. created … stale count orders or products."""

    rows: int = 0
    blank: int = 0
    rejected: int = 0  # rows
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    orders: int = 0
    credits: int = 0
    adjustments: int = 0
    lines: int = 0
    contacts: int = 0  # people made
    missing: dict[str, int] = field(default_factory=dict)  # orders without a contact, by reason
    reasons: dict[str, int] = field(default_factory=dict)  # rejected rows, by code
    file: dict[str, Any] = field(default_factory=dict)  # figures of the file itself
    kept: dict[str, Any] = field(default_factory=dict)  # the same figures from the tables

    @classmethod
    def load(cls, raw: dict[str, Any]) -> Self:
        return cls(**{key: value for key, value in raw.items() if key in cls.__dataclass_fields__})

    def dump(self) -> dict[str, Any]:
        return asdict(self)

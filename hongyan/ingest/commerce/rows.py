"""Reading one row of a file of orders: cells in, a row of an order or a rejection out. Pure."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from hongyan.commerce.errors import CommerceRefused
from hongyan.commerce.money import checked_currency, decimal_of, exact_minor, rounded_minor
from hongyan.commerce.people import country_code
from hongyan.commerce.types import LineIn, LineKind, OrderState, Person
from hongyan.contacts import normalise
from hongyan.contacts.errors import NormaliseProblem
from hongyan.ingest.commerce.columns import LINE_TARGETS
from hongyan.ingest.commerce.types import Layout, OrderOptions
from hongyan.ingest.files.types import RowFault
from hongyan.ingest.neutral import restore
from hongyan.ingest.types import Reject

_WHOLE_FLOAT = re.compile(r"(\d+)\.0")  # numbers that went through a table with gaps: 17850.0
_SPACES = re.compile(r"\s+")
_WHOLE = ("updated_at", "state", "total", "discount", "shipping", "tax", "coupon")
_MOST_QUANTITY = Decimal(10**9)

# Online Retail: what is no article. https://archive.ics.uci.edu/dataset/352
_RETAIL_CODES = {
    "POST": LineKind.SHIPPING,
    "DOT": LineKind.SHIPPING,
    "C2": LineKind.SHIPPING,
    "D": LineKind.DISCOUNT,
    "M": LineKind.ADJUSTMENT,
    "S": LineKind.ADJUSTMENT,
    "B": LineKind.ADJUSTMENT,
    "BANK CHARGES": LineKind.FEE,
    "AMAZONFEE": LineKind.FEE,
    "CRUK": LineKind.FEE,
}
_WORDS = {
    "shipping": LineKind.SHIPPING, "postage": LineKind.SHIPPING, "freight": LineKind.SHIPPING,
    "运费": LineKind.SHIPPING,
    "邮费": LineKind.SHIPPING, "discount": LineKind.DISCOUNT, "折扣": LineKind.DISCOUNT, "优惠": LineKind.DISCOUNT,
    "bank charges": LineKind.FEE, "手续费": LineKind.FEE,
    "gift card": LineKind.GIFT_CARD, "礼品卡": LineKind.GIFT_CARD,
}  # fmt: skip
STATES = {
    word: state
    for state, words in {
        OrderState.PENDING: "pending|unpaid|on hold|on-hold|awaiting payment|open|authorized|"
        "待付款|未付款|等待付款|待支付",
        OrderState.PAID: "paid|processing|captured|已付款|已支付|待发货|处理中",
        OrderState.FULFILLED: "fulfilled|completed|complete|shipped|delivered|closed|done|finished|"
        "已发货|已完成|已收货|交易成功|完成",
        OrderState.CANCELLED: "cancelled|canceled|voided|failed|expired|已取消|取消|交易关闭|已关闭|关闭",
        OrderState.REFUNDED: "refunded|returned|已退款|退款|已退货",
        OrderState.PARTIALLY_REFUNDED: "partially refunded|partially_refunded|partial refund|部分退款",
    }.items()
    for word in words.split("|")
}


class OrderRow(NamedTuple):
    """One row, read. whole: values of the order as a whole, from whichever of its rows has them."""

    line: int
    number: str
    person: Person
    placed_at: datetime
    currency: str
    item: LineIn | None
    whole: dict[str, Any]


class Bad(Exception):
    """A cell that cannot be read."""

    def __init__(self, target: str, code: str, value: str) -> None:
        super().__init__(code)
        self.target, self.code, self.value = target, code, value


class RowReader:
    """How the rows of one file are read; columns are looked up once."""

    def __init__(self, mapping: Sequence[str], options: OrderOptions) -> None:
        self._at = {target: column for column, target in enumerate(mapping) if target}
        self._options = options
        self._retail = options.layout == Layout.ONLINE_RETAIL
        self._has_lines = bool(LINE_TARGETS & set(self._at))
        self._date = _dates(options)
        self._whole = [name for name in _WHOLE if name in self._at]
        self._number_at = self._at["number"]

    def number(self, cells: Sequence[str]) -> str:
        """The order a row belongs to, without reading the rest; "" when it names none."""
        return whole_number(cells[self._number_at].strip())

    def read(self, line: int, cells: Sequence[str]) -> OrderRow | Reject:
        try:
            return self._read(line, cells)
        except Bad as bad:
            return Reject(line, self._at.get(bad.target), bad.code, bad.value[:200])

    def _read(self, line: int, cells: Sequence[str]) -> OrderRow:
        number = self.number(cells)
        if not number:
            raise Bad("number", "id_missing", "")
        if len(number) > 120:
            raise Bad("number", "too_long", number)
        currency = self._currency(cells)
        return OrderRow(
            line,
            number,
            self._person(cells),
            self._moment(cells),
            currency,
            self._item(cells, currency) if self._has_lines else None,
            {name: value for name in self._whole if (value := self._whole_value(name, cells, currency)) is not None},
        )

    def _text(self, name: str, cells: Sequence[str]) -> str:
        column = self._at.get(name)
        if column is None:
            return ""
        value = cells[column].strip()
        return restore(value) if value[:1] == "'" else value

    def _currency(self, cells: Sequence[str]) -> str:
        given = self._text("currency", cells)
        if not given:
            return self._options.currency
        return str(_try("currency", given, checked_currency))

    def _person(self, cells: Sequence[str]) -> Person:
        return _person(
            whole_number(self._text("customer_id", cells)),
            self._text("email", cells),
            self._text("phone", cells),
            self._text("full_name", cells),
            self._text("country", cells),
            self._text("city", cells),
        )

    def _moment(self, cells: Sequence[str]) -> datetime:
        given = self._text("placed_at", cells)
        if not given:
            raise Bad("placed_at", "date", "")
        try:
            return self._date(given)
        except NormaliseProblem as problem:
            raise Bad("placed_at", problem.code, given) from problem

    def _item(self, cells: Sequence[str], currency: str) -> LineIn:
        sku, title = self._text("sku", cells), self._text("title", cells)
        if len(sku) > 120:
            raise Bad("sku", "too_long", sku)
        if len(title) > 400:
            raise Bad("title", "too_long", title)
        quantity = _try("quantity", self._text("quantity", cells) or "1", _quantity)
        price, amount = self._text("unit_price", cells), self._text("line_amount", cells)
        if price:
            each = _try("unit_price", price, decimal_of)
            minor = _try("unit_price", price, lambda _: rounded_minor(each * quantity, currency))
            if amount:
                minor = _try("line_amount", amount, lambda text: exact_minor(decimal_of(text), currency))
        elif amount:
            whole = _try("line_amount", amount, decimal_of)
            minor = _try("line_amount", amount, lambda _: exact_minor(whole, currency))
            each = (whole / quantity).quantize(Decimal("0.000001")) if quantity else whole
        else:
            raise Bad("unit_price" if "unit_price" in self._at else "line_amount", "number", "")
        kind = line_kind(sku, title, retail=self._retail)
        return LineIn(sku or title[:120], title, quantity, each, minor, kind, "", self._text("variant", cells)[:200])

    def _whole_value(self, name: str, cells: Sequence[str], currency: str) -> Any:
        given = self._text(name, cells)
        if not given:
            return None
        if name == "state":
            state = STATES.get(_SPACES.sub(" ", given.casefold().replace("_", " ")))
            if state is None:
                raise Bad("state", "state", given)
            return state
        if name == "updated_at":
            try:
                return self._date(given)
            except NormaliseProblem as problem:
                raise Bad(name, problem.code, given) from problem
        if name == "coupon":
            return given[:120]
        return _try(name, given, lambda text: exact_minor(decimal_of(text), currency))


def fault_of(line: int, fault: RowFault) -> Reject:
    return Reject(line, fault.column, fault.code.value, fault.value)


def whole_number(text: str) -> str:
    """``17850.0`` is 17850: a number column with gaps was written by a program that knows no empty whole number.

    >>> whole_number("17850.0"), whole_number("A-1.0")
    ('17850', 'A-1.0')
    """
    if text[-2:] == ".0" and (match := _WHOLE_FLOAT.fullmatch(text)):
        return match[1]
    return text


def line_kind(sku: str, title: str, *, retail: bool) -> LineKind:
    if retail:
        if sku[:5] == "gift_":
            return LineKind.GIFT_CARD
        return _RETAIL_CODES.get(sku.upper(), LineKind.PRODUCT)
    return _WORDS.get(sku.casefold()) or (LineKind.PRODUCT if sku else _WORDS.get(title.casefold(), LineKind.PRODUCT))


@lru_cache(maxsize=65_536)
def _person(  # noqa: PLR0917 - cells of a row, remembered together
    external_id: str, email: str, phone: str, full_name: str, country: str, city: str
) -> Person:
    return Person(external_id[:120], email, phone, full_name, country=_country(country), city=city)


@lru_cache(maxsize=1024)
def _country(text: str) -> str:
    """The code, or the words of the file where they name no country (“European Community”)."""
    return country_code(text) or text[:64]


@lru_cache(maxsize=16_384)
def _quantity(text: str) -> Decimal:
    value = decimal_of(text)
    exponent = value.as_tuple().exponent
    if abs(value) > _MOST_QUANTITY or (isinstance(exponent, int) and exponent < -4):
        raise CommerceRefused("quantity")
    return value


def _try(target: str, text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except CommerceRefused as refused:
        raise Bad(target, refused.code, text) from refused


def _dates(options: OrderOptions) -> Callable[[str], datetime]:
    order = normalise.DateOrder(options.date_order)

    @lru_cache(maxsize=65_536)
    def read(text: str) -> datetime:
        return normalise.moment(text, order, options.zone)

    return read

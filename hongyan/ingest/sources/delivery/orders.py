"""Orders and products: one record an order (its lines as a JSON list, where the source has them) or a product."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from hongyan.accounts.types import system_actor
from hongyan.commerce import orders, products
from hongyan.commerce.errors import CommerceRefused
from hongyan.commerce.money import checked_currency, decimal_of, exact_minor, minor_of, rounded_minor
from hongyan.commerce.types import LineIn, OrderIn, OrderState, Outcome, Person, ProductIn
from hongyan.ingest.models_sources import Source
from hongyan.ingest.sources.delivery.base import Fields, Unfit, by_field
from hongyan.ingest.sources.types import Delivered, Failure, Record, Tally

_STATES = {
    OrderState.PENDING: "pending|unpaid|open|new|created|on-hold|checkout-draft|待付款|未付款|待支付",
    OrderState.PAID: "paid|processing|complete|confirmed|已付款|已支付|待发货|success|authorized",
    OrderState.FULFILLED: "fulfilled|completed|shipped|delivered|done|closed|已完成|已发货|已签收|交易成功",
    OrderState.CANCELLED: "cancelled|canceled|failed|voided|void|expired|已取消|交易关闭|已关闭",
    OrderState.REFUNDED: "refunded|returned|已退款|退款成功",
    OrderState.PARTIALLY_REFUNDED: "partially_refunded|partially refunded|部分退款",
}
_STATE_OF = {word: state for state, words in _STATES.items() for word in words.split("|")}
_SKU = ("sku", "product_id", "product_sku", "item_id", "code", "id")
_TITLE = ("title", "name", "product_name", "description")
_QUANTITY = ("quantity", "qty", "count", "num")
_PRICE = ("unit_price", "price", "amount")
_MAX_LINES = 500


class OrdersDeliverer:
    def __init__(self, source: Source, at: datetime) -> None:
        del at
        self._source, self._columns = source.sealed_key, by_field(source.mapping)
        self._currency = str(source.options.get("currency") or "")
        self._actor = system_actor("source")

    def deliver(self, records: list[Record]) -> Delivered:
        done = Delivered(Tally(read=len(records)))
        made: list[OrderIn] = []
        origins: list[Record] = []
        for record in records:
            try:
                made.append(self._order(Fields(record, self._columns)))
            except Unfit as problem:
                done.failures.append(Failure(record, problem.code, problem.place))
            else:
                origins.append(record)
        outcomes = orders.upsert(actor=self._actor, source=self._source, orders=made) if made else []
        _count(done, [(item.outcome, item.code) for item in outcomes], origins)
        return done

    def _order(self, fields: Fields) -> OrderIn:
        placed = fields.moment("placed_at")
        if placed is None:
            raise Unfit("field_missing", fields.column("placed_at") or "placed_at")
        currency = _currency(fields, self._currency)
        lines = _lines(fields, currency)
        total = _money(fields, "total", currency)
        if total is None and not lines:
            raise Unfit("field_missing", fields.column("total") or "total")
        return OrderIn(
            external_id=fields.needed("external_id")[:200],
            placed_at=placed,
            currency=currency,
            lines=lines,
            number=fields.text("number")[:120],
            state=_state(fields),
            person=Person(
                external_id=fields.text("customer_id"),
                email=fields.text("email"),
                phone=fields.text("phone"),
                full_name=fields.text("full_name"),
                country=fields.text("country"),
                city=fields.text("city"),
            ),
            updated_at=fields.moment("updated_at"),
            discount_minor=_money(fields, "discount", currency) or 0,
            shipping_minor=_money(fields, "shipping", currency) or 0,
            tax_minor=_money(fields, "tax", currency) or 0,
            total_minor=total,
            country=fields.text("country"),
            coupon=fields.text("coupon")[:120],
        )


class ProductsDeliverer:
    def __init__(self, source: Source, at: datetime) -> None:
        del at
        self._source, self._columns = source.sealed_key, by_field(source.mapping)
        self._currency = str(source.options.get("currency") or "")
        self._actor = system_actor("source")

    def deliver(self, records: list[Record]) -> Delivered:
        done = Delivered(Tally(read=len(records)))
        made: list[ProductIn] = []
        origins: list[Record] = []
        for record in records:
            try:
                made.append(self._product(Fields(record, self._columns)))
            except Unfit as problem:
                done.failures.append(Failure(record, problem.code, problem.place))
            else:
                origins.append(record)
        outcomes = products.upsert(actor=self._actor, source=self._source, products=made) if made else []
        _count(done, [(item.outcome, item.code) for item in outcomes], origins)
        return done

    def _product(self, fields: Fields) -> ProductIn:
        currency = _currency(fields, self._currency) if fields.text("price") else ""
        return ProductIn(
            external_id=fields.needed("external_id")[:200],
            sku=fields.text("sku"),
            title=fields.text("title"),
            url=fields.text("url"),
            image_url=fields.text("image_url"),
            category=fields.text("category"),
            brand=fields.text("brand"),
            currency=currency,
            price_minor=_money(fields, "price", currency) if currency else None,
            updated_at=fields.moment("updated_at"),
        )


def _count(done: Delivered, outcomes: list[tuple[Outcome, str]], origins: list[Record]) -> None:
    for (outcome, code), record in zip(outcomes, origins, strict=True):
        if outcome is Outcome.CREATED:
            done.tally.created += 1
        elif outcome is Outcome.UPDATED:
            done.tally.changed += 1
        elif outcome is Outcome.REJECTED:
            done.failures.append(Failure(record, code or "refused"))
    done.tally.quarantined = len(done.failures)


def _currency(fields: Fields, fallback: str) -> str:
    given = fields.text("currency") or fallback
    if not given:
        raise Unfit("field_missing", fields.column("currency") or "currency")
    try:
        return checked_currency(given)
    except CommerceRefused as error:
        raise Unfit("bad_currency", fields.column("currency")) from error


def _money(fields: Fields, name: str, currency: str) -> int | None:
    given = fields.text(name)
    if not given:
        return None
    try:
        return minor_of(given, currency)
    except CommerceRefused as error:
        raise Unfit("bad_amount", fields.column(name)) from error


def _state(fields: Fields) -> OrderState:
    given = fields.text("state").casefold()
    if not given:
        return OrderState.PAID
    state = _STATE_OF.get(given)
    if state is None:
        raise Unfit("bad_choice", fields.column("state"))
    return state


def _lines(fields: Fields, currency: str) -> tuple[LineIn, ...]:
    given = fields.text("lines")
    if not given:
        return ()
    place = fields.column("lines")
    try:
        raw = orjson.loads(given)
    except ValueError as error:
        raise Unfit("not_json", place) from error
    if not isinstance(raw, list) or len(raw) > _MAX_LINES or not all(isinstance(item, dict) for item in raw):
        raise Unfit("bad_lines", place)
    try:
        return tuple(_line(item, currency) for item in raw)
    except CommerceRefused as error:
        raise Unfit("bad_amount", place) from error


def _line(item: Mapping[str, Any], currency: str) -> LineIn:
    quantity = decimal_of(str(_first(item, _QUANTITY, "1")))
    price = decimal_of(str(_first(item, _PRICE, "0")))
    total = item.get("total") or item.get("amount_total")
    amount = exact_minor(decimal_of(str(total)), currency) if total is not None else None
    return LineIn(
        sku=str(_first(item, _SKU, "")),
        title=str(_first(item, _TITLE, "")),
        quantity=quantity,
        unit_price=price,
        amount_minor=amount if amount is not None else rounded_minor(Decimal(quantity * price), currency),
        variant=str(item.get("variant") or ""),
    )


def _first(item: Mapping[str, Any], names: tuple[str, ...], fallback: str) -> Any:
    return next((item[name] for name in names if item.get(name) not in (None, "")), fallback)

"""Credit notes and the orders they take back.

A line of a credit note belongs to the newest earlier line of the same customer, source and article of which as much is
left: with the same quantity if there is one, else with more. All of a customer's credit notes are matched anew, oldest
first, whenever one of the orders changes, so that what comes in late ends up where it would have been in time. What
finds no order stays a credit of its own.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from hongyan.core.sql import numbers, statement, texts

_Key = tuple[int, str, str]  # contact, source, article


@dataclass(slots=True)
class _Offer:
    line: int
    quantity: Decimal
    left: Decimal
    at: datetime
    order: int


def credits_match(contact_ids: Iterable[int]) -> tuple[set[int], set[int]]:
    """Tie what can be tied for these contacts. Returns (credit notes, orders) that changed."""
    contacts = numbers(set(contact_ids))
    if contacts == "{}":
        return set(), set()
    lines = _rows("credit_lines", {"contacts": contacts})
    if not lines:
        return set(), set()
    offers = _offers(contacts, {row[3] for row in lines})
    ties: list[tuple[int, int, str]] = []
    notes, orders = set(), set()
    for line, contact, source, sku, quantity, at, note, now_line, now_match, now_order in lines:
        found = _best(offers.get((contact, source, sku), []), quantity, at)
        match = "" if found is None else "exact" if found.quantity == quantity else "part"
        if found is not None:
            found.left -= quantity
        target = found.line if found is not None else 0
        if (target, match) == (now_line or 0, now_match):
            continue
        ties.append((line, target, match))
        notes.add(note)
        orders |= {order for order in (now_order, found.order if found is not None else None) if order is not None}
    if ties:
        credit, targets, matches = zip(*ties, strict=True)
        _run("tie_lines", {"credits": numbers(credit), "lines": numbers(targets), "matches": texts(matches)})
    return notes, orders


def orders_settle(*, notes: Iterable[int], orders: Iterable[int]) -> None:
    """Refunds that credit notes made, returned quantities, refunded sums and states of these orders."""
    values = {"credits": numbers(set(notes)), "ids": numbers(set(orders))}
    for name in ("forget_credit_refunds", "credit_refunds", "count_returned", "settle"):
        _run(name, values)


def _offers(contacts: str, skus: set[str]) -> dict[_Key, list[_Offer]]:
    offers: dict[_Key, list[_Offer]] = defaultdict(list)
    for line, contact, source, sku, quantity, at, order in _rows(
        "returnable_lines", {"contacts": contacts, "skus": texts(skus)}
    ):
        offers[contact, source, sku].append(_Offer(line, quantity, quantity, at, order))
    return offers


def _best(offers: list[_Offer], quantity: Decimal, at: datetime) -> _Offer | None:
    """The newest that is not later than the credit note; the same quantity before a larger one."""
    earlier = [offer for offer in offers if offer.at <= at and offer.left >= quantity]
    exact = next((offer for offer in earlier if offer.quantity == quantity), None)
    return exact or next(iter(earlier), None)


def _rows(name: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.commerce", "orders.sql", name), values)
        return list(cursor.fetchall())


def _run(name: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.commerce", "orders.sql", name), values)

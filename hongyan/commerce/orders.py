"""Writing orders: many at once, each as often as it comes, with their lines, refunds, events and the facts of their
customers in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.commerce import credit_notes, facts_of_orders
from hongyan.commerce.errors import CommerceRefused
from hongyan.commerce.facts import facts_renew
from hongyan.commerce.lines import copy_lines, learned
from hongyan.commerce.order_rows import digest_of, fault_of, not_older, row_of
from hongyan.commerce.people import Found, find_or_make
from hongyan.commerce.types import Missing, OrderIn, OrderKind, OrderOutcome, Outcome
from hongyan.contacts.activity import mark_active
from hongyan.contacts.bulk_rows import uuid7_block
from hongyan.core.clock import now
from hongyan.core.sql import numbers, statement, texts
from hongyan.events.services import append

_TRIES = 4


def upsert(
    *,
    actor: Actor,
    source: str,
    orders: Sequence[OrderIn],
    learn_products: bool = True,
    is_demo: bool = False,
    by: str = "",
    write: bool = True,
) -> list[OrderOutcome]:
    """Outcomes in the order given; of several with one id in the batch the newest counts.

    source: at most 64 characters; an order is (source, external_id). The same again changes nothing; an older
    ``updated_at`` never overwrites a newer. by: the way it came in, for the history. write False: only say what would
    happen.
    """
    actor.require(Permission.IMPORT_RUN)
    if not 1 <= len(source) <= 64:
        raise CommerceRefused("source", "source")
    for attempt in range(1, _TRIES + 1):
        try:
            with transaction.atomic():
                block = _Block(source, is_demo=is_demo, by=by or source, learn=learn_products, write=write)
                return block.run(orders)
        except IntegrityError:  # somebody else made one of these people or orders meanwhile
            if attempt == _TRIES:
                raise
    raise AssertionError


@dataclass(slots=True)
class _Present:
    """What is kept of an order already."""

    id: int
    digest: bytes
    changed_at: datetime | None
    contact_id: int | None
    missing: str
    state: str
    facts: dict[str, Any]


@dataclass(slots=True)
class _Write:
    order: OrderIn
    digest: bytes
    found: Found
    row: dict[str, Any]
    present: _Present | None


@dataclass(slots=True)
class _Block:
    source: str
    is_demo: bool
    by: str
    learn: bool
    write: bool
    at: datetime = field(default_factory=now)
    outcomes: dict[str, OrderOutcome] = field(default_factory=dict)

    def run(self, orders: Sequence[OrderIn]) -> list[OrderOutcome]:
        newest = self._newest(orders)
        present = self._present(newest)
        wanted = [order for order in newest.values() if self._is_news(order, present.get(order.external_id))]
        writes = self._prepare(wanted, present)
        if writes and self.write:
            self._store(writes)
        return [self.outcomes[order.external_id] for order in orders]

    def _newest(self, orders: Sequence[OrderIn]) -> dict[str, OrderIn]:
        newest: dict[str, OrderIn] = {}
        for order in orders:
            code = fault_of(order)
            if code:
                self.outcomes[order.external_id] = OrderOutcome(order.external_id, Outcome.REJECTED, code=code)
                continue
            other = newest.get(order.external_id)
            if other is None or not_older(order.updated_at, other.updated_at):
                newest[order.external_id] = order
        return newest

    def _present(self, orders: dict[str, OrderIn]) -> dict[str, _Present]:
        with connection.cursor() as cursor:
            cursor.execute(_sql("present"), {"source": self.source, "ids": texts(orders)})
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return {
            row["external_id"]: _Present(
                row["id"],
                bytes(row["digest"]),
                row["changed_at"],
                row["contact_id"],
                row["missing"],
                row["source_state"],
                {key: row[key] for key in _HISTORY},
            )
            for row in rows
        }

    def _is_news(self, order: OrderIn, present: _Present | None) -> bool:
        if present is None:
            return True
        outcome = None
        if not not_older(order.updated_at, present.changed_at):
            outcome = Outcome.STALE
        elif present.digest == digest_of(order):
            outcome = Outcome.UNCHANGED
        if outcome is None:
            return True
        self.outcomes[order.external_id] = OrderOutcome(
            order.external_id, outcome, present.id, present.contact_id, Missing(present.missing)
        )
        return False

    def _prepare(self, orders: Sequence[OrderIn], present: dict[str, _Present]) -> list[_Write]:
        people = find_or_make(
            [order.person for order in orders if order.contact_id is None],
            source=self.source,
            at=self.at,
            make=self.write,
            is_demo=self.is_demo,
        )
        public_ids = iter(uuid7_block(len(orders)))
        writes = []
        met: set[Any] = set()
        for order in orders:
            before = present.get(order.external_id)
            found = people[order.person] if order.contact_id is None else Found(order.contact_id)
            digest = digest_of(order)
            row = row_of(order, found, digest, next(public_ids))
            writes.append(_Write(order, digest, found, row, before))
            self.outcomes[order.external_id] = OrderOutcome(
                order.external_id,
                Outcome.UPDATED if before else Outcome.CREATED,
                before.id if before else None,
                found.contact_id,
                found.missing,
                new_contact=found.new and order.person not in met,
            )
            met.add(order.person)
        return writes

    def _store(self, writes: list[_Write]) -> None:
        with connection.cursor() as cursor:
            ids = self._write_orders(cursor, writes)
            changed = [write.present.id for write in writes if write.present is not None]
            notes, settled = self._drop_old(cursor, changed)
            products = self._products(cursor, writes)
            copy_lines(cursor, [(ids[w.order.external_id], w.order) for w in writes], products)
            self._write_refunds(cursor, writes, ids)
            self._record_changes(cursor, writes)
        for write in writes:
            name = write.order.external_id
            self.outcomes[name] = replace(self.outcomes[name], order_id=ids[name])
        contacts = {write.found.contact_id for write in writes} | {w.present.contact_id for w in writes if w.present}
        touched = {contact_id for contact_id in contacts if contact_id is not None}
        more_notes, more_orders = credit_notes.credits_match(touched)
        with_refunds = {ids[w.order.external_id] for w in writes if w.order.refunds}
        settle = settled | more_orders | with_refunds | set(changed)
        if settle or notes or more_notes:
            credit_notes.orders_settle(notes=notes | more_notes, orders=settle)
        facts_renew(touched)
        append(list(self._events(writes, products)))
        mark_active(_bought(writes))

    def _write_orders(self, cursor: CursorWrapper, writes: list[_Write]) -> dict[str, int]:
        rows = orjson.dumps([write.row for write in writes]).decode()
        cursor.execute(_sql("write"), {"source": self.source, "is_demo": self.is_demo, "rows": rows})
        return {external_id: order_id for order_id, external_id in cursor.fetchall()}

    def _drop_old(self, cursor: CursorWrapper, changed: list[int]) -> tuple[set[int], set[int]]:
        """The lines and refunds of changed orders. Returns credit notes cut loose, and orders notes had pointed to."""
        if not changed:
            return set(), set()
        ids = {"ids": numbers(changed)}
        cursor.execute(_sql("returned_orders"), ids)
        settled = {row[0] for row in cursor.fetchall()}
        cursor.execute(_sql("untie_lines"), ids)
        notes = {row[0] for row in cursor.fetchall()}
        cursor.execute(_sql("drop_lines"), ids)
        cursor.execute(_sql("drop_refunds"), ids)
        return notes | set(changed), settled

    def _products(self, cursor: CursorWrapper, writes: list[_Write]) -> dict[str, tuple[int, str, str, str]]:
        """By the source's id: number, title, category and brand. Unknown articles are learned from their lines."""
        goods: dict[str, Any] = {}
        for write in writes:
            learned(goods, write.order)
        if not goods:
            return {}
        known = self._known_products(cursor, goods)
        news = {name: item for name, item in goods.items() if name not in known or (item.title and not known[name][1])}
        if not news or not self.learn:
            return known
        for currency in {item.currency for item in news.values()}:
            mine = {name: item for name, item in news.items() if item.currency == currency}
            cursor.execute(
                _sql("learn_products"),
                {
                    "source": self.source,
                    "currency": currency,
                    "is_demo": self.is_demo,
                    "public_ids": texts([str(UUID(bytes=raw)) for raw in uuid7_block(len(mine))]),
                    "externals": texts(mine),
                    "skus": texts([item.sku for item in mine.values()]),
                    "titles": texts([item.title for item in mine.values()]),
                    "prices": texts(
                        [None if item.price_minor is None else str(item.price_minor) for item in mine.values()]
                    ),
                },
            )
        return known | self._known_products(cursor, news)

    def _known_products(self, cursor: CursorWrapper, goods: Iterable[str]) -> dict[str, tuple[int, str, str, str]]:
        cursor.execute(_sql("products_of"), {"source": self.source, "externals": texts(goods)})
        return {name: (pk, title, category, brand) for name, pk, title, category, brand in cursor.fetchall()}

    def _write_refunds(self, cursor: CursorWrapper, writes: list[_Write], ids: dict[str, int]) -> None:
        rows = [
            (ids[write.order.external_id], refund)
            for write in writes
            for refund in {item.external_id: item for item in write.order.refunds}.values()
        ]
        if not rows:
            return
        cursor.execute(
            _sql("write_refunds"),
            {
                "orders": numbers(order_id for order_id, _ in rows),
                "externals": texts([refund.external_id[:200] for _, refund in rows]),
                "amounts": numbers(refund.amount_minor for _, refund in rows),
                "times": texts([refund.at.isoformat() for _, refund in rows]),
                "reasons": texts([refund.reason[:300] for _, refund in rows]),
            },
        )

    def _record_changes(self, cursor: CursorWrapper, writes: list[_Write]) -> None:
        """Of orders that were known: what is different. The coming of an order is its own creation time."""
        entries = []
        for write in writes:
            if write.present is None:
                continue
            before, after = write.present.facts, {key: write.row[key] for key in _HISTORY}
            names = [key for key in _HISTORY if before[key] != after[key]]
            if write.present.contact_id != write.found.contact_id:
                names.append("contact")
                before |= {"contact": write.present.contact_id is not None}
                after |= {"contact": write.found.contact_id is not None}
            entries.append((write.present.id, {n: before[n] for n in names}, {n: after[n] for n in names}))
        if entries:
            cursor.execute(
                _sql("record_changes"),
                {
                    "orders": numbers(order_id for order_id, _, _ in entries),
                    "times": texts([self.at.isoformat()] * len(entries)),
                    "by": texts([self.by[:64]] * len(entries)),
                    "before": texts([orjson.dumps(before).decode() for _, before, _ in entries]),
                    "after": texts([orjson.dumps(after).decode() for _, _, after in entries]),
                },
            )

    def _events(self, writes: list[_Write], products: dict[str, tuple[int, str, str, str]]) -> Iterable[Any]:
        for write in writes:
            contact_id, before = write.found.contact_id, write.present
            if contact_id is None:
                continue
            moved = before is not None and before.contact_id not in {None, contact_id}
            yield from facts_of_orders.events_of(
                facts_of_orders.Written(
                    order=write.order,
                    contact_id=contact_id,
                    total_minor=write.row["total_minor"],
                    digest=write.digest.hex(),
                    before=before.state if before else None,
                    moved=moved,
                    at=self.at,
                ),
                source=self.source,
                products=products,
            )


# What the history of an order speaks of.
_HISTORY = (
    "state",
    "kind",
    "total_minor",
    "number",
    "currency",
    "shipping_minor",
    "discount_minor",
    "tax_minor",
    "items",
)


def _bought(writes: Sequence[_Write]) -> dict[int, datetime]:
    """Who placed an order, and when last; a time still to come is a till's clock that is fast."""
    latest: dict[int, datetime] = {}
    for write in writes:
        contact_id, at = write.found.contact_id, min(write.order.placed_at, now())
        if contact_id is not None and write.order.kind == OrderKind.ORDER:
            latest[contact_id] = max(at, latest.get(contact_id, at))
    return latest


def _sql(name: str) -> str:
    return statement("hongyan.commerce", "orders.sql", name)

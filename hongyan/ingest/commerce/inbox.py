"""Digesting what shops send: each message in a transaction of its own, what cannot be read into quarantine."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from django.db import DatabaseError, connection, transaction

from hongyan.accounts.types import Actor, system_actor
from hongyan.commerce import order_acts, orders, products
from hongyan.commerce.errors import CommerceMissing, CommerceRefused
from hongyan.commerce.messages import body_of
from hongyan.commerce.models import Order, PrivacyTask, Shop, ShopMessage
from hongyan.commerce.people import customer_update, find_or_make
from hongyan.commerce.privacy_tasks import task_receive
from hongyan.commerce.settings import commerce_settings
from hongyan.commerce.shops import shop_disconnect
from hongyan.commerce.types import Outcome, Person
from hongyan.core.clock import now
from hongyan.core.sql import statement
from hongyan.ingest.commerce import shopify, woocommerce
from hongyan.ingest.commerce.said import Said, Unreadable
from hongyan.ingest.quarantine import NewQuarantined, QuarantineItem, Trouble, quarantine_add
from hongyan.jobs.lanes import keep_turning

KIND = "shop_message"
_TRIES = 5
_PAUSE_S = 1.0
log = logging.getLogger("hongyan.ingest.shops")
Digest = Callable[[Actor, Shop, Any, datetime], None]


class Skipped(Exception):
    """Nothing to do, on purpose."""


async def run_inbox(stop: asyncio.Event) -> None:
    """Lane of the worker."""
    await keep_turning(lambda: inbox_digest(limit=50), stop, rest_s=_PAUSE_S)


def inbox_digest(*, limit: int = 1000) -> int:
    """Digest what waits, oldest first. Returns how many messages were looked at."""
    for count in range(limit):
        if not _next():
            return count
    return limit


def _next() -> bool:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement("hongyan.commerce", "shops.sql", "claim"))
            found = cursor.fetchone()
        if found is None:
            return False
        message = ShopMessage.objects.select_related("shop").get(pk=found[0])
        message.attempts += 1
        trouble = _try(message)
        message.digested_at = now()
        if trouble is None:
            message.state, message.problem, message.body = ShopMessage.State.DONE, "", None
        elif trouble.reason == "again" and message.attempts < _TRIES:
            message.digested_at = None
        else:
            message.state, message.problem = ShopMessage.State.SET_ASIDE, trouble.reason[:64]
            payload = orjson.dumps(
                {
                    "shop": message.shop.key,
                    "topic": message.topic,
                    "received_at": message.received_at,
                    "body": _readable(body_of(message)),
                }
            )
            quarantine_add(
                source=message.shop.key, kind=KIND, items=[NewQuarantined(payload, trouble, str(message.pk))]
            )
            message.body = None
        message.save(update_fields=["attempts", "state", "problem", "body", "digested_at"])
    return True


def _readable(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _try(message: ShopMessage) -> Trouble | None:
    """None: done. The savepoint keeps the claim when a statement fails."""
    try:
        value = orjson.loads(body_of(message))
    except orjson.JSONDecodeError:
        return Trouble("json")
    try:
        with transaction.atomic():
            return digest(system_actor("shop"), message.shop, message.topic, value, message.received_at)
    except DatabaseError as error:
        log.warning("shop message failed", extra={"shop_message": message.pk, "error": type(error).__name__})
        return Trouble("again")


def digest(actor: Actor, shop: Shop, topic: str, value: Any, received_at: datetime) -> Trouble | None:
    """One message, as the shop says it. None: taken."""
    act = _TOPICS[shop.kind].get(topic)
    if act is None:
        return Trouble("topic_unknown", topic)
    try:
        act(actor, shop, value, received_at)
    except Skipped:
        return None
    except Unreadable as error:
        return Trouble(error.code, error.place)
    except CommerceRefused as refused:
        return Trouble(refused.code, refused.field)
    return None


def retry_message(actor: Actor, item: QuarantineItem) -> Trouble | None:
    """From quarantine, as it came or as somebody mended it."""
    try:
        said = Said(orjson.loads(item.payload))
        shop = Shop.objects.filter(key=said.text("shop", 64)).first()
        if shop is None:
            raise CommerceMissing
        received = said.needed_moment("received_at")
        with transaction.atomic():
            return digest(system_actor(actor.label), shop, said.text("topic", 64), said.value.get("body"), received)
    except orjson.JSONDecodeError:
        return Trouble("json")
    except Unreadable as error:
        return Trouble(error.code, error.place)
    except CommerceMissing:
        return Trouble("shop_unknown")


def _order(actor: Actor, shop: Shop, value: Any, _at: datetime) -> None:
    made = _speaks(shop).order_of(value, shop=shop.key)
    if made is None:
        raise Skipped
    [outcome] = orders.upsert(actor=actor, source=shop.key, orders=[made], by=shop.key)
    if outcome.outcome is Outcome.REJECTED:
        raise Unreadable(outcome.code)


def _order_gone(actor: Actor, shop: Shop, value: Any, at: datetime) -> None:
    order_acts.order_cancel(actor=actor, source=shop.key, external_id=Said(value).identifier("id"), at=at)


def _refund(actor: Actor, shop: Shop, value: Any, _at: datetime) -> None:
    said = Said(value)
    order_id = said.identifier("order_id")
    currency = Order.objects.filter(source=shop.key, external_id=order_id).values_list("currency", flat=True).first()
    if currency is None:
        raise Unreadable("order_unknown", "/order_id")
    refund = shopify.refund_of(value, currency)
    if refund is not None:
        order_acts.refund_add(actor=actor, source=shop.key, external_id=order_id, refund=refund)


def _product(actor: Actor, shop: Shop, value: Any, _at: datetime) -> None:
    currency = currency_of(shop)
    if shop.kind == Shop.Kind.SHOPIFY:
        made = shopify.product_of(value, currency=currency, address=shop.address)
    else:
        made = woocommerce.product_of(value, currency=currency)
    [outcome] = products.upsert(actor=actor, source=shop.key, products=[made])
    if outcome.outcome is Outcome.REJECTED:
        raise Unreadable(outcome.code)


def _product_gone(actor: Actor, shop: Shop, value: Any, _at: datetime) -> None:
    products.product_deactivate(actor=actor, source=shop.key, external_id=Said(value).identifier("id"))


def _customer(_actor: Actor, shop: Shop, value: Any, at: datetime) -> None:
    customer_update(customer_of(shop, value), source=shop.key, at=at)


def _customer_gone(_actor: Actor, _shop: Shop, _value: Any, _at: datetime) -> None:
    """An account that was closed is no wish to be erased; the contact stays."""
    raise Skipped


def _uninstalled(actor: Actor, shop: Shop, _value: Any, _at: datetime) -> None:
    shop_disconnect(actor=actor, public_id=shop.public_id, why="uninstalled")


def _privacy(what: PrivacyTask.What) -> Digest:
    def act(_actor: Actor, shop: Shop, value: Any, at: datetime) -> None:
        said = Said(value)
        customer = said.inner("customer")
        number = customer.text("id", 40)
        person = Person(
            external_id=f"{shop.key}:{number}"[:120] if number else "",
            email=customer.text("email"),
            phone=customer.text("phone", 40),
        )
        contact_id = find_or_make([person], source=shop.key, at=at, make=False)[person].contact_id
        task_receive(shop=shop, what=what, contact_id=contact_id, details=dict(said.value), received_at=at)

    return act


def customer_of(shop: Shop, value: Any) -> Person:
    person: Person = _speaks(shop).person_of(Said(value), shop=shop.key)
    return person


def currency_of(shop: Shop) -> str:
    """In which the shop sells: as it said when it was tested, else as its last order had it."""
    known = shop.backfill_state.get("currency")
    if known:
        return str(known)
    last = Order.objects.filter(source=shop.key).order_by("-placed_at").values_list("currency", flat=True).first()
    return last or commerce_settings().currency


def _speaks(shop: Shop) -> Any:
    return shopify if shop.kind == Shop.Kind.SHOPIFY else woocommerce


_TOPICS: dict[str, dict[str, Digest]] = {
    Shop.Kind.SHOPIFY: {
        **dict.fromkeys(
            ("orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled", "orders/edited"),
            _order,
        ),
        "orders/delete": _order_gone,
        "refunds/create": _refund,
        "products/create": _product,
        "products/update": _product,
        "products/delete": _product_gone,
        "customers/create": _customer,
        "customers/update": _customer,
        "customers/delete": _customer_gone,
        "app/uninstalled": _uninstalled,
        PrivacyTask.What.DATA_REQUEST: _privacy(PrivacyTask.What.DATA_REQUEST),
        PrivacyTask.What.REDACT_CUSTOMER: _privacy(PrivacyTask.What.REDACT_CUSTOMER),
        PrivacyTask.What.REDACT_SHOP: _privacy(PrivacyTask.What.REDACT_SHOP),
    },
    Shop.Kind.WOOCOMMERCE: {
        "order.created": _order,
        "order.updated": _order,
        "order.restored": _order,
        "order.deleted": _order_gone,
        "product.created": _product,
        "product.updated": _product,
        "product.restored": _product,
        "product.deleted": _product_gone,
        "customer.created": _customer,
        "customer.updated": _customer,
        "customer.deleted": _customer_gone,
    },
}


def topics_of(kind: str) -> list[str]:
    """What a shop should be told to send; for its set-up page."""
    return list(_TOPICS[kind])

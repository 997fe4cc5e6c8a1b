"""Shops' messages: signed or refused, kept before they are acknowledged, digested once."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from django.test import Client

from hongyan.accounts.types import system_actor
from hongyan.audit.models import AuditEntry
from hongyan.commerce.models import Order, PrivacyTask, Product, Shop, ShopMessage
from hongyan.commerce.privacy_tasks import task_close, task_details
from hongyan.commerce.shops import credentials_of, shop_connect
from hongyan.commerce.types import OrderState
from hongyan.contacts.models import Contact
from hongyan.events.models import Event
from hongyan.ingest.commerce.inbox import inbox_digest, topics_of
from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.ingest.quarantine import quarantine_edit, quarantine_open
from tests.commerce.shop_servers import shopify_order, shopify_refund, woo_order

pytestmark = pytest.mark.django_db
ACTOR = system_actor("test")
Message = dict[str, Any] | bytes


@pytest.fixture
def shopify() -> Shop:
    return shop_connect(
        actor=ACTOR, kind="shopify", address="tea.myshopify.com", token="shpat_x", secret="hush", private=False
    )


@pytest.fixture
def woo() -> Shop:
    return shop_connect(actor=ACTOR, kind="woocommerce", address="https://tea.example", token="ck_x", secret="cs_x")


def send(shop: Shop, topic: str, body: Message, *, delivery: str = "", signature: str | None = None) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    right = base64.b64encode(hmac.digest(credentials_of(shop).hook.encode(), raw, hashlib.sha256)).decode()
    names = (
        ("x-shopify-hmac-sha256", "x-shopify-topic", "x-shopify-webhook-id")
        if shop.kind == "shopify"
        else ("x-wc-webhook-signature", "x-wc-webhook-topic", "x-wc-webhook-delivery-id")
    )
    values = (right if signature is None else signature, topic, delivery)
    headers = {name: value for name, value in zip(names, values, strict=True) if value}
    client = Client(headers=headers)
    answer = client.post(f"/hooks/shop/{shop.public_id}/", raw, content_type="application/json")
    return answer.status_code


def test_an_order_from_message_to_fact(shopify: Shop) -> None:
    assert send(shopify, "orders/create", shopify_order()) == 200
    message = ShopMessage.objects.get()
    assert b"mei@example.com" not in bytes(message.body or b"")
    assert not Order.objects.exists()
    assert inbox_digest() == 1
    order = Order.objects.get()
    assert (order.total_minor, order.source) == (2490, shopify.key)
    assert Event.objects.get().name == "order_completed"
    message.refresh_from_db()
    assert (message.state, message.body) == ("done", None)
    shopify.refresh_from_db()
    assert shopify.received_at is not None


def test_a_wrong_signature_is_refused_and_counted(shopify: Shop) -> None:
    raw = json.dumps(shopify_order()).encode()
    other = base64.b64encode(hmac.digest(b"guess", raw, hashlib.sha256)).decode()
    assert [send(shopify, "orders/create", raw, signature=bad) for bad in (other, "x", "é" * 9)] == [401, 401, 401]
    shopify.refresh_from_db()
    assert (shopify.refused, ShopMessage.objects.count()) == (3, 0)
    assert (
        Client().post("/hooks/shop/00000000-0000-7000-8000-000000000000/", b"{}", "application/json").status_code == 404
    )
    assert Client().get(f"/hooks/shop/{shopify.public_id}/").status_code == 405
    assert send(shopify, "orders/create", b"x" * (5 * 2**20 + 1)) == 413


def test_the_same_delivery_again_and_an_older_state_change_nothing(shopify: Shop) -> None:
    send(shopify, "orders/updated", shopify_order(updated_at="2026-03-03T00:00:00Z", name="#new"), delivery="b")
    send(shopify, "orders/updated", shopify_order(updated_at="2026-03-03T00:00:00Z", name="#new"), delivery="b")
    send(shopify, "orders/create", shopify_order(), delivery="a")
    assert inbox_digest() == 2
    assert Order.objects.get().number == "#new"
    assert Event.objects.count() == 1


def test_paid_cancelled_and_refunded(shopify: Shop) -> None:
    send(shopify, "orders/create", shopify_order(financial_status="pending"))
    send(shopify, "orders/paid", shopify_order(updated_at="2026-03-02T00:00:00Z"))
    send(shopify, "refunds/create", shopify_refund())
    inbox_digest()
    assert (Order.objects.get().state, Order.objects.get().refunded_minor) == (OrderState.PARTIALLY_REFUNDED, 1000)
    later = shopify_order(updated_at="2026-03-06T00:00:00Z", refunds=[shopify_refund()])
    send(shopify, "orders/updated", later)
    send(
        shopify,
        "orders/cancelled",
        later | {"cancelled_at": "2026-03-07T00:00:00Z", "updated_at": "2026-03-07T00:00:00Z"},
    )
    inbox_digest()
    assert Order.objects.get().state == OrderState.CANCELLED
    names = sorted(Event.objects.values_list("name", flat=True))
    assert names == ["order_cancelled", "order_completed", "order_refunded", "order_updated", "order_updated"]


def test_products_customers_and_an_uninstalled_app(shopify: Shop) -> None:
    product = {"id": 9, "title": "Tea", "status": "active", "updated_at": "2026-01-01T00:00:00Z", "variants": []}
    send(shopify, "products/create", product)
    send(shopify, "customers/create", {"id": 77, "email": "mei@example.com", "first_name": "Mei", "last_name": "Wang"})
    send(shopify, "products/delete", {"id": 9})
    send(shopify, "app/uninstalled", {"id": 1})
    inbox_digest()
    assert not Product.objects.get().active
    assert Contact.objects.count() == 1
    shopify.refresh_from_db()
    assert (shopify.connected, shopify.disconnected_why) == (False, "uninstalled")
    assert send(shopify, "shop/redact", {"shop_id": 1}) == 200


def test_what_a_platform_asks_about_people_becomes_a_task(shopify: Shop) -> None:
    send(shopify, "customers/create", {"id": 77, "email": "mei@example.com", "first_name": "Mei"})
    for topic in ("customers/data_request", "customers/redact", "shop/redact"):
        send(
            shopify, topic, {"shop_id": 1, "customer": {"id": 77, "email": "mei@example.com"}, "orders_requested": [1]}
        )
    inbox_digest()
    tasks = list(PrivacyTask.objects.order_by("id"))
    assert [task.what for task in tasks] == ["customers/data_request", "customers/redact", "shop/redact"]
    assert {task.contact_id for task in tasks} == {Contact.objects.get().pk}
    assert (tasks[0].due_at - tasks[0].received_at).days == 30
    assert AuditEntry.objects.filter(action="privacy_task.received").count() == 3
    _task, details = task_details(actor=ACTOR, public_id=tasks[0].public_id)
    assert details["customer"]["email"] == "mei@example.com"
    closed = task_close(actor=ACTOR, public_id=tasks[0].public_id, note="sent by post")
    assert (closed.details, closed.closed_by) == (None, "test")


def test_what_cannot_be_digested_waits_in_quarantine_and_can_be_mended(shopify: Shop) -> None:
    send(shopify, "orders/create", shopify_order(currency="???"))
    send(shopify, "refunds/create", shopify_refund())
    send(shopify, "carts/update", {"id": 1})
    send(shopify, "orders/create", b"{not json")
    assert inbox_digest() == 4
    reasons = list(QuarantinedRecord.objects.order_by("id").values_list("reason", "place"))
    assert reasons == [
        ("currency", "/currency"), ("order_unknown", "/order_id"), ("topic_unknown", "carts/update"), ("json", ""),
    ]  # fmt: skip
    assert set(ShopMessage.objects.values_list("state", flat=True)) == {"set_aside"}
    first = QuarantinedRecord.objects.order_by("id")[0]
    payload = json.loads(quarantine_open(actor=ACTOR, public_id=first.public_id))
    payload["body"]["currency"] = "EUR"
    assert quarantine_edit(actor=ACTOR, public_id=first.public_id, payload=json.dumps(payload).encode()) is None
    assert Order.objects.get().currency == "EUR"


def test_woocommerce(woo: Shop) -> None:
    ping = Client().post(f"/hooks/shop/{woo.public_id}/", b"webhook_id=12", "application/x-www-form-urlencoded")
    assert ping.status_code == 200
    send(woo, "order.created", woo_order(), delivery="1")
    send(woo, "product.updated", {"id": 4, "name": "茶", "status": "draft", "sku": "TEA"}, delivery="2")
    send(woo, "customer.created", {"id": 3, "email": "ken@example.com", "first_name": "Ken"}, delivery="3")
    inbox_digest()
    order = Order.objects.get()
    assert (order.total_minor, order.currency) == (2900, "JPY")
    assert not Product.objects.get().active
    assert Contact.objects.count() == 1
    send(woo, "order.deleted", {"id": 1}, delivery="4")
    send(woo, "product.deleted", {"id": 4}, delivery="5")
    inbox_digest()
    assert Order.objects.get().state == OrderState.CANCELLED
    assert not QuarantinedRecord.objects.exists()
    assert {"order.created", "product.updated", "customer.updated"} <= set(topics_of("woocommerce"))

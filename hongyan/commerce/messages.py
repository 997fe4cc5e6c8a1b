"""The inbox of shops: what came in with the right signature is kept, sealed, before the shop hears that it arrived."""

import base64
import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from hongyan.commerce.models import Shop, ShopMessage
from hongyan.commerce.shops import credentials_of
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import statement

KEPT = timedelta(days=7)
MOST_BYTES = 5 << 20


def shop_of(public_id: UUID) -> Shop | None:
    return Shop.objects.filter(public_id=public_id).first()


def signed_by(shop: Shop, body: bytes, signature: str) -> bool:
    """Base64 of HMAC-SHA-256 over the raw body: the same at Shopify (X-Shopify-Hmac-Sha256) and WooCommerce
    (X-WC-Webhook-Signature)."""
    expected = base64.b64encode(hmac.digest(credentials_of(shop).hook.encode(), body, hashlib.sha256))
    return hmac.compare_digest(expected, signature.encode("utf-8", "replace"))


def message_refused(shop: Shop) -> None:
    """Counted, so that a wrong secret is seen on the page of the shop."""
    Shop.objects.filter(pk=shop.pk).update(refused=F("refused") + 1, refused_at=now())


def message_keep(shop: Shop, *, topic: str, delivery: str, body: bytes) -> bool:
    """Whether it is new. Committed when this returns."""
    name = delivery[:120] or hashlib.sha256(topic.encode() + b"\x00" + body).hexdigest()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('commerce_shopmessage', 'id'))")
        number = int(cursor.fetchone()[0])
        sealed = keyring().records.seal(body, owner_id=number)
        cursor.execute(
            statement("hongyan.commerce", "shops.sql", "keep"),
            {"id": number, "shop": shop.pk, "topic": topic[:64], "delivery": name, "body": sealed, "at": now()},
        )
        new = bool(cursor.rowcount)
        Shop.objects.filter(pk=shop.pk).update(received_at=now())
    return new


def body_of(message: ShopMessage) -> bytes:
    return keyring().records.open(bytes(message.body or b""), owner_id=message.pk)


def messages_forget() -> int:
    """Waiting ones stay however long they wait."""
    old = ShopMessage.objects.filter(received_at__lt=now() - KEPT).exclude(state=ShopMessage.State.WAITING)
    return old.delete()[0]

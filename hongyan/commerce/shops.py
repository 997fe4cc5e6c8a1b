"""Connecting shops: their address, their keys (sealed), and how the two sides know each other."""

import re
import secrets
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.commerce.errors import CommerceMissing, ShopRefused
from hongyan.commerce.models import Shop
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?")
_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Credentials:
    """token, secret: Shopify's access token and API secret, or WooCommerce's consumer key and secret. hook: what
    messages are signed with; Shopify signs with its API secret. private: the shop stands in our own network."""

    token: str
    secret: str
    hook: str
    private: bool = False


def shop_connect(
    *,
    actor: Actor,
    kind: str,
    address: str,
    name: str = "",
    token: str = "",
    secret: str = "",
    private: bool = False,
) -> Shop:
    """Raises ShopRefused with the field at fault. A shop that was disconnected comes back with its history."""
    actor.require(Permission.SOURCE_EDIT)
    if kind not in Shop.Kind.values:
        raise ShopRefused("not_a_shop", "kind")
    url = clean_address(address, private=private)
    token, secret = token.strip(), secret.strip()
    for field, value in (("token", token), ("secret", secret)):
        if not value:
            raise ShopRefused("key_needed", field)
        if len(value) > _LIMIT or not value.isascii() or not value.isprintable():
            raise ShopRefused("credentials", field)
    host = urlsplit(url).netloc
    hook = secret if kind == Shop.Kind.SHOPIFY else secrets.token_urlsafe(32)
    key = f"{kind}:{re.sub(r'[^a-z0-9.-]', '-', host)}"[:64]
    try:
        with transaction.atomic():
            shop = Shop.objects.select_for_update().filter(key=key).first()
            if shop is not None and shop.connected:
                raise ShopRefused("address_taken", "address")
            if shop is None:
                shop = Shop.objects.create(kind=kind, key=key, name=name.strip()[:120] or host[:120], address=url)
            elif kind == Shop.Kind.WOOCOMMERCE and shop.credentials:
                hook = credentials_of(shop).hook  # the shop may still sign with it
            shop.connected, shop.disconnected_why, shop.address = True, "", url
            _seal(shop, Credentials(token, secret, hook, private))
            shop.save()
            _note(actor, "shop.connected", shop)
    except IntegrityError as error:
        raise ShopRefused("address_taken", "address") from error
    return shop


def shop_change(*, actor: Actor, public_id: UUID, name: str, token: str = "", secret: str = "") -> Shop:
    """Empty keys stay as they are: they are never shown again."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        shop = shop_by_public_id(actor=actor, public_id=public_id, lock=True)
        kept = credentials_of(shop)
        token, secret = token.strip() or kept.token, secret.strip() or kept.secret
        hook = secret if shop.kind == Shop.Kind.SHOPIFY else kept.hook
        shop.name = name.strip()[:120] or shop.name
        _seal(shop, Credentials(token, secret, hook, kept.private))
        shop.save()
        _note(actor, "shop.changed", shop)
    return shop


def shop_disconnect(*, actor: Actor, public_id: UUID, why: str = "staff") -> Shop:
    """Its orders stay. Its keys go, but for what its last messages are signed with."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        shop = shop_by_public_id(actor=actor, public_id=public_id, lock=True)
        kept = credentials_of(shop)
        shop.connected, shop.disconnected_why = False, why
        _seal(shop, Credentials("", "", kept.hook, kept.private))
        shop.save()
        _note(actor, "shop.disconnected", shop, why=why)
    return shop


def shop_tested(shop: Shop, problem: str) -> None:
    Shop.objects.filter(pk=shop.pk).update(tested_at=now(), test_problem=problem)


def shop_by_public_id(*, actor: Actor, public_id: UUID, lock: bool = False) -> Shop:
    """Raises CommerceMissing."""
    actor.require(Permission.SOURCE_EDIT)
    rows = Shop.objects.select_for_update(of=("self",)) if lock else Shop.objects.select_related("backfill")
    shop = rows.filter(public_id=public_id).first()
    if shop is None:
        raise CommerceMissing
    return shop


def shops(*, actor: Actor) -> list[Shop]:
    actor.require(Permission.SOURCE_EDIT)
    return list(Shop.objects.select_related("backfill").order_by("-connected", "name"))


def credentials_of(shop: Shop) -> Credentials:
    """System use."""
    return Credentials(**orjson.loads(keyring().records.open(bytes(shop.credentials), owner_id=shop.pk)))


def clean_address(text: str, *, private: bool) -> str:
    """https://host, or http:// and a port in our own network. Raises ShopRefused."""
    given = text.strip()
    parts = urlsplit(given if "://" in given else f"https://{given}")
    host = (parts.hostname or "").lower()
    try:
        port = parts.port
    except ValueError as error:
        raise ShopRefused("address", "address") from error
    if not _HOST.fullmatch(host) or parts.username or parts.password or parts.query or parts.fragment:
        raise ShopRefused("address", "address")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise ShopRefused("address", "address")
    if not private and (port is not None or "." not in host):
        raise ShopRefused("address", "address")
    folder = parts.path.rstrip("/")
    if folder and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", folder):
        raise ShopRefused("address", "address")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{folder}"[:255]


def _seal(shop: Shop, credentials: Credentials) -> None:
    shop.credentials = keyring().records.seal(orjson.dumps(asdict(credentials)), owner_id=shop.pk)


def _note(actor: Actor, action: str, shop: Shop, **data: Any) -> None:
    record(
        actor=actor,
        action=action,
        subject_kind="shop",
        subject_id=str(shop.public_id),
        data={"kind": shop.kind, **data},
    )

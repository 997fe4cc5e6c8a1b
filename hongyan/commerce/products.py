"""Writing products: a catalogue's own words, many at once."""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.commerce.errors import CommerceMissing, CommerceRefused, MoneyRefused
from hongyan.commerce.models import Product
from hongyan.commerce.money import LARGEST_MINOR, checked_currency
from hongyan.commerce.types import Outcome, ProductIn, ProductOutcome
from hongyan.contacts.bulk_rows import uuid7_block
from hongyan.core.sql import statement, texts

_LIMITS = {"external_id": 200, "sku": 120, "title": 400, "category": 200, "brand": 200, "url": 2000, "image_url": 2000}
_WEB = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_MOST_ATTRIBUTES = 20_000  # bytes of JSON


def upsert(*, actor: Actor, source: str, products: Sequence[ProductIn], is_demo: bool = False) -> list[ProductOutcome]:
    """Outcomes in the order given. Older ``updated_at`` never overwrites newer; of several with one id the newest
    counts."""
    actor.require(Permission.IMPORT_RUN)
    if not 1 <= len(source) <= 64:
        raise CommerceRefused("source", "source")
    outcomes: dict[str, ProductOutcome] = {}
    newest: dict[str, ProductIn] = {}
    for product in products:
        code = fault(product)
        if code:
            outcomes[product.external_id] = ProductOutcome(product.external_id, Outcome.REJECTED, code=code)
            continue
        other = newest.get(product.external_id)
        if other is None or _not_older(product.updated_at, other.updated_at):
            newest[product.external_id] = product
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.commerce", "products.sql", "write"),
            {"source": source, "is_demo": is_demo, "rows": _rows(list(newest.values()))},
        )
        written = {name: (pk, created) for name, pk, created in cursor.fetchall()}
        cursor.execute(
            statement("hongyan.commerce", "products.sql", "kept"), {"source": source, "externals": texts(newest)}
        )
        kept = {name: (pk, at) for name, pk, at in cursor.fetchall()}
    for name, product in newest.items():
        if name in written:
            pk, created = written[name]
            outcomes[name] = ProductOutcome(name, Outcome.CREATED if created else Outcome.UPDATED, pk)
        else:
            pk, at = kept[name]
            stale = product.updated_at is not None and at is not None and product.updated_at < at
            outcomes[name] = ProductOutcome(name, Outcome.STALE if stale else Outcome.UNCHANGED, pk)
    return [outcomes[product.external_id] for product in products]


def product_deactivate(*, actor: Actor, source: str, external_id: str) -> bool:
    """What a shop deleted: it is not sold any more, but stays in the orders. Whether it was known and active."""
    actor.require(Permission.IMPORT_RUN)
    return bool(Product.objects.filter(source=source, external_id=external_id, active=True).update(active=False))


def product_delete(*, actor: Actor, public_id: UUID) -> None:
    """Lines keep their text. Raises CommerceMissing."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic(), connection.cursor() as cursor:
        product = Product.objects.select_for_update().filter(public_id=public_id).first()
        if product is None:
            raise CommerceMissing
        cursor.execute(statement("hongyan.commerce", "products.sql", "untie"), {"id": product.pk})
        product.delete()
        record(actor=actor, action="product.deleted", subject_kind="product", subject_id=str(public_id))


def fault(product: ProductIn) -> str:
    """Why it cannot be taken; "" when it can."""
    if not product.external_id:
        return "id_missing"
    if any(len(getattr(product, name)) > limit for name, limit in _LIMITS.items()):
        return "too_long"
    if any(url and not _WEB.fullmatch(url) for url in (product.url, product.image_url)):
        return "url"
    if len(orjson.dumps(dict(product.attributes))) > _MOST_ATTRIBUTES:
        return "too_long"
    if product.price_minor is None:
        return ""
    if not 0 <= product.price_minor <= LARGEST_MINOR:
        return "amount_range"
    try:
        return "" if checked_currency(product.currency) == product.currency else "currency"
    except MoneyRefused as refused:
        return refused.code


def _rows(products: Sequence[ProductIn]) -> str:
    public_ids = [str(UUID(bytes=raw)) for raw in uuid7_block(len(products))]
    rows = [
        {
            "public_id": public_id,
            "external_id": item.external_id,
            "sku": item.sku,
            "title": item.title,
            "url": item.url,
            "image_url": item.image_url,
            "category": item.category,
            "brand": item.brand,
            "currency": item.currency,
            "price_minor": item.price_minor,
            "attributes": dict(item.attributes),
            "active": item.active,
            "changed_at": item.updated_at,
        }
        for public_id, item in zip(public_ids, products, strict=True)
    ]
    return orjson.dumps(rows).decode()


def _not_older(given: datetime | None, kept: datetime | None) -> bool:
    return given is None or kept is None or given >= kept

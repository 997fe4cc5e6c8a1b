"""One order as a row: what is wrong with it, whether it is the same again, and its sums."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from hongyan.commerce.people import Found
from hongyan.commerce.types import LineKind, OrderIn
from hongyan.core.crypto.keyring import keyring

_LIMITS = {"external_id": 200, "number": 120, "coupon": 120}
_GOODS = (LineKind.PRODUCT, LineKind.GIFT_CARD)


def digest_of(order: OrderIn) -> bytes:
    """Keyed, since it is made of names and addresses too. The source's time of change alone is no change."""
    said = orjson.dumps(replace(order, updated_at=None), default=str)
    return keyring().blind.index("order", said.decode())


def not_older(given: datetime | None, kept: datetime | None) -> bool:
    """Where one of the two has no time of change, the last to come wins."""
    return given is None or kept is None or given >= kept


def fault_of(order: OrderIn) -> str:
    if not order.external_id:
        return "id_missing"
    if any(len(getattr(order, name)) > limit for name, limit in _LIMITS.items()):
        return "too_long"
    if order.placed_at.tzinfo is None:
        return "date"
    return "" if all(refund.amount_minor >= 0 for refund in order.refunds) else "refund_negative"


def row_of(order: OrderIn, found: Found, digest: bytes, public_id: bytes) -> dict[str, Any]:
    sums = dict.fromkeys(LineKind, 0)
    for line in order.lines:
        sums[line.kind] += line.amount_minor
    goods = sum(sums[kind] for kind in _GOODS)
    discount = order.discount_minor - sums[LineKind.DISCOUNT]
    shipping = order.shipping_minor + sums[LineKind.SHIPPING]
    charges = sums[LineKind.FEE] + sums[LineKind.ADJUSTMENT]
    total = order.total_minor
    if total is None:
        total = goods - discount + shipping + order.tax_minor + charges
    return {
        "public_id": str(UUID(bytes=public_id)),
        "external_id": order.external_id,
        "contact_id": found.contact_id,
        "missing": found.missing.value,
        "number": order.number or order.external_id[:120],
        "kind": order.kind.value,
        "state": order.state.value,
        "currency": order.currency,
        "lines_minor": goods,
        "discount_minor": discount,
        "shipping_minor": shipping,
        "tax_minor": order.tax_minor,
        "fees_minor": charges,
        "total_minor": total,
        "items": len(order.lines),
        "country": order.country[:64],
        "attributes": dict(order.attributes),
        "placed_at": order.placed_at.isoformat(),
        "changed_at": order.updated_at.isoformat() if order.updated_at else None,
        "cancelled_at": order.cancelled_at.isoformat() if order.cancelled_at else None,
        "digest": digest.hex(),
    }

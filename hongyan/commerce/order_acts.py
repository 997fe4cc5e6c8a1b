"""Acts on one order that is there: a refund that comes by itself, a cancellation, a removal."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.commerce import credit_notes, facts_of_orders
from hongyan.commerce.facts import facts_renew
from hongyan.commerce.models import Order, OrderChange, Refund
from hongyan.commerce.types import OrderState, RefundIn
from hongyan.core.sql import numbers, statement
from hongyan.events.services import append


def order_delete(*, actor: Actor, public_id: UUID) -> None:
    """An order that never was (a test, a mistake). Facts follow; events that were recorded stay: they did happen."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        order = Order.objects.select_for_update().get(public_id=public_id)
        contact_id = order.contact_id
        with connection.cursor() as cursor:
            cursor.execute(_sql("returned_orders"), {"ids": numbers([order.pk])})
            settled = {row[0] for row in cursor.fetchall()}
            cursor.execute(_sql("untie_lines"), {"ids": numbers([order.pk])})
            notes = {row[0] for row in cursor.fetchall()}
        order.delete()
        credit_notes.orders_settle(notes=notes, orders=settled)
        if contact_id is not None:
            facts_renew([contact_id])


def refund_add(*, actor: Actor, source: str, external_id: str, refund: RefundIn) -> bool:
    """A refund that comes by itself. False when its order is not known. Once more changes nothing."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(source=source, external_id=external_id).first()
        if order is None:
            return False
        Refund.objects.update_or_create(
            order=order,
            external_id=refund.external_id[:200],
            defaults={"amount_minor": refund.amount_minor, "at": refund.at, "reason": refund.reason[:300]},
        )
        before = order.state
        credit_notes.orders_settle(notes=(), orders=[order.pk])
        order.refresh_from_db()
        _changed(order, source, {"state": before}, {"state": order.state, "refund": refund.amount_minor})
        if order.contact_id is not None:
            facts_renew([order.contact_id])
            append([facts_of_orders.refund_event(order, refund)])
    return True


def order_cancel(*, actor: Actor, source: str, external_id: str, at: datetime) -> bool:
    """An order its source took back without saying more. False when it is not known."""
    actor.require(Permission.IMPORT_RUN)
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(source=source, external_id=external_id).first()
        if order is None:
            return False
        if order.state == OrderState.CANCELLED:
            return True
        before, order.state, order.source_state = order.state, OrderState.CANCELLED, OrderState.CANCELLED
        order.cancelled_at, order.digest = at, b""
        order.save(update_fields=["state", "source_state", "cancelled_at", "digest"])
        _changed(order, source, {"state": before}, {"state": order.state})
        if order.contact_id is not None:
            facts_renew([order.contact_id])
            append([facts_of_orders.cancel_event(order, at)])
    return True


def _changed(order: Order, by: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    OrderChange.objects.create(order=order, by=by[:64], before=before, after=after)


def _sql(name: str) -> str:
    return statement("hongyan.commerce", "orders.sql", name)

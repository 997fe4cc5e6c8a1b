"""What this room holds about a person, how it forgets them, and how orders follow a merge."""

from typing import Any

from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.commerce.facts import facts_renew
from hongyan.commerce.models import ContactFacts, Order, OrderLine, PrivacyTask, Refund
from hongyan.commerce.types import Missing
from hongyan.contacts.owned import Moved, Owned, Pairs, move_rows
from hongyan.core.sql import any_of

TABLES_ABOUT_PEOPLE = ("commerce_order", "commerce_contactfacts", "commerce_privacytask")
KEPT = {
    "commerce.Order": "for good; after erasure without contact, since accounts must still add up",
    "commerce.ContactFacts": "with the contact",
    "commerce.ShopMessage": "sealed, a week",
    "commerce.PrivacyTask": "for good; what the shop sent goes when the task is closed",
}


def export(*, actor: Actor, contact_id: int) -> dict[str, Any]:
    """Every order with its lines and refunds, and the sums."""
    actor.require(Permission.CONTACT_EXPORT)
    orders = list(Order.objects.filter(contact_id=contact_id).order_by("placed_at", "id"))
    ids = [order.pk for order in orders]
    lines: dict[int, list[dict[str, Any]]] = {}
    for line in OrderLine.objects.filter(order_id__in=ids).order_by("order_id", "place"):
        lines.setdefault(line.order_id, []).append(
            {
                "sku": line.sku,
                "title": line.title,
                "quantity": str(line.quantity),
                "unit_price": str(line.unit_price),
                "amount_minor": line.amount_minor,
            }
        )
    refunds: dict[int, list[dict[str, Any]]] = {}
    for refund in Refund.objects.filter(order_id__in=ids).order_by("at"):
        refunds.setdefault(refund.order_id, []).append(
            {"at": refund.at, "amount_minor": refund.amount_minor, "reason": refund.reason}
        )
    facts = ContactFacts.objects.filter(contact_id=contact_id).first()
    return {
        "facts": {
            "orders": facts.orders,
            "currency": facts.currency,
            "total_minor": facts.total_minor,
            "per_currency": facts.per_currency,
            "first_at": facts.first_at,
            "last_at": facts.last_at,
        }
        if facts
        else {},
        "orders": [
            {
                "number": order.number,
                "source": order.source,
                "kind": order.kind,
                "state": order.state,
                "currency": order.currency,
                "total_minor": order.total_minor,
                "refunded_minor": order.refunded_minor,
                "placed_at": order.placed_at,
                "country": order.country,
                "attributes": order.attributes,
                "lines": lines.get(order.pk, []),
                "refunds": refunds.get(order.pk, []),
            }
            for order in orders
        ],
        "privacy_tasks": [
            {"what": task.what, "received_at": task.received_at, "closed_at": task.closed_at}
            for task in PrivacyTask.objects.filter(contact_id=contact_id)
        ],
    }


def erase(*, contact_id: int) -> int:
    """Amounts stay for the accounts, the person goes: no contact, no country, nothing a shop noted."""
    orders = Order.objects.filter(contact_id=contact_id)
    changed = orders.update(contact=None, missing=Missing.ERASED.value, attributes={}, country="")
    changed += ContactFacts.objects.filter(contact_id=contact_id).delete()[0]
    return changed + PrivacyTask.objects.filter(contact_id=contact_id).update(contact=None)


_ORDERS, _TASKS = Owned("commerce_order"), Owned("commerce_privacytask")


def move_many(pairs: Pairs) -> dict[int, dict[str, Any]]:
    """The orders of the one become the other's, many pairs at once. Returns what ``restore`` needs."""
    with transaction.atomic():
        orders, tasks = _keys(move_rows(_ORDERS, pairs)), _keys(move_rows(_TASKS, pairs))
        summed = ContactFacts.objects.filter(contact_id__in=any_of([loser for loser, _ in pairs]))
        touched = orders.keys() | set(summed.values_list("contact_id", flat=True))  # the others' sums stand
        facts_renew([number for pair in pairs if pair[0] in touched for number in pair])
    moved = orders.keys() | tasks.keys()
    return {loser: {"orders": orders.get(loser, []), "tasks": tasks.get(loser, [])} for loser in moved}


def _keys(moved: Moved) -> dict[int, list[int]]:
    return {loser: [number for (number,) in data["moved"]] for loser, data in moved.items()}


def restore(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    """Exactly the orders that were moved go back; later ones stay with the survivor."""
    with transaction.atomic():
        Order.objects.filter(pk__in=data["orders"], contact_id=survivor_id).update(contact_id=loser_id)
        PrivacyTask.objects.filter(pk__in=data["tasks"], contact_id=survivor_id).update(contact_id=loser_id)
        facts_renew([loser_id, survivor_id])

"""What a shop's platform asks about people: to be looked at and closed by whoever guards privacy, in time."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor, system_actor
from hongyan.audit.services import record
from hongyan.commerce.errors import CommerceMissing
from hongyan.commerce.models import PrivacyTask, Shop
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring

# Shopify: "complete the action within 30 days of receiving the request".
# https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
DUE = timedelta(days=30)


def task_receive(
    *, shop: Shop, what: str, contact_id: int | None, details: dict[str, Any], received_at: datetime
) -> PrivacyTask:
    """In the caller's transaction."""
    task = PrivacyTask.objects.create(
        shop=shop, what=what, contact_id=contact_id, received_at=received_at, due_at=received_at + DUE
    )
    task.details = keyring().records.seal(orjson.dumps(details), owner_id=task.pk)
    task.save(update_fields=["details"])
    record(
        actor=system_actor("shop"),
        action="privacy_task.received",
        subject_kind="privacy_task",
        subject_id=str(task.public_id),
        data={"what": what, "shop": shop.key, "known": contact_id is not None},
    )
    return task


def tasks(*, actor: Actor, open_only: bool = False) -> list[PrivacyTask]:
    """Open ones first, by their due date."""
    actor.require(Permission.CONTACT_ERASE)
    rows = PrivacyTask.objects.select_related("shop", "contact")
    if open_only:
        rows = rows.filter(closed_at=None)
    return sorted(rows[:500], key=lambda task: (task.closed_at is not None, task.due_at))


def task_details(*, actor: Actor, public_id: UUID) -> tuple[PrivacyTask, dict[str, Any]]:
    """What the shop sent; the look is on record. Raises CommerceMissing."""
    actor.require(Permission.CONTACT_ERASE)
    actor.require(Permission.CONTACT_IDENTITY)
    task = PrivacyTask.objects.select_related("shop", "contact").filter(public_id=public_id).first()
    if task is None:
        raise CommerceMissing
    record(actor=actor, action="privacy_task.viewed", subject_kind="privacy_task", subject_id=str(task.public_id))
    if task.details is None:
        return task, {}
    found: dict[str, Any] = orjson.loads(keyring().records.open(bytes(task.details), owner_id=task.pk))
    return task, found


def task_close(*, actor: Actor, public_id: UUID, note: str) -> PrivacyTask:
    """It is done; what the shop sent about the person goes. Raises CommerceMissing for one that is closed."""
    actor.require(Permission.CONTACT_ERASE)
    with transaction.atomic():
        task = PrivacyTask.objects.select_for_update().filter(public_id=public_id, closed_at=None).first()
        if task is None:
            raise CommerceMissing
        task.closed_at, task.closed_by, task.note, task.details = now(), actor.label[:200], note.strip()[:500], None
        task.save(update_fields=["closed_at", "closed_by", "note", "details"])
        record(
            actor=actor,
            action="privacy_task.closed",
            subject_kind="privacy_task",
            subject_id=str(task.public_id),
            data={"what": task.what},
        )
    return task

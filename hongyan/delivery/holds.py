"""Pausing, resuming and cancelling an origin. Each is a record; none has to touch the waiting rows but cancelling."""

from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.delivery.errors import OriginCancelled
from hongyan.delivery.models import OriginHold
from hongyan.delivery.types import Origin


def pause(*, actor: Actor, origin: Origin) -> None:
    """Nothing more of it is claimed; what a worker holds already is put back before it leaves. Pausing twice is one
    pause. Raises OriginCancelled."""
    actor.require(Permission.CAMPAIGN_SEND)
    with transaction.atomic():
        hold = _open_hold(origin)
        if hold is not None:
            _refuse_cancelled(hold)
            return
        _begin(actor, origin, OriginHold.Action.PAUSE)


def resume(*, actor: Actor, origin: Origin) -> None:
    """Does nothing to what is not paused. Raises OriginCancelled."""
    actor.require(Permission.CAMPAIGN_SEND)
    with transaction.atomic():
        hold = _open_hold(origin)
        if hold is None:
            return
        _refuse_cancelled(hold)
        _end(actor, hold)
        _audit(actor, "delivery.resumed", origin)


def cancel(*, actor: Actor, origin: Origin) -> int:
    """For good. Returns how many messages were cancelled at once; the few a worker holds are stopped by the gate unless
    their final dot has left."""
    actor.require(Permission.CAMPAIGN_SEND)
    with transaction.atomic():
        hold = _open_hold(origin)
        if hold is None or hold.action == OriginHold.Action.PAUSE:
            if hold is not None:
                _end(actor, hold)
            _begin(actor, origin, OriginHold.Action.CANCEL)
        with connection.cursor() as cursor:
            cursor.execute(
                statement("hongyan.delivery", "outbox.sql", "cancel_waiting"),
                {"kind": origin.kind, "origin_id": origin.id, "month": origin.month, "now": clock.now()},
            )
            return int(cursor.rowcount)


def _open_hold(origin: Origin) -> OriginHold | None:
    return (
        OriginHold.objects.select_for_update()
        .filter(origin_kind=origin.kind, origin_id=origin.id, ended_at=None)
        .first()
    )


def _refuse_cancelled(hold: OriginHold) -> None:
    if hold.action == OriginHold.Action.CANCEL:
        raise OriginCancelled(f"{hold.origin_kind} {hold.origin_id} was cancelled")


def _begin(actor: Actor, origin: Origin, action: OriginHold.Action) -> None:
    OriginHold.objects.create(
        origin_kind=origin.kind, origin_id=origin.id, action=action, begun_at=clock.now(), begun_by=actor.label
    )
    _audit(actor, "delivery.paused" if action == OriginHold.Action.PAUSE else "delivery.cancelled", origin)


def _end(actor: Actor, hold: OriginHold) -> None:
    hold.ended_at, hold.ended_by = clock.now(), actor.label
    hold.save(update_fields=["ended_at", "ended_by"])


def _audit(actor: Actor, action: str, origin: Origin) -> None:
    record(actor=actor, action=action, subject_kind=origin.kind, subject_id=str(origin.id))

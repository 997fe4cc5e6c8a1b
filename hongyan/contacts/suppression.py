"""Addresses that are not mailed, whoever imports them again. Kept by blind index only."""

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record as audit_record
from hongyan.contacts.identifiers import blind_of
from hongyan.contacts.models import Suppression
from hongyan.contacts.types import SuppressionReason


def suppress(*, actor: Actor, kind: str, value: str, reason: SuppressionReason, note: str = "") -> bool:
    """value: normalised address. Returns whether it is new. A contact may suppress their own address."""
    if actor.kind != "contact":
        actor.require(Permission.CONSENT_EDIT)
    return suppress_blind(actor=actor, kind=kind, blind=blind_of(kind, value), reason=reason, note=note)


def suppress_blind(*, actor: Actor, kind: str, blind: bytes, reason: SuppressionReason, note: str = "") -> bool:
    row, new = Suppression.objects.get_or_create(kind=kind, blind=blind, reason=reason, defaults={"note": note[:200]})
    if new:
        audit_record(
            actor=actor,
            action="suppression.added",
            subject_kind="suppression",
            subject_id=str(row.pk),
            data={"kind": kind, "reason": str(reason)},
        )
    return new


def unsuppress(*, actor: Actor, kind: str, value: str, reason: SuppressionReason) -> bool:
    """Returns whether there was one. An erased person's suppression is not lifted here: they come back by opting in."""
    actor.require(Permission.CONSENT_EDIT)
    blind = blind_of(kind, value)
    gone, _ = Suppression.objects.filter(kind=kind, blind=blind, reason=reason).delete()
    if gone:
        audit_record(
            actor=actor,
            action="suppression.lifted",
            subject_kind="suppression",
            subject_id="",
            data={"kind": kind, "reason": str(reason)},
        )
    return bool(gone)


def is_suppressed(*, kind: str, value: str) -> SuppressionReason | None:
    blind = blind_of(kind, value)
    reason = Suppression.objects.filter(kind=kind, blind=blind).order_by("id").values_list("reason", flat=True).first()
    return SuppressionReason(reason) if reason else None

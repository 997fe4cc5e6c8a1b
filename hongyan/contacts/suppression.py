"""Addresses that are not mailed, whoever imports them again. Kept by blind index only; domains in clear."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record as audit_record
from hongyan.contacts import normalise
from hongyan.contacts.identifiers import blind_of
from hongyan.contacts.models import Identifier, Suppression
from hongyan.contacts.types import Cursor, Page, SuppressionReason


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """What can be shown of a suppression: never the address, which nobody can read any more; the contact who has it, if
    there is one."""

    id: int
    kind: str
    domain: str
    reason: str
    note: str
    created_at: datetime
    contact_public_id: str


def suppress(*, actor: Actor, kind: str, value: str, reason: SuppressionReason, note: str = "") -> bool:
    """kind: email | phone | domain. value: normalised. Returns whether it is new. A contact may suppress their own
    address. note: never personal data."""
    if actor.kind != "contact":
        actor.require(Permission.CONSENT_EDIT)
    domain = normalise.domain(value) if kind == "domain" else ""
    return suppress_blind(
        actor=actor, kind=kind, blind=blind_of(kind, domain or value), reason=reason, note=note, domain=domain
    )


def suppress_blind(
    *, actor: Actor, kind: str, blind: bytes, reason: SuppressionReason, note: str = "", domain: str = ""
) -> bool:
    row, new = Suppression.objects.get_or_create(
        kind=kind, blind=blind, reason=reason, defaults={"note": note[:200], "domain": domain}
    )
    if new:
        _audit(actor, "suppression.added", row.pk, kind, reason)
    return new


def unsuppress(*, actor: Actor, kind: str, value: str, reason: SuppressionReason) -> bool:
    """Returns whether there was one. It does not bring consent back: who unsubscribed has to opt in again."""
    actor.require(Permission.CONSENT_EDIT)
    return lift_blind(actor=actor, kind=kind, blind=blind_of(kind, value), reason=reason)


def unsuppress_row(*, actor: Actor, suppression_id: int) -> bool:
    """By its row, since the address itself is not kept."""
    actor.require(Permission.CONSENT_EDIT)
    row = Suppression.objects.filter(pk=suppression_id).first()
    if row is None:
        return False
    return lift_blind(actor=actor, kind=row.kind, blind=bytes(row.blind), reason=SuppressionReason(row.reason))


def lift_blind(*, actor: Actor, kind: str, blind: bytes, reason: SuppressionReason) -> bool:
    row = Suppression.objects.filter(kind=kind, blind=blind, reason=reason).first()
    if row is None:
        return False
    row_id = row.pk
    row.delete()
    _audit(actor, "suppression.lifted", row_id, kind, reason)
    return True


def reasons_of_addresses(addresses: Collection[str]) -> dict[str, set[SuppressionReason]]:
    """Why these e-mail addresses (normalised) are suppressed, themselves or by their domain. Others are missing."""
    by_blind = {blind_of("email", address): address for address in addresses}
    by_domain: dict[str, list[str]] = {}
    for address in addresses:
        by_domain.setdefault(address.rpartition("@")[2], []).append(address)
    found: dict[str, set[SuppressionReason]] = {}
    rows = Suppression.objects.filter(
        Q(kind="email", blind__in=list(by_blind)) | Q(kind="domain", domain__in=list(by_domain))
    ).values_list("kind", "blind", "domain", "reason")
    for kind, blind, domain, reason in rows:
        for address in [by_blind[bytes(blind)]] if kind == "email" else by_domain[domain]:
            found.setdefault(address, set()).add(SuppressionReason(reason))
    return found


def is_suppressed(*, kind: str, value: str) -> SuppressionReason | None:
    blind = blind_of(kind, value)
    reason = Suppression.objects.filter(kind=kind, blind=blind).order_by("id").values_list("reason", flat=True).first()
    return SuppressionReason(reason) if reason else None


def suppressions_of(*, contact_id: int) -> list[Suppression]:
    """Those that meet an address or a number of this contact."""
    pairs = Identifier.objects.filter(contact_id=contact_id).values_list("kind", "blind")
    found: list[Suppression] = []
    for kind, blind in pairs:
        found.extend(Suppression.objects.filter(kind=kind, blind=bytes(blind)).order_by("id"))
    return found


def suppression_page(
    *,
    actor: Actor,
    after: Cursor | None = None,
    reason: str = "",
    value: tuple[str, str] | None = None,
    limit: int = 50,
) -> Page[SuppressionRow]:
    """Newest first. value: (kind, normalised value) to look one address up."""
    actor.require(Permission.CONTACT_VIEW)
    rows = Suppression.objects.order_by("-created_at", "-id")
    if reason:
        rows = rows.filter(reason=reason)
    if value is not None:
        rows = rows.filter(kind=value[0], blind=blind_of(*value))
    if after is not None and after.at is not None:
        rows = rows.filter(created_at__lte=after.at).exclude(created_at=after.at, id__gte=after.id)
    found = list(rows[: limit + 1])
    more = found[limit - 1] if len(found) > limit else None
    owners = _owners(found[:limit])
    return Page(
        [
            SuppressionRow(
                row.pk, row.kind, row.domain, row.reason, row.note, row.created_at, owners.get(bytes(row.blind), "")
            )
            for row in found[:limit]
        ],
        Cursor(more.created_at, more.pk) if more else None,
    )


def _owners(rows: list[Suppression]) -> dict[bytes, str]:
    held = Identifier.objects.filter(blind__in=[bytes(row.blind) for row in rows]).select_related("contact")
    return {bytes(item.blind): str(item.contact.public_id) for item in held}


def _audit(actor: Actor, action: str, row_id: int, kind: str, reason: SuppressionReason) -> None:
    audit_record(
        actor=actor,
        action=action,
        subject_kind="suppression",
        subject_id=str(row_id),
        data={"kind": kind, "reason": str(reason)},
    )

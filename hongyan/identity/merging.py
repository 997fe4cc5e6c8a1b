"""Making two records one, and two again. Each act is one transaction, both rows locked in the order of their ids."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import OperationalError, connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import merging as rooms
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.models import Contact
from hongyan.contacts.models_merging import MergedAway
from hongyan.contacts.profiles import (
    LOCKED,
    bring_back,
    origin_of,
    provenance_key,
    set_values,
    snapshot,
    take_back,
    values_of,
)
from hongyan.contacts.rows_merging import lost_identifiers
from hongyan.contacts.sealing import open_record
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.identity import pairs_merging as pairs
from hongyan.identity.errors import AlreadyMerged, MergeRefused, UnmergeRefused
from hongyan.identity.kept import after_merge, keep, kept_of, taken_back
from hongyan.identity.models_merging import Merge
from hongyan.identity.rules import rules
from hongyan.identity.survivorship import Side, decide
from hongyan.identity.types import Decision, MergeReason, Why

MERGED, UNMERGED = "contact_merged", "contact_unmerged"  # events, for readers by cursor
_DEADLOCK_TRIES = 3


def merge(
    *,
    actor: Actor,
    survivor_id: int,
    loser_id: int,
    reason: MergeReason,
    evidence: Mapping[str, Any] | None = None,
    choices: Mapping[str, str] | None = None,
) -> Merge:
    """Everything of the loser becomes the survivor's; the loser's addresses lead to the survivor.

    evidence: why, without personal values. choices: field → "survivor" | "loser", instead of the rules.
    Raises AlreadyMerged when the two are one already, ContactNotFound, MergeRefused.
    """
    actor.require(Permission.CONTACT_MERGE)
    if survivor_id == loser_id:
        raise MergeRefused("same")
    if any(side not in {"survivor", "loser"} for side in (choices or {}).values()):
        raise MergeRefused("choices")

    def act() -> Merge:
        survivor, loser = _locked(survivor_id, loser_id)
        return _merge(_Ground(actor, reason, dict(evidence or {}), dict(choices or {})), survivor, loser)

    return _in_transaction(act)


def preview(survivor: Contact, loser: Contact, *, choices: Mapping[str, str] | None = None) -> list[Decision]:
    """What a merge would decide, field by field. Opened values: the caller has checked its actor."""
    return decide(_side(survivor), _side(loser), rules=rules(), choices=choices)


def unmerge(*, actor: Actor, merge_id: int) -> Merge:
    """Both profiles as they were. What happened to the survivor since stays with it (docs/decisions: merging).

    Raises UnmergeRefused: undone, erased, newer_first (with the merges on top), identifier_taken, unknown.
    """
    actor.require(Permission.CONTACT_MERGE)
    return _in_transaction(lambda: _unmerge(actor, _merge_locked(merge_id)))


def unmerge_from_below(*, actor: Actor, merge_id: int) -> Merge:
    """As ``unmerge``, for a merge that others were made on top of: they are taken back, newest first, and made again
    afterwards with the same choices. Raises UnmergeRefused."""
    actor.require(Permission.CONTACT_MERGE)

    def act() -> Merge:
        wanted = _merge_locked(merge_id)
        on_top = blockers(wanted)
        for newer in on_top:
            _unmerge(actor, _merge_locked(newer.pk))
        undone = _unmerge(actor, wanted)
        for newer in reversed(on_top):
            survivor, loser = _locked(newer.survivor_id, newer.loser_id)
            evidence = {**newer.evidence, "first": str(newer.public_id)}
            _merge(_Ground(actor, MergeReason.AGAIN, evidence, newer.choices), survivor, loser)
        return undone

    return _in_transaction(act)


def blockers(wanted: Merge) -> list[Merge]:
    """Merges on top of this one, newest first: later ones of the same survivor, and of whoever took it in."""
    involved, found = {wanted.survivor_id}, []
    for later in (
        Merge.objects.filter(pk__gt=wanted.pk, undone_at__isnull=True)
        .filter(survivor_id__in=_line(wanted.survivor_id))
        .order_by("pk")
    ):
        if later.survivor_id in involved or later.loser_id in involved:
            involved.add(later.survivor_id)
            found.append(later)
    return found[::-1]


def survivor_of(public_id: UUID) -> UUID | None:
    """Where a record that was merged away is found now."""
    return rooms.survivor_of(public_id)


def _line(contact_id: int) -> list[int]:
    """The contact and those it was merged into, one after the other."""
    line = [contact_id]
    while (above := Merge.objects.filter(loser_id=line[-1], undone_at__isnull=True).first()) is not None:
        line.append(above.survivor_id)
    return line


def _locked(survivor_id: int, loser_id: int) -> tuple[Contact, Contact]:
    rows = {
        row.pk: row for row in Contact.objects.select_for_update().filter(pk__in=(survivor_id, loser_id)).order_by("pk")
    }
    if len(rows) < 2:
        if rooms.current_ids({survivor_id, loser_id} - rows.keys()):
            raise AlreadyMerged
        raise ContactNotFound
    return rows[survivor_id], rows[loser_id]


@dataclass(frozen=True, slots=True)
class _Ground:
    """Who merges, why, and what a person chose."""

    actor: Actor
    reason: MergeReason
    evidence: dict[str, Any]
    choices: dict[str, str]


def _merge(ground: _Ground, survivor: Contact, loser: Contact) -> Merge:
    actor, at = ground.actor, now()
    before = {"survivor": snapshot(survivor), "loser": snapshot(loser)}
    mine, theirs = kept_of(survivor.pk), kept_of(loser.pk)
    decisions = preview(survivor, loser, choices=ground.choices)
    kept = after_merge(decisions, survivor, loser, mine=mine, theirs=theirs, at=at)
    _write(survivor, loser, decisions, at)
    keep(survivor.pk, kept)
    keep(loser.pk, {})
    moved = rooms.move_all(loser_id=loser.pk, survivor_id=survivor.pk)
    MergedAway.objects.create(contact_id=loser.pk, public_id=loser.public_id, into=survivor, at=at)
    made = Merge.objects.create(
        survivor_id=survivor.pk,
        survivor_public_id=survivor.public_id,
        loser_id=loser.pk,
        loser_public_id=loser.public_id,
        reason=ground.reason,
        evidence=ground.evidence,
        choices=ground.choices,
        merged_at=at,
        merged_by=actor.label[:160],
        merged_by_id=actor.id if actor.kind == "user" else None,
    )
    _remove(loser.pk)
    pairs.answered(actor, survivor.pk, loser.pk, one_person=True)
    before["survivor"]["kept"], before["loser"]["kept"] = mine, theirs
    _seal(made, {**before, "after": {**snapshot(survivor), "kept": kept}, "rooms": [moved]})
    _tell(actor, made, MERGED, {"reason": str(ground.reason)})
    return made


def _write(survivor: Contact, loser: Contact, decisions: list[Decision], at: Any) -> None:
    provenance = dict(survivor.provenance)
    for made in decisions:
        origin = origin_of((loser if made.winner == "loser" else survivor).provenance, made.field)
        if made.why is Why.CHOSEN:
            source, stated = (origin or ["", None])[:2]
            provenance[provenance_key(made.field)] = [source, stated, LOCKED]
        elif made.winner == "loser" and origin:
            provenance[provenance_key(made.field)] = origin
    employer = next((made.winner for made in decisions if made.field == "company"), "survivor")
    first, second = (loser, survivor) if employer == "loser" else (survivor, loser)
    set_values(survivor, {made.field: made.value for made in decisions})
    survivor.provenance = provenance
    survivor.company_id = first.company_id or second.company_id
    survivor.owner_id = survivor.owner_id or loser.owner_id
    survivor.is_demo = survivor.is_demo and loser.is_demo
    survivor.created_at = min(survivor.created_at, loser.created_at)
    survivor.last_activity_at = max(
        (seen for seen in (survivor.last_activity_at, loser.last_activity_at) if seen), default=None
    )
    survivor.updated_at = at
    survivor.save()


def _remove(contact_id: int) -> None:
    """Not by Django, whose cascade would take along rows that a room forgot to move: those refuse here."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM contacts_contact WHERE id = %s", [contact_id])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _merge_locked(merge_id: int) -> Merge:
    try:
        return Merge.objects.select_for_update().get(pk=merge_id)
    except Merge.DoesNotExist as error:
        raise UnmergeRefused("unknown") from error


def _unmerge(actor: Actor, made: Merge) -> Merge:
    if made.undone_at is not None:
        raise UnmergeRefused("undone")
    if made.sealed is None:
        raise UnmergeRefused("erased")
    if on_top := blockers(made):
        raise UnmergeRefused("newer_first", on_top)
    survivor = Contact.objects.select_for_update().filter(pk=made.survivor_id).first()
    if survivor is None:
        raise UnmergeRefused("erased")
    at = now()
    taken = opened(made)
    MergedAway.objects.filter(contact_id=made.loser_id).delete()
    loser = bring_back(taken["loser"], at=at)
    for data in reversed(taken["rooms"]):
        rooms.restore_all(loser_id=loser.pk, survivor_id=survivor.pk, data=data)
        if lost_identifiers(loser.pk, data):
            raise UnmergeRefused("identifier_taken")
    take_back(survivor, before=taken["survivor"], after=taken["after"], at=at)
    before, after = taken["survivor"]["kept"], taken["after"]["kept"]
    keep(survivor.pk, taken_back(kept_of(survivor.pk), before=before, after=after))
    keep(loser.pk, taken["loser"]["kept"])
    pairs.answered(actor, survivor.pk, loser.pk, one_person=False)
    made.undone_at, made.undone_by, made.sealed = at, actor.label[:160], None
    made.save(update_fields=["undone_at", "undone_by", "sealed"])
    _tell(actor, made, UNMERGED, {})
    return made


def opened(made: Merge) -> dict[str, Any]:
    """The snapshot: survivor, loser, after, rooms. Raises UnmergeRefused when there is none any more."""
    if made.sealed is None:
        raise UnmergeRefused("erased")
    found: dict[str, Any] = orjson.loads(zlib.decompress(open_record(made.sealed, owner_id=made.pk)))
    return found


def follow(made: Merge) -> bool:
    """Rows that came for the loser from transactions that had begun before the merge. Whether there were any."""
    with transaction.atomic():
        held = Merge.objects.select_for_update().get(pk=made.pk)
        if held.undone_at is not None or held.sealed is None:
            return False
        survivor = Contact.objects.select_for_update().filter(pk=held.survivor_id).first()
        if survivor is None:
            return False
        moved = rooms.move_all(loser_id=held.loser_id, survivor_id=held.survivor_id)
        if moved:
            taken = opened(held)
            _seal(held, {**taken, "rooms": [*taken["rooms"], moved]})
    return bool(moved)


def _seal(made: Merge, taken: Mapping[str, Any]) -> None:
    packed = zlib.compress(orjson.dumps(taken), level=3)
    made.sealed = keyring().records.seal(packed, owner_id=made.pk)
    made.save(update_fields=["sealed"])


def _tell(actor: Actor, made: Merge, name: str, more: dict[str, Any]) -> None:
    facts = {"merge": str(made.public_id), "survivor_id": made.survivor_id, "loser_id": made.loser_id, **more}
    append([NewEvent(made.survivor_id, name, now(), "identity", facts)])
    record(
        actor=actor,
        action=name.replace("_", ".", 1),
        subject_kind="contact",
        subject_id=str(made.survivor_public_id),
        data={"merge": str(made.public_id), "other": str(made.loser_public_id), **more},
    )


def _side(contact: Contact) -> Side:

    return Side(values_of(contact), contact.provenance, contact.last_activity_at, contact.updated_at)


def _in_transaction(act: Any) -> Merge:
    """A sending lane locks messages in an order of its own; who is caught in a deadlock tries again."""
    for remaining in reversed(range(_DEADLOCK_TRIES)):
        try:
            with transaction.atomic():
                done: Merge = act()
                return done
        except OperationalError as error:
            deadlock = "deadlock" in str(error)
            if not deadlock or not remaining or connection.in_atomic_block:
                raise
    raise AssertionError("unreachable")

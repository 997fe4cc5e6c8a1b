"""Making two records one, and two again. Each act is one transaction, both rows locked in the order of their ids."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.db import OperationalError, connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts import merging as rooms
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.models import Contact
from hongyan.contacts.models_merging import MergedAway
from hongyan.contacts.profiles import bring_back, take_back
from hongyan.contacts.rows_merging import lost_identifiers
from hongyan.contacts.sealing import open_record
from hongyan.core.clock import now
from hongyan.core.sql import any_of
from hongyan.identity import pairs_merging
from hongyan.identity.errors import AlreadyMerged, MergeRefused, UnmergeRefused
from hongyan.identity.joining import UNMERGED, Wanted, join, sealed, side_of, tell
from hongyan.identity.kept import keep, kept_of, taken_back
from hongyan.identity.models_merging import Merge
from hongyan.identity.rules import rules
from hongyan.identity.survivorship import decide
from hongyan.identity.types import Decision, MergeReason

Done = TypeVar("Done")
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

    pair = Wanted(survivor_id, loser_id, dict(evidence or {}), dict(choices or {}))
    return _in_transaction(lambda: _of_two(actor, reason, pair))


def merge_many(*, actor: Actor, groups: Sequence[Sequence[Wanted]], reason: MergeReason) -> int:
    """Many people at once, in one transaction: all of them or none. groups: pairs of one survivor each, in the order in
    which they are merged; nobody is in two groups. Pairs of which somebody erased or merged one meanwhile are left out.
    Returns how many merges were made."""
    actor.require(Permission.CONTACT_MERGE)

    def act() -> int:
        pairs = [pair for group in groups for pair in group]
        contacts = _locked({number for pair in pairs for number in (pair.survivor_id, pair.loser_id)})
        made = 0
        for turn in _in_turn(groups):
            there = [pair for pair in turn if pair.survivor_id in contacts and pair.loser_id in contacts]
            if there:
                made += len(join(actor, reason, there, contacts))
        return made

    return _in_transaction(act)


def preview(survivor: Contact, loser: Contact, *, choices: Mapping[str, str] | None = None) -> list[Decision]:
    """What a merge would decide, field by field. Opened values: the caller has checked its actor."""
    return decide(side_of(survivor), side_of(loser), rules=rules(), choices=choices)


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
            evidence = {**newer.evidence, "first": str(newer.public_id)}
            _of_two(actor, MergeReason.AGAIN, Wanted(newer.survivor_id, newer.loser_id, evidence, newer.choices))
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


def _locked(contact_ids: Iterable[int]) -> dict[int, Contact]:
    """Those that are there, in the order of their numbers."""
    rows = Contact.objects.filter(pk__in=any_of(contact_ids)).order_by("pk").select_for_update()
    return {row.pk: row for row in rows}


def _of_two(actor: Actor, reason: MergeReason, pair: Wanted) -> Merge:
    contacts = _locked((pair.survivor_id, pair.loser_id))
    if len(contacts) < 2:
        if rooms.current_ids({pair.survivor_id, pair.loser_id} - contacts.keys()):
            raise AlreadyMerged
        raise ContactNotFound
    return join(actor, reason, [pair], contacts)[0]


def _in_turn(groups: Sequence[Sequence[Wanted]]) -> Iterator[list[Wanted]]:
    """The first pair of every group, then the second of every one: nobody is in two pairs of a turn."""
    for turn in zip_longest(*groups):
        yield [pair for pair in turn if pair is not None]


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
    pairs_merging.answered(actor, survivor.pk, loser.pk, one_person=False)
    made.undone_at, made.undone_by, made.sealed = at, actor.label[:160], None
    made.save(update_fields=["undone_at", "undone_by", "sealed"])
    tell(actor, [made], UNMERGED, {})
    return made


def opened(made: Merge) -> dict[str, Any]:
    """The snapshot: survivor, loser, after, rooms. Raises UnmergeRefused when there is none any more."""
    if made.sealed is None:
        raise UnmergeRefused("erased")
    found: dict[str, Any] = orjson.loads(zlib.decompress(open_record(made.sealed, owner_id=made.pk)))
    return found


def follow(merges: Sequence[Merge]) -> int:
    """Rows that came for the losers from transactions that had begun before the merge. How many merges had any."""
    found = 0
    by_survivor: dict[int, list[int]] = {}
    for made in merges:
        by_survivor.setdefault(made.survivor_id, []).append(made.pk)
    for turn in zip_longest(*by_survivor.values()):
        found += _follow([number for number in turn if number is not None])
    return found


def _follow(numbers_: Sequence[int]) -> int:
    """Of merges with a survivor each."""
    with transaction.atomic():
        held = list(Merge.objects.filter(pk__in=any_of(numbers_)).order_by("pk").select_for_update())
        held = [made for made in held if made.undone_at is None and made.sealed is not None]
        there = _locked(made.survivor_id for made in held)
        held = [made for made in held if made.survivor_id in there]
        moved = rooms.move_all_many([(made.loser_id, made.survivor_id) for made in held])
        late = [made for made in held if moved[made.loser_id]]
        for made in late:
            taken = opened(made)
            made.sealed = sealed(made.pk, {**taken, "rooms": [*taken["rooms"], moved[made.loser_id]]})
            made.save(update_fields=["sealed"])
    return len(late)


def _in_transaction(act: Callable[[], Done]) -> Done:
    """A sending lane locks messages in an order of its own; who is caught in a deadlock tries again."""
    for remaining in reversed(range(_DEADLOCK_TRIES)):
        try:
            with transaction.atomic():
                return act()
        except OperationalError as error:
            deadlock = "deadlock" in str(error)
            if not deadlock or not remaining or connection.in_atomic_block:
                raise
    raise AssertionError("unreachable")

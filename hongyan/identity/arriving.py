"""New and changed contacts against all there are, with the weights of the newest model: one at a time, or many in
their turn. What is found of many is written down and merged in batches, as a full run does it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.merging import current_ids
from hongyan.core.batching import batched
from hongyan.identity import online
from hongyan.identity.applying import Applied, Progress, apply
from hongyan.identity.asking import Waiting, park, worth, write_open
from hongyan.identity.guarding import guards_for, held_back
from hongyan.identity.joining import Wanted
from hongyan.identity.matching.resolve import PairRow
from hongyan.identity.merging import merge_many
from hongyan.identity.models import Run
from hongyan.identity.people import Person, some
from hongyan.identity.types import MergeReason

GROUPS: Final = 250  # people merged in one transaction
_READ: Final = 1_000


@dataclass(slots=True)
class Arrived:
    """What a look at one contact came to. seen: whom it is like at all. joined: certainly the same person. asked: pairs
    for a person to answer."""

    contact_id: int
    seen: list[int] = field(default_factory=list)
    joined: list[Wanted] = field(default_factory=list)
    asked: list[Waiting] = field(default_factory=list)

    @property
    def becomes(self) -> int:
        return self.joined[0].survivor_id if self.joined else self.contact_id


def weigh(me: Person, model: online.Current) -> Arrived:
    """Reads only."""
    found = online.look_up(me, model)
    arrived = Arrived(me.contact_id, [match.contact_id for match in found.matches])
    if not found.matches:
        return arrived
    concerned = {number: found.people[number] for number in (me.contact_id, *arrived.seen)}
    guards = guards_for(concerned, model, found.frequency)
    same, joined, mine = [], [me.contact_id], me.contact_id
    for match in found.matches:
        other = match.contact_id
        # Two who may each be this person need not be one person themselves.
        why = held_back(guards, me.contact_id, other, match.score.probability)
        why = why or next((against for one in joined if (against := guards.conflict(one, other))), "")
        if why == "apart":
            continue
        if not why and match.score.probability >= model.merge:
            same.append(match)
            joined.append(other)
            mine = min(mine, other)
        elif mine == me.contact_id:  # else the next run asks about the one it is by then
            arrived.asked.append(_question(me.contact_id, match, why, model))
    for match in same:
        loser = me.contact_id if match.contact_id == mine else match.contact_id
        arrived.joined.append(Wanted(mine, loser, _evidence(match)))
    return arrived


def _evidence(match: online.Match) -> dict[str, Any]:
    return {
        "probability": round(match.score.probability, 6),
        "weight": round(match.score.weight, 3),
        "comparisons": [finding.dump() for finding in match.score.findings],
    }


def _question(contact_id: int, match: online.Match, why: str, model: online.Current) -> Waiting:
    low, high = sorted((contact_id, match.contact_id))
    probability = match.score.probability
    findings = tuple(finding.dump() for finding in match.score.findings)
    held = why if probability >= model.merge or why == "customer_number" else ""
    row = PairRow(low, high, match.score.weight, probability, findings)
    return worth(probability, 2, held=bool(held)), row, held


def resolve_one(*, actor: Actor, contact_id: int) -> int:
    """A new or changed contact, now: merged with whom it certainly is. Returns the id of the contact it is then."""
    actor.require(Permission.CONTACT_MERGE)
    me = some([contact_id]).get(contact_id)
    if me is None:
        return current_ids([contact_id]).get(contact_id, contact_id)
    found = weigh(me, online.current())
    if found.becomes == contact_id or found.asked:
        with transaction.atomic():
            online.write_profile(me)
            if found.asked and (run := Run.objects.exclude(model=None).order_by("-id").first()):
                write_open(run, found.asked)
    if found.joined and merge_many(actor=actor, groups=[found.joined], reason=MergeReason.MATCHED):
        return found.becomes
    return contact_id


@dataclass(slots=True)
class Turns:
    """Many contacts, each as if those before it had been merged already: what is waiting to be written down is, as soon
    as one comes that is like somebody in it."""

    actor: Actor
    run: Run
    model: online.Current
    records: int = 0
    pairs: int = 0
    review: int = 0
    applied: Applied = field(default_factory=Applied)
    _groups: list[list[Wanted]] = field(default_factory=list)
    _asked: dict[tuple[int, int], Waiting] = field(default_factory=dict)
    _touched: set[int] = field(default_factory=set)  # in what is waiting to be merged
    _stale: set[int] = field(default_factory=set)  # changed or gone since they were read

    def take(self, contact_ids: Sequence[int], progress: Progress) -> None:
        """Their profiles are up to date."""
        for block in batched(contact_ids, _READ):
            people = some(block)
            self._stale.clear()
            for number in block:
                progress(self.records, len(contact_ids), "matching")
                self.records += 1
                self._take(people.get(number))
            self._write()

    def counts(self) -> dict[str, Any]:
        return {"records": self.records, "pairs": self.pairs, "review": self.review, **self.applied.counts()}

    def _take(self, me: Person | None) -> None:
        if me is not None and me.contact_id in self._touched:
            self._write()
        if me is not None and me.contact_id in self._stale:
            me = some([me.contact_id]).get(me.contact_id)
        if me is None:
            return  # merged or erased meanwhile
        found = weigh(me, self.model)
        if not self._touched.isdisjoint(found.seen):
            self._write()
            found = weigh(me, self.model)
        self.pairs += len(found.seen)
        self.review += len(found.asked)
        self._asked.update({(row.low, row.high): (value, row, why) for value, row, why in found.asked})
        if found.joined:
            self._groups.append(found.joined)
            self._touched.update(number for pair in found.joined for number in (pair.survivor_id, pair.loser_id))
        if len(self._groups) >= GROUPS:
            self._write()

    def _write(self) -> None:
        """Questions first: those of a record that is merged away become the survivor's."""
        write_open(self.run, self._asked.values())
        failed = len(self.applied.failed)
        apply(self.actor, self._groups, self.applied)
        evidence = {_pair(pair): pair.evidence for group in self._groups for pair in group}
        park(self.run, self.applied.failed[failed:], evidence)
        self._stale |= self._touched
        self._groups.clear()
        self._asked.clear()
        self._touched.clear()


def _pair(pair: Wanted) -> tuple[int, int]:
    return min(pair.survivor_id, pair.loser_id), max(pair.survivor_id, pair.loser_id)

"""How pairs waiting for an answer follow a merge: a pair with the record that went becomes one with the survivor, and
what a person said about it holds for the survivor too."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.db.models.expressions import RawSQL

from hongyan.accounts.types import Actor
from hongyan.contacts.merging import Place, register_mover, register_staying
from hongyan.contacts.owned import Pairs
from hongyan.core.clock import now
from hongyan.core.sql import any_of, numbers
from hongyan.identity.models import Candidate

_PAIRS = Place("identity_candidate", ("contact_low", "contact_high"))
_OPEN = (Candidate.Verdict.PENDING, Candidate.Verdict.REVIEW)


def register() -> None:
    register_mover("identity", None, restore, tables=[_PAIRS], many=move_many)
    register_staying("identity_profile", "Made again from the contacts; a profile of nobody finds nobody.")
    register_staying("identity_sourcerecord", "The row a file had; sealed with the number it was imported under.")
    register_staying("identity_keptvalues", "Part of the merge itself (identity.merging).")
    register_staying("identity_merge", "The record of the merge itself.")


def answered(actor: Actor, one: int, other: int, *, one_person: bool) -> None:
    """Merging and undoing are answers to the question whether the two are one person; no run asks it again."""
    facts = _facts(actor, Candidate.Verdict.MERGED if one_person else Candidate.Verdict.APART)
    low, high = sorted((one, other))
    if not one_person:
        new = {**facts, "probability": 0.0, "weight": 0.0}
        Candidate.objects.update_or_create(contact_low=low, contact_high=high, defaults=facts, create_defaults=new)
    else:
        Candidate.objects.filter(contact_low=low, contact_high=high).update(**facts)


def merged(actor: Actor, pairs: Pairs) -> None:
    """``answered`` for many pairs that became one person each."""
    both = [sorted(pair) for pair in pairs]
    Candidate.objects.filter(pk__in=_numbers_of(both)).update(**_facts(actor, Candidate.Verdict.MERGED))


def _facts(actor: Actor, verdict: Candidate.Verdict) -> dict[str, Any]:
    decided_by = actor.id if actor.kind == "user" else None
    return {"verdict": verdict, "decided_at": now(), "decided_by_id": decided_by}


def _numbers_of(pairs: Sequence[Sequence[int]]) -> RawSQL:
    return RawSQL(
        "SELECT c.id FROM identity_candidate c JOIN unnest(%s::bigint[], %s::bigint[]) AS p (low, high)"
        " ON c.contact_low = p.low AND c.contact_high = p.high",
        [numbers(low for low, _ in pairs), numbers(high for _, high in pairs)],
    )


def move_many(pairs: Pairs) -> dict[int, dict[str, Any]]:
    """moved: [pair, low, high as they were]; answered: [pair, verdict as it was]."""
    losers = any_of([loser for loser, _ in pairs])
    held = Candidate.objects.filter(Q(contact_low__in=losers) | Q(contact_high__in=losers))
    concerned = {number for pair in held.values_list("contact_low", "contact_high") for number in pair}
    data = {}
    for loser, survivor in pairs:  # one after the other: a pair may be between two of them
        if loser in concerned and (found := _move(loser, survivor)):
            data[loser] = found
    return data


def _move(loser_id: int, survivor_id: int) -> dict[str, Any]:
    moved, answered = [], []
    pairs = Candidate.objects.filter(Q(contact_low=loser_id) | Q(contact_high=loser_id)).select_for_update()
    for pair in pairs.order_by("pk"):
        other = pair.contact_high if pair.contact_low == loser_id else pair.contact_low
        if other == survivor_id:
            continue  # ``answered``
        low, high = sorted((survivor_id, other))
        there = Candidate.objects.select_for_update().filter(contact_low=low, contact_high=high).first()
        if there is None:
            moved.append([pair.pk, pair.contact_low, pair.contact_high])
            pair.contact_low, pair.contact_high = low, high
            pair.save(update_fields=["contact_low", "contact_high"])
        elif pair.verdict == Candidate.Verdict.APART and there.verdict in _OPEN:
            answered.append([there.pk, there.verdict])
            there.verdict = Candidate.Verdict.APART
            there.save(update_fields=["verdict"])
    data = {"moved": moved, "answered": answered}
    return data if moved or answered else {}


def restore(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    del loser_id
    for number, verdict in data["answered"]:
        Candidate.objects.filter(pk=number, verdict=Candidate.Verdict.APART).update(verdict=verdict)
    for number, low, high in data["moved"]:
        if not Candidate.objects.filter(contact_low=low, contact_high=high).exists():
            Candidate.objects.filter(Q(contact_low=survivor_id) | Q(contact_high=survivor_id), pk=number).update(
                contact_low=low, contact_high=high
            )

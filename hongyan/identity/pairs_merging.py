"""How pairs waiting for an answer follow a merge: a pair with the record that went becomes one with the survivor, and
what a person said about it holds for the survivor too."""

from typing import Any

from django.db.models import Q

from hongyan.accounts.types import Actor
from hongyan.contacts.merging import register_mover, register_staying
from hongyan.core.clock import now
from hongyan.identity.models import Candidate

_OPEN = (Candidate.Verdict.PENDING, Candidate.Verdict.REVIEW)


def register() -> None:
    register_mover("identity", move, restore, tables=["identity_candidate"])
    register_staying("identity_profile", "Made again from the contacts; a profile of nobody finds nobody.")
    register_staying("identity_sourcerecord", "The row a file had; sealed with the number it was imported under.")
    register_staying("identity_keptvalues", "Part of the merge itself (identity.merging).")
    register_staying("identity_merge", "The record of the merge itself.")


def answered(actor: Actor, one: int, other: int, *, one_person: bool) -> None:
    """Merging and undoing are answers to the question whether the two are one person; no run asks it again."""
    low, high = sorted((one, other))
    verdict = Candidate.Verdict.MERGED if one_person else Candidate.Verdict.APART
    facts = {
        "verdict": verdict,
        "decided_at": now(),
        "decided_by_id": actor.id if actor.kind == "user" else None,
    }
    if not one_person:
        new = {**facts, "probability": 0.0, "weight": 0.0}
        Candidate.objects.update_or_create(contact_low=low, contact_high=high, defaults=facts, create_defaults=new)
    else:
        Candidate.objects.filter(contact_low=low, contact_high=high).update(**facts)


def move(loser_id: int, survivor_id: int) -> dict[str, Any]:
    """moved: [pair, low, high as they were]; answered: [pair, verdict as it was]."""
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

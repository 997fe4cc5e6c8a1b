"""Why two records are, or are not, one person."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.models import Contact
from hongyan.contacts.models_merging import MergedAway
from hongyan.contacts.sealing import open_record
from hongyan.core.batching import batched
from hongyan.core.crypto.keyring import keyring
from hongyan.identity import online
from hongyan.identity.guarding import guards_for, held_back
from hongyan.identity.matching.scoring import Finding, score
from hongyan.identity.models import SourceRecord
from hongyan.identity.models_merging import Merge
from hongyan.identity.people import some


class AmbiguousRow(Exception):
    """Rows of several files, or several rows of one, have this id."""


@dataclass(frozen=True, slots=True)
class PairExplained:
    """merged: the two are one contact by now, and this is what was known when they became it. guard: why no run merges
    them by itself, see ``words.GUARDS``; "": nothing is against it."""

    merged: bool
    start: float
    weight: float
    probability: float
    merge: float
    review: float
    findings: tuple[Finding, ...]
    guard: str = ""

    def dump(self) -> dict[str, Any]:
        return {
            "merged": self.merged,
            "start": round(self.start, 3),
            "weight": round(self.weight, 3),
            "probability": round(self.probability, 6),
            "merge_from": self.merge,
            "review_from": self.review,
            "held_back": self.guard,
            "comparisons": [finding.dump() for finding in self.findings],
        }


def explain_pair(*, actor: Actor, first: str, second: str) -> PairExplained:
    """first, second: public ids of contacts, also of those merged away, or row ids of imported files.

    Raises ContactNotFound, AmbiguousRow.
    """
    actor.require(Permission.CONTACT_VIEW)
    low, high = sorted((_number(first), _number(second)))
    model = online.current()
    if low == high:  # two rows with one key: one contact since they were imported
        return PairExplained(True, 0.0, 0.0, 1.0, model.merge, model.review, ())
    people = some([low, high])
    if len(people) == 2:
        a, b = people[low].features, people[high].features
        shares = online.Shares()
        found = score(a, b, model.weights, shares)
        guard = held_back(guards_for(people, model, shares), low, high, found.probability)
        return PairExplained(
            False, found.start, found.weight, found.probability, model.merge, model.review, found.findings, guard
        )
    return _of_merge(low, high, model)


def _of_merge(low: int, high: int, model: online.Current) -> PairExplained:
    """The evidence that was kept when one of the two went into the other, or into whom the other went too."""
    both = Merge.objects.filter(undone_at__isnull=True).filter(Q(loser_id=low) | Q(loser_id=high)).order_by("-id")
    made = both.filter(survivor_id__in=(low, high)).first() or both.first()
    if made is None:
        raise ContactNotFound
    kept = made.evidence
    findings = tuple(
        Finding(item["comparison"], item["level"], item["weight"], item.get("rarity", 0.0))
        for item in kept.get("comparisons", [])
    )
    weight = float(kept.get("weight", 0.0))
    start = weight - sum(item.weight for item in findings)
    return PairExplained(True, start, weight, float(kept.get("probability", 0.0)), model.merge, model.review, findings)


def _number(name: str) -> int:
    try:
        public_id = UUID(name)
    except ValueError:
        return _of_row(name)
    found = Contact.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    found = found or MergedAway.objects.filter(public_id=public_id).values_list("contact_id", flat=True).first()
    if found is None:
        raise ContactNotFound
    return found


def _of_row(row_id: str) -> int:
    found = _named(row_id)
    if not found:
        _name_rows()
        found = _named(row_id)
    if len(found) > 1:
        raise AmbiguousRow
    if not found:
        raise ContactNotFound
    return found.pop()


def _named(row_id: str) -> set[int]:
    """Contacts that rows with this id became."""
    named = keyring().blind.index("source_row", row_id)
    return set(SourceRecord.objects.filter(named=named).values_list("contact_id", flat=True))


def _name_rows() -> None:
    """Rows that came before ids had an index of their own: opened once, a few seconds for a million."""
    unnamed = SourceRecord.objects.filter(named=None).order_by("id").only("id", "sealed", "contact_id")
    for block in batched(unnamed.iterator(chunk_size=5_000), 5_000):
        for row in block:
            row.named = keyring().blind.index("source_row", open_record(row.sealed, owner_id=row.contact_id).decode())
        SourceRecord.objects.bulk_update(block, ["named"], batch_size=1_000)

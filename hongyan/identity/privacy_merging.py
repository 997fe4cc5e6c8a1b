"""What merges hold about a person: both profiles as they were, and the values that lost."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.merging import ids_of
from hongyan.identity.kept import kept_of
from hongyan.identity.merging import opened
from hongyan.identity.models_merging import KeptValues, Merge

TABLES = ("identity_merge", "identity_keptvalues")


def export(*, actor: Actor, contact_id: int) -> Iterator[dict[str, Any]]:
    """The records that became this person, as they were, and every value a merge set aside."""
    actor.require(Permission.CONTACT_EXPORT)
    actor.require(Permission.CONTACT_IDENTITY)
    for made in _about(ids_of(contact_id)).filter(sealed__isnull=False).order_by("pk"):
        taken = opened(made)
        yield {
            "kind": "merged_record",
            "public_id": str(made.loser_public_id),
            "merged_at": made.merged_at,
            "reason": made.reason,
            "values": taken["loser"]["values"],
            "provenance": taken["loser"]["row"]["provenance"],
        }
    for field, entry in kept_of(contact_id).items():
        for lost in entry["lost"]:
            yield {"kind": "other_value", "field": field, **lost}


def erase(*, contact_id: int) -> int:
    """That there was a merge stays, by ids that lead nowhere; what it knew goes."""
    rows: int = _about([contact_id]).filter(erased=False).update(sealed=None, evidence={}, choices={}, erased=True)
    return rows + KeptValues.objects.filter(pk=contact_id).delete()[0]


def _about(contact_ids: list[int]) -> "QuerySet[Merge]":
    return Merge.objects.filter(Q(survivor_id__in=contact_ids) | Q(loser_id__in=contact_ids))

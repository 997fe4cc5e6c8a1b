"""What this room holds about a person, and how it forgets them."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.identity import privacy_merging
from hongyan.identity.models import Candidate, Profile, SourceRecord

TABLES_ABOUT_PEOPLE = ("identity_candidate", "identity_profile", "identity_sourcerecord", *privacy_merging.TABLES)


def export(*, actor: Actor, contact_id: int) -> Iterator[dict[str, Any]]:
    """With whom the person was compared, and from which rows of files they came."""
    actor.require(Permission.CONTACT_VIEW)
    for pair in Candidate.objects.filter(Q(contact_low=contact_id) | Q(contact_high=contact_id)):
        yield {
            "kind": "comparison",
            "probability": pair.probability,
            "verdict": pair.verdict,
            "evidence": pair.evidence,
            "at": pair.created_at,
        }
    for row in SourceRecord.objects.filter(contact_id=contact_id):
        yield {"kind": "source_row", "import": row.import_id, "line": row.line}
    if actor.may(Permission.CONTACT_EXPORT) and actor.may(Permission.CONTACT_IDENTITY):
        yield from privacy_merging.export(actor=actor, contact_id=contact_id)


def erase(*, contact_id: int) -> int:
    pairs, _ = Candidate.objects.filter(Q(contact_low=contact_id) | Q(contact_high=contact_id)).delete()
    profiles, _ = Profile.objects.filter(contact_id=contact_id).delete()
    rows, _ = SourceRecord.objects.filter(contact_id=contact_id).delete()
    return pairs + profiles + rows + privacy_merging.erase(contact_id=contact_id)

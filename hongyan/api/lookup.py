"""From public ids to the ids inside."""

from collections.abc import Sequence
from uuid import UUID

from hongyan.contacts.merging import survivors_of
from hongyan.contacts.models import Contact


def contact_ids_of(public_ids: Sequence[UUID]) -> list[int]:
    """Those of records that were merged away lead to the contact it is now. Unknown ones are passed over, so that
    nobody learns which exist."""
    found = dict(Contact.objects.filter(public_id__in=public_ids).values_list("public_id", "id"))
    missing = [public_id for public_id in public_ids if public_id not in found]
    merged = survivors_of(missing) if missing else {}
    return list({*found.values(), *merged.values()})

"""What this room holds about a person, and how it forgets them.

Uploads, exports and rejected rows are people's data too, but of nobody in particular to the database: encrypted
files and sealed values, deleted after seven days (``tasks.delete_old_files``). So are records in quarantine: sealed,
deleted after thirty days (``quarantine.KEPT``).
"""

from collections.abc import Iterator
from typing import Any

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.ingest.intake.ownership import loose_of
from hongyan.ingest.models import ImportCreation

TABLES_ABOUT_PEOPLE = (
    "ingest_importcreation",
    "ingest_importrejection",
    "ingest_quarantinedrecord",
    "ingest_loosetraits",
)


def export(*, actor: Actor, contact_id: int) -> Iterator[dict[str, Any]]:
    """The import that brought the contact in, if one did."""
    actor.require(Permission.CONTACT_VIEW)
    for row in ImportCreation.objects.filter(contact_id=contact_id).select_related("batch"):
        yield {"kind": "import", "public_id": str(row.batch.public_id), "at": row.batch.created_at}
    if traits := loose_of(contact_id):
        yield {"kind": "traits", "values": traits}


def erase(*, contact_id: int) -> int:
    """Nothing to do: what stays is the number of a contact that no longer exists, so that undoing counts right."""
    del contact_id
    return 0

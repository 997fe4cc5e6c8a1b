"""What this room holds about a person, and how it forgets them."""

from collections.abc import Iterator
from typing import Any

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience.membership import owning
from hongyan.audience.models import RFM, ContactTag, Lifecycle, ListMember, TagChangeItem

TABLES_ABOUT_PEOPLE = (
    "audience_contacttag",
    "audience_listmember",
    "audience_tagchangeitem",
    "audience_lifecycle",
    "audience_rfm",
    *owning.TABLES,
)


def export(*, actor: Actor, contact_id: int) -> Iterator[dict[str, Any]]:
    """Tags and lists of the contact, each with its source and time, its standing, its audiences and moves."""
    actor.require(Permission.CONTACT_VIEW)
    for held in ContactTag.objects.filter(contact_id=contact_id).select_related("tag").order_by("at"):
        yield {"kind": "tag", "key": held.tag.key, "name": held.tag.name_zh, "source": held.source, "at": held.at}
    for member in ListMember.objects.filter(contact_id=contact_id).select_related("list").order_by("at"):
        yield {"kind": "list", "name": member.list.name, "source": member.source, "at": member.at}
    for stage in Lifecycle.objects.filter(contact_id=contact_id):
        yield {"kind": "lifecycle", "stage": stage.stage, "since": stage.since}
    for rfm in RFM.objects.filter(contact_id=contact_id):
        scores = {"recency": rfm.recency, "frequency": rfm.frequency, "monetary": rfm.monetary}
        yield {"kind": "rfm", **scores, "tier": rfm.tier, "since": rfm.scored_at}
    yield from owning.export(contact_id)


def erase(*, contact_id: int) -> int:
    """Deleting the contact takes these rows along in the database; this is for whoever erases room by room."""
    rows = owning.erase(contact_id)
    for model in (ContactTag, ListMember, TagChangeItem, Lifecycle, RFM):
        rows += model.objects.filter(contact_id=contact_id).delete()[0]
    return rows

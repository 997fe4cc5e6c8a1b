"""Memberships when two records of one person become one, when a person asks for their data, and when they go."""

from collections.abc import Iterator
from typing import Any, Final

from hongyan.audience.models_membership import Member, MemberDue, MemberMove
from hongyan.contacts.merging import register_tables
from hongyan.contacts.owned import Owned

TABLES: Final = ("audience_member", "audience_membermove", "audience_memberdue")


def register() -> None:
    """Nobody comes or goes by a merge: whoever of the two was in, the survivor is in since then. The events of merging
    and unmerging then let the lane evaluate everything for both anew."""
    register_tables(
        "membership",
        Owned("audience_member", key=("audience_id",), once=(("audience_id",),), whole=True),
        Owned("audience_membermove"),
        Owned("audience_memberdue", key=("clock_id", "due_at"), once=(("clock_id", "due_at"),), whole=True),
    )


def export(contact_id: int) -> Iterator[dict[str, Any]]:
    for member in Member.objects.filter(contact_id=contact_id).select_related("audience").order_by("since"):
        yield {"kind": "audience", "name": member.audience.name, "since": member.since}
    for move in MemberMove.objects.filter(contact_id=contact_id).select_related("audience").order_by("at", "id"):
        yield {
            "kind": "audience_entered" if move.entered else "audience_left",
            "name": move.audience.name,
            "at": move.at,
            "cause": move.cause or move.kind,
        }


def erase(contact_id: int) -> int:
    """The contact's deletion takes these rows along; this is for whoever erases room by room."""
    return sum(model.objects.filter(contact_id=contact_id).delete()[0] for model in (Member, MemberMove, MemberDue))

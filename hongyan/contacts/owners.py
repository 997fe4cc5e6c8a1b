"""Whose customers people are, many at once."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.models import Contact
from hongyan.core.sql import any_of

MOST = 5_000  # of one call: each is on record by itself


def contacts_assign(*, actor: Actor, contact_ids: Sequence[int], owner_id: int | None) -> int:
    """Returns how many changed; who has this owner already is passed over."""
    actor.require(Permission.CONTACT_EDIT)
    if len(contact_ids) > MOST:
        raise ValueError(f"at most {MOST} people in one call")
    with transaction.atomic():
        people = Contact.objects.select_for_update().filter(pk__in=any_of(contact_ids))
        others = people.filter(~Q(owner_id=owner_id) | Q(owner=None)) if owner_id else people.exclude(owner=None)
        rows = list(others.order_by("pk").values_list("pk", "public_id"))
        Contact.objects.filter(pk__in=any_of([pk for pk, _public in rows])).update(owner_id=owner_id)
        for _pk, public_id in rows:
            record(
                actor=actor,
                action="contact.assigned",
                subject_kind="contact",
                subject_id=str(public_id),
                data={"owner": owner_id},
            )
    return len(rows)

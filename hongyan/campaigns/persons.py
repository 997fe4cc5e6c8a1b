"""People behind a figure, as a list shows them: masked unless the reader may see identities."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts.masking import masked_identity
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import identities
from hongyan.contacts.types import Identity


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    public_id: UUID
    name: str
    email: str
    city: str
    country: str


def persons(*, actor: Actor, contact_ids: Sequence[int], subject_id: str) -> dict[int, Person]:
    """By contact id; erased ones are missing. Two queries. Seeing identities in clear is recorded once a list.

    subject_id: public id of the campaign whose people they are.
    """
    actor.require(Permission.CONTACT_VIEW)
    clear = actor.may(Permission.CONTACT_IDENTITY)
    known = identities(contact_ids)
    rows = Contact.objects.filter(pk__in=list(contact_ids)).values_list("pk", "public_id", "city", "country")
    if clear and known and actor.kind != "system":
        data = {"people": len(known)}
        record(actor=actor, action="campaign.people_viewed", subject_kind="campaign", subject_id=subject_id, data=data)
    found = {}
    for pk, public_id, city, country in rows:
        identity = known.get(pk, Identity())
        shown = identity if clear else masked_identity(identity)
        name = shown.full_name or " ".join(filter(None, (shown.given_name, shown.family_name)))
        found[pk] = Person(pk, public_id, name, shown.email, city, country)
    return found

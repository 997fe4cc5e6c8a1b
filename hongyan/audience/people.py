"""The people of an audience or a list, as rows; identifying data masked unless the reader may see it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.engines.door import ask
from hongyan.audience.models import ContactList, ListMember
from hongyan.audience.segments import checked, compile_members
from hongyan.contacts.masking import masked_identity
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import identities
from hongyan.contacts.types import Identity
from hongyan.core.sql import SQL

_PORTION = 50_000


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    public_id: UUID
    name: str
    email: str
    country: str
    city: str


def sample(*, actor: Actor, tree: Any, n: int = 5, catalogue: Catalogue | None = None) -> list[Person]:
    """Some of them, the newest first. Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    catalogue = catalogue or catalogue_now()
    return people_of(actor, ask(checked(tree, catalogue=catalogue), catalogue=catalogue).sample(n))


def member_ids(*, actor: Actor, tree: Any, limit: int | None = None) -> Iterator[UUID]:
    """Public ids of everybody meant, in order of the dense ids, read in portions. Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    members = compile_members(tree)
    after, left = 0, limit
    while left is None or left > 0:
        portion = min(left or _PORTION, _PORTION)
        found = _portion(members, after, portion)
        for after, public_id in found:  # noqa: B007 - the next portion begins after the last one
            yield public_id
        if len(found) < portion:
            return
        left = None if left is None else left - portion


def members_after(*, actor: Actor, tree: Any, after: int, limit: int) -> list[tuple[int, UUID]]:
    """The next of them by the dense id: (that id, public id). Raises BadTree."""
    actor.require(Permission.CONTACT_VIEW)
    return _portion(compile_members(tree), after, limit)


def _portion(members: SQL, after: int, limit: int) -> list[tuple[Any, ...]]:
    text = (
        f"SELECT c.id, c.public_id FROM ({members.text}) members JOIN contacts_contact c ON c.id = members.id "
        "WHERE c.id > %(after)s ORDER BY c.id LIMIT %(portion)s"
    )
    return rows.query(text, {**members.params, "after": after, "portion": limit})


def list_members(
    *, actor: Actor, contact_list: ContactList, after: int = 0, limit: int = 50
) -> tuple[list[Person], int | None]:
    """A page of the list by contact id, and after which id the next one begins."""
    actor.require(Permission.CONTACT_VIEW)
    members = ListMember.objects.filter(list=contact_list, contact_id__gt=after).order_by("contact_id")
    ids = list(members.values_list("contact_id", flat=True)[: limit + 1])
    following = ids[limit - 1] if len(ids) > limit else None
    return people_of(actor, ids[:limit]), following


def people_of(actor: Actor, ids: Sequence[int]) -> list[Person]:
    """Rows in the order of the ids; erased ones are left out. Callers have checked that the actor may see contacts."""
    found = {contact.pk: contact for contact in Contact.objects.filter(pk__in=ids).only("public_id", "country", "city")}
    who = identities(ids)
    people = []
    for contact_id in ids:
        contact, identity = found.get(contact_id), who.get(contact_id)
        if contact is None or identity is None:
            continue  # erased between two statements
        if not actor.may(Permission.CONTACT_IDENTITY):
            identity = masked_identity(identity)
        people.append(person_of(contact, identity))
    return people


def person_of(contact: Contact, identity: Identity) -> Person:
    """identity: what the reader may see of it."""
    name = identity.full_name or " ".join(filter(None, (identity.given_name, identity.family_name)))
    return Person(contact.pk, contact.public_id, name, identity.email, contact.country, contact.city)

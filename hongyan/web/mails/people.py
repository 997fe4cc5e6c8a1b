"""People to preview a mail as: shown masked to those who may not see identities."""

import secrets
from typing import Any
from uuid import UUID

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.masking import masked_identity
from hongyan.contacts.models import Contact
from hongyan.contacts.search import query_tokens
from hongyan.contacts.selectors import identities
from hongyan.content.contexts import full_name
from hongyan.core.crypto.keyring import keyring

FOUND = 8


Person = dict[str, Any]  # id (public), name, detail: JSON for the page


def find_people(actor: Actor, text: str) -> list[Person]:
    """By name, e-mail or phone; by whole values for those who may not see identities. Nothing typed: the newest."""
    rows = Contact.objects.order_by("-id")
    if text:
        terms = query_tokens(text, keyring().blind, whole=not actor.may(Permission.CONTACT_IDENTITY))
        if not terms:
            return []
        for tokens in terms:
            rows = rows.filter(search_tokens__overlap=tokens)
    return [person for _number, person in _shown(actor, list(rows.values_list("id", "public_id", "city")[:FOUND]))]


def random_person(actor: Actor) -> list[Person]:
    """One of the existing ids at or above a random one: even where ids are dense, which they are."""
    last = Contact.objects.order_by("-id").values_list("id", flat=True).first()
    if last is None:
        return []
    start = secrets.randbelow(last) + 1
    rows = Contact.objects.filter(id__gte=start).order_by("id").values_list("id", "public_id", "city")[:1]
    return [person for _number, person in _shown(actor, list(rows))]


def person_of(actor: Actor, contact: UUID | int | None) -> tuple[int, Person] | None:
    """With the inner id, which does not leave the server."""
    if contact is None or not actor.may(Permission.CONTACT_VIEW):
        return None
    rows = Contact.objects.filter(**({"id": contact} if isinstance(contact, int) else {"public_id": contact}))
    found = _shown(actor, list(rows.values_list("id", "public_id", "city")[:1]))
    return found[0] if found else None


def _shown(actor: Actor, rows: list[tuple[int, UUID, str]]) -> list[tuple[int, Person]]:
    known = identities([row[0] for row in rows])
    people = []
    for number, public_id, city in rows:
        identity = known.get(number)
        if identity is None:
            continue
        shown = identity if actor.may(Permission.CONTACT_IDENTITY) else masked_identity(identity)
        name = full_name(shown) or shown.email or "—"
        people.append((number, {"id": str(public_id), "name": name, "detail": city or shown.email}))
    return people

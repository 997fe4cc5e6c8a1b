"""From public ids to the ids inside."""

from collections.abc import Sequence
from uuid import UUID

from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.identifiers import blind_of
from hongyan.contacts.merging import survivors_of
from hongyan.contacts.models import Contact, Identifier
from hongyan.contacts.normalise import email as normalised_email


def contact_ids_of(public_ids: Sequence[UUID]) -> list[int]:
    """Those of records that were merged away lead to the contact it is now. Unknown ones are passed over, so that
    nobody learns which exist."""
    found = dict(Contact.objects.filter(public_id__in=public_ids).values_list("public_id", "id"))
    missing = [public_id for public_id in public_ids if public_id not in found]
    merged = survivors_of(missing) if missing else {}
    return list({*found.values(), *merged.values()})


def contact_ids_by_keys(*, emails: Sequence[str], external_ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """(kind, what was given) → contact. What is unknown or no address is left out. The caller has checked its actor."""
    wanted: dict[tuple[str, bytes], tuple[str, str]] = {}
    for text in set(emails):
        try:
            blind = blind_of(Identifier.Kind.EMAIL, normalised_email(text))
        except NormaliseProblem:
            continue
        wanted[Identifier.Kind.EMAIL.value, blind] = ("email", text)
    for text in set(external_ids):
        wanted[Identifier.Kind.EXTERNAL_ID.value, blind_of(Identifier.Kind.EXTERNAL_ID, text.strip())] = ("id", text)
    if not wanted:
        return {}
    rows = Identifier.objects.filter(blind__in=[blind for _kind, blind in wanted])
    found = {(kind, bytes(blind)): owner for kind, blind, owner in rows.values_list("kind", "blind", "contact_id")}
    return {given: found[key] for key, given in wanted.items() if key in found}

"""Exact look-up of people by address, number or id, through blind indexes."""

from collections.abc import Iterable

from hongyan.contacts.models import Identifier
from hongyan.core.crypto.keyring import keyring


def blind_of(kind: str, value: str) -> bytes:
    """The blind index of a normalised value. Letter case of an e-mail address never tells people apart here, although
    the address is stored and mailed as it was written: no mail system in use keeps two such mailboxes apart."""
    return keyring().blind.index(kind, value.casefold() if kind == Identifier.Kind.EMAIL else value)


def contact_id_of(kind: str, value: str) -> int | None:
    """value: normalised. System use, or behind a selector that has checked the actor."""
    return (
        Identifier.objects.filter(kind=kind, blind=blind_of(kind, value)).values_list("contact_id", flat=True).first()
    )


def contact_ids_of(kind: str, values: Iterable[str]) -> dict[str, int]:
    """The same for many: value → contact. Values that nobody has are missing."""
    named: dict[bytes, list[str]] = {}
    for value in values:
        named.setdefault(blind_of(kind, value), []).append(value)
    rows = Identifier.objects.filter(kind=kind, blind__in=list(named)).values_list("blind", "contact_id")
    return {value: contact_id for blind, contact_id in rows for value in named[bytes(blind)]}

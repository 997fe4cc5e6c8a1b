"""Whose things these are: many rows at once, one statement for each kind of key."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from hongyan.contacts import normalise
from hongyan.contacts.errors import NormaliseProblem
from hongyan.contacts.identifiers import blind_of
from hongyan.contacts.merging import survivors_of
from hongyan.contacts.models import Contact, Identifier

KINDS: Final = ("external_id", "email", "phone")  # strongest first


def contacts_of(rows: Sequence[Mapping[str, str]]) -> list[int | None]:
    """rows: raw values by kind, and "id" for a public id. None where nobody is known by any of them. System use."""
    found: list[int | None] = _by_public_id([row.get("id", "") for row in rows])
    for kind in KINDS:
        blinds: dict[bytes, list[int]] = {}
        for place, row in enumerate(rows):
            value = "" if found[place] is not None or row.get("id") else _normal(kind, row.get(kind, ""))
            if value:
                blinds.setdefault(bytes(blind_of(kind, value)), []).append(place)
        if not blinds:
            continue
        owners = Identifier.objects.filter(kind=kind, blind__in=list(blinds)).values_list("blind", "contact_id")
        for blind, contact_id in owners:
            for place in blinds[bytes(blind)]:
                found[place] = contact_id
    return found


def _by_public_id(texts: Sequence[str]) -> list[int | None]:
    wanted: dict[str, UUID] = {}
    for text in texts:
        try:
            wanted[text] = UUID(text)
        except ValueError:
            continue
    if not wanted:
        return [None] * len(texts)
    ids = dict(Contact.objects.filter(public_id__in=list(wanted.values())).values_list("public_id", "pk"))
    missing = [public_id for public_id in wanted.values() if public_id not in ids]
    ids |= survivors_of(missing) if missing else {}
    return [ids.get(wanted[text]) if text in wanted else None for text in texts]


def _normal(kind: str, text: str) -> str:
    try:
        if not text:
            return ""
        if kind == "email":
            return normalise.email(text)
        return normalise.phone(text) if kind == "phone" else normalise.line(text)
    except NormaliseProblem:
        return ""

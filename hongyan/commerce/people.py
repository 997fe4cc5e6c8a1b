"""Whose orders these are: set-wise, by exact keys (customer id, then e-mail, then phone); people nobody knows yet are
made contacts, without consent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from hongyan.commerce.types import Missing, Person
from hongyan.contacts import bulk, normalise
from hongyan.contacts.bulk_rows import ContactRowIn, Outcome, RowMaker, UpsertPolicy
from hongyan.contacts.errors import InvalidValues, NormaliseProblem
from hongyan.contacts.services import contact_fill
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import statement, texts

KINDS = ("external_id", "email", "phone")  # strongest first


@dataclass(frozen=True, slots=True)
class Found:
    contact_id: int | None
    missing: Missing = Missing.NONE
    new: bool = False


_NOBODY = Found(None, Missing.NO_KEY)
_UNREADABLE = Found(None, Missing.BAD_KEY)


def find_or_make(
    people: Sequence[Person], *, source: str, at: datetime, make: bool = True, is_demo: bool = False
) -> dict[Person, Found]:
    """Everybody in one go. make False: only look; who would be made counts as new without a number."""
    found: dict[Person, Found] = {}
    clean: dict[Person, dict[str, Any]] = {}
    for person in dict.fromkeys(people):
        if not person:
            found[person] = _NOBODY
            continue
        identity = _identity(person)
        if any(identity.get(kind) for kind in KINDS):
            clean[person] = identity
        else:
            found[person] = _UNREADABLE
    owners = _owners(clean.values())
    unknown = []
    for person, identity in clean.items():
        contact_id = next(
            (owners[kind, identity[kind]] for kind in KINDS if (kind, identity.get(kind, "")) in owners), None
        )
        if contact_id is not None:
            found[person] = Found(contact_id)
        else:
            unknown.append(person)
    maker = RowMaker(keyring().blind, source, at, is_demo=is_demo)
    for kind in KINDS:
        mine = [person for person in unknown if next(k for k in KINDS if clean[person].get(k)) == kind]
        found |= _make(mine, clean, kind, maker, write=make)
    return found


def customer_update(person: Person, *, source: str, at: datetime) -> Found:
    """A customer as a shop knows them: made if unknown, else gaps are filled; nothing anybody else wrote is changed."""
    found = find_or_make([person], source=source, at=at)[person]
    if found.contact_id is None or found.new:
        return found
    identity = _identity(person)
    values = {key: value for key, value in identity.items() if key != "external_id"}
    values |= {"country": country_code(person.country), "city": _line(person.city, 120)}
    try:
        contact_fill(
            contact_id=found.contact_id, values={key: value for key, value in values.items() if value}, source=source
        )
    except InvalidValues:  # an address that is somebody else's: who is who is for a person to decide
        return found
    return found


def _identity(person: Person) -> dict[str, Any]:
    """Normalised keys and names; what cannot be read is left out."""
    values: dict[str, Any] = {"external_id": _line(person.external_id, 120)}
    country = country_code(person.country)
    values["email"] = _read(normalise.email, person.email)
    values["phone"] = _read(lambda text: normalise.phone(text, country or "CN"), person.phone)
    for name in ("full_name", "given_name", "family_name"):
        values[name] = _read(lambda text: normalise.clean_name(text)[:200], getattr(person, name))
    if not values["full_name"]:
        values["full_name"] = f"{values['given_name']} {values['family_name']}".strip()
    return {key: value for key, value in values.items() if value}


def _read(read: Any, text: str) -> str:
    if not text.strip():
        return ""
    try:
        return str(read(text))
    except NormaliseProblem:
        return ""


def _line(text: str, limit: int) -> str:
    return _read(lambda value: normalise.line(value, limit=limit), text)


def country_code(text: str) -> str:
    """ISO 3166 alpha-2, or "" for a text that names none."""
    return _read(normalise.country, text)


def _blind(kind: str, value: str) -> bytes:
    return keyring().blind.index(kind, value.casefold() if kind == "email" else value)


def _owners(identities: Any) -> dict[tuple[str, str], int]:
    """(kind, value) → contact, of all keys at once."""
    wanted = {
        (kind, _blind(kind, identity[kind])): (kind, identity[kind])
        for identity in identities
        for kind in KINDS
        if identity.get(kind)
    }
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.commerce", "orders.sql", "owners"),
            {
                "kinds": texts([kind for kind, _ in wanted]),
                "blinds": texts(["\\x" + blind.hex() for _, blind in wanted]),
            },
        )
        rows = cursor.fetchall()
    # Letter case of an address does not tell people apart: every spelling of the batch gets the owner.
    by_blind = {(kind, bytes(blind)): contact_id for kind, blind, contact_id in rows}
    found = {}
    for identity in identities:
        for kind in KINDS:
            value = identity.get(kind)
            if value and (owner := by_blind.get((kind, _blind(kind, value)))) is not None:
                found[kind, value] = owner
    return found


def _make(
    people: Sequence[Person], clean: dict[Person, dict[str, Any]], kind: str, maker: RowMaker, *, write: bool
) -> dict[Person, Found]:
    if not people:
        return {}
    rows = [_row(maker, place, person, clean[person]) for place, person in enumerate(people)]
    outcomes = bulk.upsert(
        rows, policy=UpsertPolicy.FILL_EMPTY, match_on=kind, maker=maker, connection=connection, write=write
    )
    found = {}
    for person, outcome in zip(people, outcomes, strict=True):
        if outcome.outcome is Outcome.REJECTED:
            why = Missing.ERASED_BEFORE if outcome.code == "erased_person" else Missing.CONFLICT
            found[person] = Found(None, why)
        else:
            found[person] = Found(outcome.contact_id, new=outcome.outcome is Outcome.CREATED)
    return found


def _row(maker: RowMaker, place: int, person: Person, identity: dict[str, Any]) -> ContactRowIn:
    plain = {"country": country_code(person.country), "city": _line(person.city, 120)}
    return maker.contact_row(
        ref=place, identity=identity, plain={key: value for key, value in plain.items() if value}, attributes={}
    )

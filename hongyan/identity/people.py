"""Contacts as records for matching. Opens sealed identities: used by runs and look-ups of this room only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from hongyan.contacts.models import Contact
from hongyan.contacts.profiles import provenance_in
from hongyan.contacts.sealing import open_blob
from hongyan.contacts.types import Identity
from hongyan.core.sql import any_of
from hongyan.identity.kept import Kept, opened
from hongyan.identity.matching.features import Features, features
from hongyan.identity.matching.record import Record, customer_number

BATCH = 5_000
# Sensitive custom fields that hold a number the state gave: the only ids matching looks at.
NATIONAL_IDS = (
    "national_id",
    "id_card",
    "id_number",
    "passport",
    "ssn",
    "soc_sec_id",
    "social_security_number",
    "tax_id",
)
# Custom fields that say what somebody does.
OCCUPATIONS = ("job_title", "occupation", "profession", "position")
_COLUMNS = (
    *("pk", "sealed", "country", "region", "city", "sex", "source", "updated_at", "provenance"),
    "kept_values__sealed",
    Coalesce(*(KT(f"attributes__{key}") for key in OCCUPATIONS), Value(""), output_field=TextField()),
)


@dataclass(frozen=True, slots=True)
class Person:
    contact_id: int
    features: Features
    updated_at: datetime


def everybody() -> Iterator[list[Person]]:
    """All contacts in the order of their ids, in batches; those that come meanwhile are left to the next run."""
    last, newest = 0, Contact.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    while last < newest:
        rows = list(_rows(Contact.objects.filter(pk__gt=last, pk__lte=newest).order_by("pk")[:BATCH]))
        if not rows:
            return
        last = rows[-1].contact_id
        yield rows


def some(contact_ids: Sequence[int]) -> dict[int, Person]:
    return {row.contact_id: row for row in _rows(Contact.objects.filter(pk__in=any_of(contact_ids)))}


def _rows(contacts: "QuerySet[Contact]") -> Iterator[Person]:
    for row in contacts.values_list(*_COLUMNS):
        pk, sealed, country, region, city, sex, source, updated_at, provenance, kept, occupation = row
        identity = open_blob(sealed, contact_id=pk)
        record = record_of(
            identity,
            {
                "country": country,
                "region": region,
                "city": city,
                "sex": str(sex),
                "source": source,
                "occupation": occupation,
            },
            _numbers(identity, provenance, opened(kept, pk) if kept else {}),
        )
        yield Person(pk, features(record), updated_at)


def _numbers(identity: Identity, provenance: Mapping[str, Any], kept: Kept) -> tuple[str, ...]:
    """All customer numbers of a contact with their sources: its own, and those of records merged into it."""
    found = set()
    if identity.external_id:
        origin = provenance_in(provenance, "external_id")
        found.add(customer_number(origin.source if origin else "", identity.external_id))
    for lost in kept.get("external_id", {}).get("lost", []):
        found.add(customer_number(lost["source"], str(lost["value"])))
    return tuple(sorted(found))


def record_of(identity: Identity, plain: Mapping[str, Any], numbers: tuple[str, ...] = ()) -> Record:
    return Record(
        given_name=identity.given_name,
        family_name=identity.family_name,
        full_name=identity.full_name,
        email=identity.email,
        phone=identity.phone,
        street=identity.street,
        postal_code=identity.postal_code,
        birth_date=identity.birth_date,
        national_id=next((value for key in NATIONAL_IDS if (value := identity.extra.get(key))), ""),
        birth_place=identity.extra.get("birth_place", ""),
        numbers=numbers,
        **plain,
    )

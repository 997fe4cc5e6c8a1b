"""Contacts: read, make, change, erase."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.audience.selectors import lists_of_contact, tags_of_contacts
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.services import contact_create, contact_update
from hongyan.contacts.types import ContactValues, Identity

router = Router()


class ContactIn(Schema):
    """values: by field key (given_name, family_name, full_name, email, phone, street, postal_code, birth_date, notes,
    company, external_id, sex, language, country, region, city, time_zone, and custom.<key>). "" clears a field."""

    values: dict[str, Any]


class ContactOut(Schema):
    """Identifying fields are masked for keys without contact.identity."""

    id: UUID
    masked: bool
    given_name: str
    family_name: str
    full_name: str
    email: str
    phone: str
    street: str
    postal_code: str
    birth_date: str
    company: str
    external_id: str
    sex: int
    language: str
    country: str
    region: str
    city: str
    time_zone: str
    attributes: dict[str, Any]
    sensitive: dict[str, str]
    tags: list[str]
    lists: list[str]
    source: str
    created_at: datetime
    updated_at: datetime


class Erasure(Schema):
    reason: str


class Receipt(Schema):
    id: UUID
    erased_at: datetime
    removed: dict[str, int]
    digest: str


@router.post("", response={201: ContactOut}, summary="Make a contact; 409 when somebody has the address")
def contact_new(request: HttpRequest, data: ContactIn) -> tuple[int, ContactOut]:
    made = contact_create(actor=actor(request), values=ContactValues(data.values), source="api")
    return 201, _read(request, made.public_id)


@router.get("/{contact_id}", response=ContactOut, summary="One contact")
def contact_read(request: HttpRequest, contact_id: UUID) -> ContactOut:
    return _read(request, contact_id)


@router.patch("/{contact_id}", response=ContactOut, summary="Change the fields that are named")
def contact_change(request: HttpRequest, contact_id: UUID, data: ContactIn) -> ContactOut:
    who = actor(request)
    contact, _identity = contact_by_public_id(actor=who, public_id=contact_id, audit=False)
    contact_update(actor=who, contact_id=contact.pk, changes=ContactValues(data.values), source="api")
    return _read(request, contact_id)


@router.delete("/{contact_id}", response=Receipt, summary="Erase; suppression and the pseudonymous ledger stay")
def contact_delete(request: HttpRequest, contact_id: UUID, data: Erasure) -> Receipt:
    who = actor(request)
    who.require(Permission.CONTACT_ERASE)
    contact, _identity = contact_by_public_id(actor=who, public_id=contact_id, audit=False)
    receipt = contact_erase(actor=who, contact_id=contact.pk, reason=data.reason)
    return Receipt(
        id=receipt.public_id, erased_at=receipt.erased_at, removed=dict(receipt.removed), digest=receipt.digest
    )


def _read(request: HttpRequest, public_id: UUID) -> ContactOut:
    who = actor(request)
    contact, identity = contact_by_public_id(actor=who, public_id=public_id)
    tags = tags_of_contacts(actor=who, contact_ids=[contact.pk]).get(contact.pk, [])
    lists = lists_of_contact(actor=who, contact_id=contact.pk)
    return _out(
        contact,
        identity,
        masked=not who.may(Permission.CONTACT_IDENTITY),
        tags=[tag.key for tag in tags],
        lists=[row.name for row in lists],
    )


def _out(contact: Contact, identity: Identity, *, masked: bool, tags: list[str], lists: list[str]) -> ContactOut:
    return ContactOut(
        id=contact.public_id,
        masked=masked,
        given_name=identity.given_name,
        family_name=identity.family_name,
        full_name=identity.full_name,
        email=identity.email,
        phone=identity.phone,
        street=identity.street,
        postal_code=identity.postal_code,
        birth_date=identity.birth_date,
        company=identity.company,
        external_id=identity.external_id,
        sex=contact.sex,
        language=contact.language,
        country=contact.country,
        region=contact.region,
        city=contact.city,
        time_zone=contact.time_zone,
        attributes=contact.attributes,
        sensitive={} if masked else dict(identity.extra),
        tags=tags,
        lists=lists,
        source=contact.source,
        created_at=contact.created_at,
        updated_at=contact.updated_at,
    )

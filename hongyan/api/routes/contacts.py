"""Contacts: list, find, read, make, change, erase."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.paging import Listing, capped, read_cursor, write_cursor
from hongyan.api.problems import Problem
from hongyan.audience.selectors import lists_of_contact, tags_of_contacts
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.listing import contact_page
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.services import contact_create, contact_update
from hongyan.contacts.types import ContactFilters, ContactRow, ContactValues, Cursor, Identity, Order

router = Router()


class ContactIn(Body):
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


class ContactLine(Schema):
    """A contact in a list; the rest is at its own address. Identifying fields are masked without contact.identity."""

    id: UUID
    masked: bool
    name: str
    email: str
    phone: str
    company: str
    language: str
    country: str
    region: str
    city: str
    attributes: dict[str, Any]
    consent: str
    suppressed: list[str]
    created_at: datetime
    updated_at: datetime


class Search(Body):
    """text: words of a name, an e-mail address or a phone. In the body, so that it is in no log of addresses."""

    text: str = ""
    country: str = ""
    city: str = ""
    language: str = ""
    source: str = ""
    created_from: date | None = None
    created_to: date | None = None
    order: Order = Order.NEWEST
    cursor: str | None = None
    limit: int = 50


class Erasure(Body):
    reason: str


class Receipt(Schema):
    id: UUID
    erased_at: datetime
    removed: dict[str, int]
    digest: str


@router.get("", response=Listing[ContactLine], summary="Contacts, newest first")
def contact_list(
    request: HttpRequest, order: Order = Order.NEWEST, cursor: str | None = None, limit: int = 50
) -> Listing[ContactLine]:
    return _page(request, ContactFilters(), order=order, cursor=cursor, limit=limit)


@router.post("/search", response=Listing[ContactLine], summary="Contacts that fit all that is set")
def contact_search(request: HttpRequest, data: Search) -> Listing[ContactLine]:
    filters = ContactFilters(
        search=data.text,
        country=data.country,
        city=data.city,
        language=data.language,
        source=data.source,
        created_from=data.created_from,
        created_to=data.created_to,
    )
    return _page(request, filters, order=data.order, cursor=data.cursor, limit=data.limit)


@router.post("", response={201: ContactOut}, summary="Make a contact; 409 when somebody has the address")
def contact_new(request: HttpRequest, data: ContactIn) -> Status[ContactOut]:
    made = contact_create(actor=actor(request), values=ContactValues(data.values), source="api")
    return Status(201, _read(request, made.public_id))


@router.get("/{contact_id}", response=ContactOut, summary="One contact")
def contact_read(request: HttpRequest, contact_id: UUID) -> ContactOut:
    return _read(request, contact_id)


@router.patch("/{contact_id}", response=ContactOut, summary="Change the fields that are named")
def contact_change(request: HttpRequest, contact_id: UUID, data: ContactIn) -> ContactOut:
    who = actor(request)
    contact, _identity = contact_by_public_id(actor=who, public_id=contact_id, audit=False)
    contact_update(actor=who, contact_id=contact.pk, changes=ContactValues(data.values), source="api")
    return _read(request, contact_id)


@router.post("/{contact_id}/erasure", response=Receipt, summary="Erase; suppression and the pseudonymous ledger stay")
def contact_forget(request: HttpRequest, contact_id: UUID, data: Erasure) -> Receipt:
    who = actor(request)
    who.require(Permission.CONTACT_ERASE)
    contact, _identity = contact_by_public_id(actor=who, public_id=contact_id, audit=False)
    receipt = contact_erase(actor=who, contact_id=contact.pk, reason=data.reason)
    return Receipt(
        id=receipt.public_id, erased_at=receipt.erased_at, removed=dict(receipt.removed), digest=receipt.digest
    )


def _page(
    request: HttpRequest, filters: ContactFilters, *, order: Order, cursor: str | None, limit: int
) -> Listing[ContactLine]:
    page = contact_page(
        actor=actor(request), filters=filters, after=_after(order, cursor), limit=capped(limit), order=order
    )
    following = page.next
    return Listing[ContactLine](
        items=[_line(row) for row in page.rows],
        next=write_cursor([order, following.at, following.id]) if following else None,
    )


def _after(order: Order, cursor: str | None) -> Cursor | None:
    """A cursor goes on in the order it was made for, no other."""
    position = read_cursor(cursor)
    if position is None:
        return None
    if not isinstance(position, list) or len(position) != 3 or position[0] != order:
        raise Problem.bad_cursor()
    return Cursor(datetime.fromisoformat(position[1]) if position[1] else None, position[2])


def _line(row: ContactRow) -> ContactLine:
    return ContactLine(
        id=row.public_id,
        masked=row.masked,
        name=row.name,
        email=row.email,
        phone=row.phone,
        company=row.company,
        language=row.language,
        country=row.country,
        region=row.region,
        city=row.city,
        attributes=dict(row.attributes),
        consent=row.consent,
        suppressed=list(row.suppressed),
        created_at=row.created_at,
        updated_at=row.updated_at,
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

"""Companies, and who belongs to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema

from hongyan.accounts.permissions import Permission
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.lookup import contact_ids_of
from hongyan.api.paging import Listing, capped, read_cursor, write_cursor
from hongyan.api.problems import Problem
from hongyan.contacts.companies import company_assign, company_by_public_id, company_update, company_upsert
from hongyan.contacts.companies_selectors import CompanyFilters, company_page
from hongyan.contacts.models import Company

router = Router()
MOST = 1_000


class CompanyOut(Schema):
    id: UUID
    name: str
    domain: str
    external_id: str
    industry: str
    size: str
    country: str
    city: str
    attributes: dict[str, Any]
    source: str
    created_at: datetime
    updated_at: datetime


class CompanyIn(Body):
    """Found by external_id, else domain, else name; made when there is none. size: a number of people or a range."""

    name: str = ""
    domain: str = ""
    external_id: str = ""
    industry: str = ""
    size: str = ""
    country: str = ""
    city: str = ""
    attributes: dict[str, Any] = {}


class CompanyPatch(Body):
    """Only what is named changes; "" clears."""

    name: str | None = None
    domain: str | None = None
    external_id: str | None = None
    industry: str | None = None
    size: str | None = None
    country: str | None = None
    city: str | None = None
    attributes: dict[str, Any] | None = None


class People(Body):
    """Public ids of contacts, at most 1,000; unknown ones are passed over."""

    contacts: list[UUID]


class Assigned(Schema):
    changed: int


@router.get("", response=Listing[CompanyOut], summary="Companies, the last changed first")
def company_list(
    request: HttpRequest, cursor: str | None = None, limit: int = 50, search: str = ""
) -> Listing[CompanyOut]:
    who, after = actor(request), read_cursor(cursor)
    who.require(Permission.CONTACT_VIEW)
    if after is not None:
        if not isinstance(after, list) or len(after) != 3 or after[0] != "companies":
            raise Problem.bad_cursor()
        after = (datetime.fromisoformat(after[1]), int(after[2]))
    filters = CompanyFilters(search=search[:200])
    rows, more = company_page(actor=who, filters=filters, after=after, limit=capped(limit))
    return Listing[CompanyOut](
        items=[_out(row) for row in rows], next=write_cursor(["companies", *more]) if more else None
    )


@router.post("", response=CompanyOut, summary="Make a company, or change the one that is meant")
def company_post(request: HttpRequest, data: CompanyIn) -> CompanyOut:
    given = {key: value for key, value in data.dict().items() if value}
    keys = {key: str(given.pop(key, "")) for key in ("external_id", "name", "domain")}
    return _out(company_upsert(actor=actor(request), source="api", values=given, **keys))


@router.get("/{company_id}", response=CompanyOut, summary="One company; of a merged one, the company it is now")
def company_read(request: HttpRequest, company_id: UUID) -> CompanyOut:
    found = company_by_public_id(actor=actor(request), public_id=company_id)
    while found.merged_into is not None:
        found = found.merged_into
    return _out(found)


@router.patch("/{company_id}", response=CompanyOut, summary="Change what is named")
def company_patch(request: HttpRequest, company_id: UUID, data: CompanyPatch) -> CompanyOut:
    who = actor(request)
    found = company_by_public_id(actor=who, public_id=company_id)
    values = {key: value for key, value in data.dict(exclude_unset=True).items() if value is not None}
    return _out(company_update(actor=who, company_id=found.pk, values=values, source="api"))


@router.post("/{company_id}/people", response=Assigned, summary="These people belong to the company")
def company_people(request: HttpRequest, company_id: UUID, data: People) -> Assigned:
    if len(data.contacts) > MOST:
        raise Problem(422, "too-many", _("At most %(most)s entries are allowed.") % {"most": MOST})
    who = actor(request)
    found = company_by_public_id(actor=who, public_id=company_id)
    ids = contact_ids_of(data.contacts)
    return Assigned(changed=company_assign(actor=who, company_id=found.pk, contact_ids=ids, source="api"))


def _out(row: Company) -> CompanyOut:
    return CompanyOut(
        id=row.public_id,
        name=row.name,
        domain=row.domain,
        external_id=row.external_id,
        industry=row.industry,
        size=row.size,
        country=row.country,
        city=row.city,
        attributes=row.attributes,
        source=row.source,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

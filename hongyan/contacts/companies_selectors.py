"""Reading companies: in pages, with how many people they have, and which one somebody probably belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.companies import company_find, is_free_mail
from hongyan.contacts.models import Company, CompanyMerge, Contact
from hongyan.contacts.sealing import open_blob
from hongyan.core.sql import any_of


@dataclass(frozen=True, slots=True)
class CompanyFilters:
    """search: a part of the name, or the beginning of a domain or external id."""

    search: str = ""
    industry: str = ""
    size: str = ""
    country: str = ""
    owner_id: int | None = None


def company_page(
    *, actor: Actor, filters: CompanyFilters, after: tuple[datetime, int] | None, limit: int
) -> tuple[list[Company], tuple[datetime, int] | None]:
    """The last changed first; merged ones are left out."""
    actor.require(Permission.CONTACT_VIEW)
    rows = _filtered(filters)
    if after is not None:
        at, pk = after
        rows = rows.filter(updated_at__lte=at).exclude(updated_at=at, id__gte=pk)
    page = list(rows.select_related("owner").order_by("-updated_at", "-id")[: limit + 1])
    more = (page[limit - 1].updated_at, page[limit - 1].pk) if len(page) > limit else None
    return page[:limit], more


def company_count(*, actor: Actor, filters: CompanyFilters) -> int:
    actor.require(Permission.CONTACT_VIEW)
    return _filtered(filters).count()


def company_people_counts(*, actor: Actor, company_ids: Sequence[int]) -> dict[int, int]:
    """Company id → people; one statement."""
    actor.require(Permission.CONTACT_VIEW)
    rows = Contact.objects.filter(company_id__in=any_of(company_ids)).values_list("company_id")
    return {pk: n for pk, n in rows.annotate(n=Count("id")).order_by() if pk is not None}


def company_people(
    *, actor: Actor, company_id: int, after: tuple[datetime, int] | None = None, limit: int = 50
) -> tuple[list[int], tuple[datetime, int] | None]:
    """Ids of the people, the newest first."""
    actor.require(Permission.CONTACT_VIEW)
    rows = Contact.objects.filter(company_id=company_id)
    if after is not None:
        at, pk = after
        rows = rows.filter(created_at__lte=at).exclude(created_at=at, id__gte=pk)
    page = list(rows.order_by("-created_at", "-id").values_list("created_at", "id")[: limit + 1])
    return [pk for _at, pk in page[:limit]], page[limit - 1] if len(page) > limit else None


def company_industries(*, limit: int = 200) -> list[str]:
    rows = Company.objects.filter(merged_into=None).exclude(industry="")
    return list(rows.order_by("industry").values_list("industry", flat=True).distinct()[:limit])


def company_suggestion(*, actor: Actor, contact: Contact) -> Company | None:
    """Where the domain of the address, else the company named in the profile, is a company known here; None when the
    person has one already."""
    actor.require(Permission.CONTACT_VIEW)
    if contact.company_id is not None:
        return None
    domain = contact.email_domain.lower()
    if domain and not is_free_mail(domain) and (found := company_find(domain=domain)) is not None:
        return found
    name = open_blob(contact.sealed, contact_id=contact.pk).company
    return company_find(name=name) if name else None


def company_duplicates(company: Company, *, limit: int = 5) -> list[Company]:
    """Others of the same name, or with the same domain but for its ending."""
    stem = company.domain.rpartition(".")[0]
    same = Q(name_key=company.name_key)
    if len(stem) > 3:
        same |= Q(domain__startswith=stem + ".")
    rows = Company.objects.filter(same, merged_into=None).exclude(pk=company.pk)
    return list(rows.order_by("id")[:limit])


def company_merges(company: Company) -> list[CompanyMerge]:
    """Those into this company that can be undone, the latest first."""
    rows = CompanyMerge.objects.filter(survivor=company, undone_at=None, loser__merged_into=company)
    return list(rows.select_related("loser").order_by("-at"))


def companies_by_public_id(public_ids: Sequence[UUID]) -> Mapping[UUID, Company]:
    rows = Company.objects.filter(public_id__in=list(public_ids)).select_related("merged_into")
    return {row.public_id: row for row in rows}


def names_of(company_ids: Sequence[int]) -> dict[int, tuple[UUID, str]]:
    """Company id → (public id, name); for lists of people."""
    if not company_ids:
        return {}
    rows = Company.objects.filter(pk__in=any_of(set(company_ids))).values_list("pk", "public_id", "name")
    return {pk: (public_id, name) for pk, public_id, name in rows}


def _filtered(filters: CompanyFilters) -> QuerySet[Company]:
    rows = Company.objects.filter(merged_into=None)
    if filters.search:
        text = filters.search.strip()
        rows = rows.filter(Q(name__icontains=text) | Q(domain__istartswith=text) | Q(external_id__istartswith=text))
    for key in ("industry", "size", "country"):
        if value := getattr(filters, key):
            rows = rows.filter(**{key: value})
    if filters.owner_id is not None:
        rows = rows.filter(owner_id=filters.owner_id)
    return rows

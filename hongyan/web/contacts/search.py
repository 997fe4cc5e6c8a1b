"""People in the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.companies_selectors import CompanyFilters, company_page
from hongyan.contacts.listing import contact_page
from hongyan.contacts.timeline_recent import recent_contacts
from hongyan.contacts.types import ContactFilters, ContactRow
from hongyan.web.search import SearchHit, provider


@provider("contacts", order=10)
def contacts(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    if not actor.may(Permission.CONTACT_VIEW):
        return []
    if not text.strip():
        return [_hit(row, _("Recently viewed")) for row in recent_contacts(actor=actor, limit=limit)]
    page = contact_page(actor=actor, filters=ContactFilters(search=text), after=None, limit=limit)
    return [_hit(row, _("Contacts")) for row in page.rows]


def _hit(row: ContactRow, kind: str) -> SearchHit:
    return SearchHit(
        title=row.name or row.email or row.phone or _("Without a name"),
        url=reverse("contacts:contact", args=[row.public_id]),
        kind=kind,
        icon="user",
        detail=" · ".join(filter(None, (row.email if row.name else "", row.company, row.city))),
    )


@provider("companies", order=15)
def companies(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    if not text.strip() or not actor.may(Permission.CONTACT_VIEW):
        return []
    rows, _more = company_page(actor=actor, filters=CompanyFilters(search=text), after=None, limit=limit)
    return [
        SearchHit(row.name, reverse("contacts:company", args=[row.public_id]), _("Companies"), "building", row.domain)
        for row in rows
    ]

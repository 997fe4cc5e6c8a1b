"""People in the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.listing import contact_page
from hongyan.contacts.types import ContactFilters
from hongyan.web.search import SearchHit, provider


@provider("contacts", order=10)
def contacts(actor: Actor, text: str, limit: int) -> list[SearchHit]:
    if not text.strip() or not actor.may(Permission.CONTACT_VIEW):
        return []
    page = contact_page(actor=actor, filters=ContactFilters(search=text), after=None, limit=limit)
    return [
        SearchHit(
            title=row.name or row.email or row.phone or _("Without a name"),
            url=reverse("contacts:contact", args=[row.public_id]),
            kind=_("Contacts"),
            icon="user",
            detail=" · ".join(filter(None, (row.email if row.name else "", row.company, row.city))),
        )
        for row in page.rows
    ]

"""What happened lately with the people of a company, in one line of time."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.companies_selectors import company_people
from hongyan.contacts.listing import contact_rows
from hongyan.contacts.models import Company
from hongyan.contacts.timeline_companies import events_of_people
from hongyan.contacts.types import ContactRow
from hongyan.web.contacts.timeline import Item
from hongyan.web.contacts.timeline_events import item_of_event

PEOPLE = 500  # the newest people of the company that are looked at
SHOWN = 60


@dataclass(frozen=True, slots=True)
class PersonsItem:
    person: ContactRow
    item: Item


def company_timeline(*, actor: Actor, company: Company) -> list[tuple[date, list[PersonsItem]]]:
    """The latest events of these people by day; mails stand on the pages of the people."""
    ids, _more = company_people(actor=actor, company_id=company.pk, limit=PEOPLE)
    events = events_of_people(actor=actor, contact_ids=ids, limit=SHOWN)
    wanted = list(dict.fromkeys(event.contact_id for event in events if event.contact_id is not None))
    people = {row.id: row for row in contact_rows(actor=actor, contact_ids=wanted)}
    clear = actor.may(Permission.CONTACT_IDENTITY)
    days: dict[date, list[PersonsItem]] = {}
    for event in events:
        person = people.get(event.contact_id or 0)
        if person is not None:
            item = item_of_event(event, clear=clear)
            days.setdefault(timezone.localtime(event.occurred_at).date(), []).append(PersonsItem(person, item))
    return list(days.items())

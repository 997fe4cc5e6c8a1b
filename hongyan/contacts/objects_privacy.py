"""Objects, notes, companies and the trail of whom users opened: what of it is about a person, and how it goes."""

from typing import Any

from django.db import connection

from hongyan.contacts.merging import register_staying, register_tables
from hongyan.contacts.models import Contact, ContactNote, ObjectRecord, RecentContact
from hongyan.contacts.objects_selectors import objects_of_contacts
from hongyan.contacts.owned import Owned
from hongyan.contacts.timeline_notes import note_texts
from hongyan.core.sql import statement

TABLES = ("contacts_objectrecord", "contacts_contactnote", "contacts_recentcontact", "contacts_companymerge")
KEPT = {
    "contacts.ObjectRecord": "with the contact",
    "contacts.ContactNote": "with the contact",
    "contacts.RecentContact": "with the contact; the newest 30 of each user",
    "contacts.CompanyMerge": "for good; ids of people only while they exist",
}


def held(contact: Contact) -> dict[str, Any]:
    """Opened, for the person's own copy. The caller has checked."""
    notes = list(ContactNote.objects.filter(contact=contact).order_by("created_at", "id"))
    objects = objects_of_contacts([contact.pk], limit=100_000)[contact.pk]
    company = contact.company
    return {
        "company_linked": {"name": company.name, "domain": company.domain} if company is not None else None,
        "objects": {
            key: [
                {
                    "external_id": row.external_id,
                    "title": row.title,
                    "values": dict(row.values),
                    "source": row.source,
                    "created_at": row.created_at,
                    "updated_at": row.updated_at,
                }
                for row in rows
            ]
            for key, rows in objects.items()
        },
        "staff_notes": [
            {"text": text, "author": note.author_label, "at": note.created_at, "edited_at": note.edited_at}
            for note, text in zip(notes, note_texts(notes), strict=True)
        ],
    }


def erase(contact_id: int) -> int:
    """Explicitly and counted, rather than by the cascade of the contact."""
    rows = ObjectRecord.objects.filter(contact_id=contact_id).delete()[0]
    rows += ContactNote.objects.filter(contact_id=contact_id).delete()[0]
    rows += RecentContact.objects.filter(contact_id=contact_id).delete()[0]
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.contacts", "objects.sql", "forget_merged"), {"contact_id": contact_id})
    return rows


def register_moving() -> None:
    """How the rows follow when two records become one."""
    register_tables(
        "objects_and_notes",
        Owned("contacts_objectrecord"),
        Owned("contacts_contactnote"),
        Owned("contacts_recentcontact", once=(("user_id",),)),
    )
    register_staying("contacts_companymerge", "whom a merge of companies moved, by the number they had then")

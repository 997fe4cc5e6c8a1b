"""After an erasure nothing that was known of the person can be found in any table, in clear or opened with the keys."""

import pytest
from django.db import connection

from hongyan.accounts.types import system_actor
from hongyan.contacts.consent import refusals
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.errors import ContactNotFound
from hongyan.contacts.models import Contact, Suppression
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.core import clock
from hongyan.delivery.models import CaughtMail, Message
from hongyan.delivery.outbox import dispatch
from hongyan.delivery.types import MessageState, Origin
from hongyan.events.models import Event
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.delivery import factory

ACTOR = system_actor("test")
CANARY = "Xanthippe"
VALUES = {
    "full_name": f"{CANARY} Quell",
    "email": f"{CANARY}@example.com",
    "phone": "+442079460018",
    "street": f"{CANARY} Lane 7",
    "notes": f"asks for {CANARY}",
    "birth_date": "1971-03-02",
    "city": "Leeds",
    "country": "GB",
}


def _tables_with(needle: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        names = [row[0] for row in cursor.fetchall()]
        found = []
        for name in names:
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{name}" t WHERE t::text ILIKE %s)', [f"%{needle}%"])
            row = cursor.fetchone()
            if row and row[0]:
                found.append(name)
        return found


@pytest.fixture
def person(db: None) -> Contact:
    made = contact_create(actor=ACTOR, values=ContactValues(VALUES), source="test")
    factory.agree(made)
    append([NewEvent(made.pk, "form_submitted", clock.now(), "web", {"answer": CANARY})])
    dispatch(
        origin=Origin.starting("campaign", 1),
        content_version_id=factory.content().pk,
        sender_id=factory.sender().pk,
        topic_id=factory.topic().pk,
        members=factory.everybody(),
        due_at=clock.now(),
    )
    for address in (VALUES["email"], "somebody-else@example.com"):
        CaughtMail.objects.create(
            received_at=clock.now(), mail_from="shop@example.com", rcpt_to=address.lower(), subject="Hello", size=5,
            raw=b"Hello",
        )  # fmt: skip
    return made


def test_nothing_in_clear_even_before(person: Contact) -> None:
    """Free properties of events are the sender's words, the catcher shows what came; all else is sealed or hashed."""
    assert {name for name in _tables_with(CANARY) if not name.startswith("events_event")} == {"delivery_caughtmail"}


def test_erasure_reaches_every_room(person: Contact) -> None:
    pk, public_id = person.pk, person.public_id
    receipt = contact_erase(actor=ACTOR, contact_id=pk, reason="request")
    assert {"analytics", "audience", "delivery", "events"} <= set(receipt.removed)
    assert _tables_with(CANARY) == []
    assert CaughtMail.objects.get().rcpt_to == "somebody-else@example.com"
    assert not Contact.objects.filter(pk=pk).exists()
    assert not Event.objects.filter(contact_id=pk).exists()
    message = Message.objects.get()
    assert message.contact_id is None
    assert message.state != MessageState.QUEUED
    with pytest.raises(ContactNotFound):
        contact_by_public_id(actor=ACTOR, public_id=public_id)


def test_the_address_stays_suppressed_when_it_comes_back(person: Contact) -> None:
    contact_erase(actor=ACTOR, contact_id=person.pk, reason="request")
    assert set(Suppression.objects.values_list("kind", "reason")) == {("email", "erased"), ("phone", "erased")}
    again = contact_create(actor=ACTOR, values=ContactValues({"email": VALUES["email"]}), source="test")
    factory.agree(again)
    why = refusals([again.pk], topic_id=factory.topic().pk, transactional=False)
    assert why == {again.pk: "suppressed_erased"}


def test_the_two_ways_to_ask_about_suppression_agree(person: Contact) -> None:
    """One person at a time and a whole audience: the same answer for every reason."""
    from hongyan.contacts.consent import refusals_sql
    from hongyan.contacts.suppression import suppress
    from hongyan.contacts.types import SuppressionReason

    people = [factory.contact(email=f"p{number}@example.org") for number in range(8)]
    for someone, reason in zip(people, SuppressionReason, strict=False):
        suppress(actor=ACTOR, kind="email", value=f"p{people.index(someone)}@example.org", reason=reason)
    suppress(actor=ACTOR, kind="email", value="p0@example.org", reason=SuppressionReason.HARD_BOUNCE)
    suppress(actor=ACTOR, kind="domain", value="example.net", reason=SuppressionReason.MANUAL)
    at_domain = factory.contact(email="q@example.net")
    Contact.objects.filter(pk=at_domain.pk).update(email_domain="example.net")
    for transactional in (False, True):
        asked = refusals_sql(topic_id=factory.topic().pk, transactional=transactional)
        with connection.cursor() as cursor:
            cursor.execute(asked.text, asked.params)
            whole = dict(cursor.fetchall())
        single = refusals(list(whole), topic_id=factory.topic().pk, transactional=transactional)
        assert whole == single
        assert whole[at_domain.pk] == "suppressed_manual"

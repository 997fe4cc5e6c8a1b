"""What follows a merge: addresses, consent, mails, values, erasure, export; and what happens at the same time."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from hongyan.accounts.permissions import Role
from hongyan.accounts.types import Actor
from hongyan.contacts import bulk
from hongyan.contacts.bulk_rows import RowMaker, UpsertPolicy
from hongyan.contacts.consent import history_of
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.errors import ContactMerged, ContactNotFound
from hongyan.contacts.merging import ids_of, register_staying, tables_with_answer
from hongyan.contacts.models import ConsentRecord, Contact, Identifier
from hongyan.contacts.profiles import values_of
from hongyan.contacts.resolution import Key, resolve
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.services import contact_update
from hongyan.contacts.types import ConsentAction, ContactValues
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import SQL
from hongyan.delivery.models import Message
from hongyan.delivery.outbox import dispatch
from hongyan.delivery.selectors import message_facts
from hongyan.delivery.types import MessageKey, MessageState, Origin
from hongyan.events.models import Event
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.identity import privacy
from hongyan.identity.errors import AlreadyMerged, UnmergeRefused
from hongyan.identity.explaining import explain, value_choose
from hongyan.identity.merging import follow, merge, unmerge, unmerge_from_below
from hongyan.identity.models_merging import KeptValues, Merge
from hongyan.identity.rules import rule_set
from hongyan.identity.types import MergeReason, Rule, Why
from tests.browser import staff
from tests.contacts.test_erasure_everywhere import _tables_with
from tests.delivery import factory
from tests.identity.people import ACTOR, START, consent, dump, person, standing, tables_about_contacts, topic_id


def _merge(survivor: Contact, loser: Contact, **more: Any) -> Merge:
    return merge(actor=ACTOR, survivor_id=survivor.pk, loser_id=loser.pk, reason=MergeReason.MANUAL, **more)


def _active(contact: Contact, day: int) -> None:
    Contact.objects.filter(pk=contact.pk).update(last_activity_at=START + timedelta(days=day))


def _campaign(number: int, *people: Contact) -> None:
    dispatch(
        origin=Origin.starting("campaign", number, at=START),
        content_version_id=factory.content().pk,
        sender_id=factory.sender().pk,
        topic_id=topic_id(),
        members=SQL("SELECT id FROM contacts_contact WHERE id = ANY(%(a0)s)", {"a0": [one.pk for one in people]}),
        due_at=START,
    )


@pytest.mark.django_db
def test_every_table_with_a_contact_is_moved_or_says_why_not() -> None:
    missing = tables_about_contacts().keys() - tables_with_answer().keys() - {"contacts_contact"}
    assert missing == set(), "register a mover (contacts.merging) or say why the rows stay (register_staying)"
    with pytest.raises(AssertionError):
        assert tables_about_contacts().keys() - (tables_with_answer().keys() - {"events_event"}) <= {"contacts_contact"}
    assert register_staying is not None


@pytest.mark.django_db
def test_fields_follow_the_record_that_was_active_last() -> None:
    one = person(full_name="王小明", email="a@example.com", city="上海")
    two = person(full_name="王晓明", email="b@example.com", phone="+8613800138000")
    _active(one, 1)
    _active(two, 5)
    _merge(one, two)
    one.refresh_from_db()
    values = values_of(one)
    assert (values["full_name"], values["given_name"], values["email"]) == ("王晓明", "晓明", "b@example.com")
    assert (values["city"], values["phone"]) == ("上海", "+8613800138000")
    kinds = sorted(Identifier.objects.filter(contact=one).values_list("kind", flat=True))
    assert kinds == ["email", "email", "phone"]


@pytest.mark.django_db
def test_rules_of_the_organisation_decide() -> None:
    one, two = person(company="鸿雁商贸有限公司", email="a@example.com"), person(company="鸿雁", email="b@example.com")
    _active(two, 5)
    rule_set(actor=ACTOR, field="company", rule=Rule.LONGEST)
    _merge(one, two)
    one.refresh_from_db()
    assert values_of(one)["company"] == "鸿雁商贸有限公司"


@pytest.mark.django_db
def test_why_a_value_stands_and_letting_another_one_stand() -> None:
    one, two = person(full_name="Ada", email="a@example.com"), person(full_name="Ada L", email="b@example.com")
    _active(two, 5)
    made = _merge(one, two)
    why = explain(actor=ACTOR, contact=Contact.objects.get(pk=one.pk), field="email")
    assert (why.value, why.why, why.locked) == ("b@example.com", Why.ACTIVITY, False)
    assert [other.value for other in why.others] == ["a@example.com"]
    value_choose(actor=ACTOR, contact_id=one.pk, field="email", index=0)
    why = explain(actor=ACTOR, contact=Contact.objects.get(pk=one.pk), field="email")
    assert (why.value, why.locked, [other.value for other in why.others]) == ("a@example.com", True, ["b@example.com"])
    unmerge(actor=ACTOR, merge_id=made.pk)
    one, two = Contact.objects.get(pk=one.pk), Contact.objects.get(pk=two.pk)
    assert (values_of(one)["email"], values_of(two)["email"]) == ("a@example.com", "b@example.com")
    assert not KeptValues.objects.filter(contact=two).exists()


@pytest.mark.django_db
def test_a_fixed_value_is_not_overwritten_by_sources_or_merges() -> None:
    one, two = person(full_name="Ada", email="a@example.com"), person(full_name="Eve", email="b@example.com")
    _active(two, 5)
    _merge(one, two, choices={"full_name": "survivor"})
    maker = RowMaker(blind=keyring().blind, source="import:9", at=clock.now())
    row = maker.contact_row(
        ref=1, identity={"email": "a@example.com", "full_name": "Somebody", "company": "X"}, plain={}, attributes={}
    )
    bulk.upsert([row], policy=UpsertPolicy.UPDATE, match_on="email", maker=maker, connection=connection)
    contact_update(actor=ACTOR, contact_id=one.pk, changes=ContactValues({"full_name": "Bot"}), source="api")
    three = person(full_name="Zoe", email="c@example.com")
    _active(three, 9)
    _merge(Contact.objects.get(pk=one.pk), three)
    values = values_of(Contact.objects.get(pk=one.pk))
    assert (values["full_name"], values["company"]) == ("Ada", "X")


@pytest.mark.django_db
def test_consent_takes_the_stricter_and_the_ledger_says_so() -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    consent(one, ConsentAction.GIVEN)
    consent(two, ConsentAction.GIVEN)
    consent(two, ConsentAction.WITHDRAWN, day=3)
    made = _merge(one, two)
    assert standing(one.pk) == {("email", "promotion"): "withdrawn"}
    written = ConsentRecord.objects.get(method="merge")
    assert (written.contact_id, written.action) == (one.pk, "withdrawn")
    assert len(history_of(actor=ACTOR, contact_id=one.pk)) == 4
    unmerge(actor=ACTOR, merge_id=made.pk)
    assert standing(one.pk) == {("email", "promotion"): "given"}
    assert standing(two.pk) == {("email", "promotion"): "withdrawn"}


@pytest.mark.django_db
def test_consent_to_another_mailbox_is_none_for_the_one_that_stays() -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    consent(two, ConsentAction.GIVEN)
    _active(one, 5)
    _merge(one, two)
    assert standing(one.pk) == {("email", "promotion"): "none"}


@pytest.mark.django_db
def test_a_withdrawal_after_the_merge_holds_for_both_when_it_is_undone() -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    for someone in (one, two):
        consent(someone, ConsentAction.GIVEN)
    made = _merge(one, two)
    consent(one, ConsentAction.WITHDRAWN, day=5)
    unmerge(actor=ACTOR, merge_id=made.pk)
    assert standing(one.pk) == standing(two.pk) == {("email", "promotion"): "withdrawn"}


@pytest.mark.django_db
def test_nobody_gets_the_same_mail_twice() -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    _campaign(1, one, two)
    _campaign(2, one, two)
    _campaign(3, two)
    Message.objects.filter(contact_id=two.pk, origin_id=2).update(state=MessageState.SENT, wake_at=None)
    made = _merge(one, two)
    rows = {(row.origin_id, row.state, row.reason) for row in Message.objects.filter(contact_id=one.pk)}
    assert rows == {(1, MessageState.QUEUED, ""), (2, MessageState.SENT, ""), (3, MessageState.QUEUED, "")}
    cancelled = Message.objects.filter(state=MessageState.CANCELLED, reason="merged")
    assert {row.contact_id for row in cancelled} == {two.pk}
    keys = [MessageKey(row.pk, row.month) for row in Message.objects.all()]
    assert {facts.contact_id for facts in message_facts(keys).values()} == {one.pk}
    unmerge(actor=ACTOR, merge_id=made.pk)
    assert not Message.objects.filter(reason="merged").exists()
    assert Message.objects.filter(contact_id=two.pk).count() == 3


@pytest.mark.django_db
def test_what_a_merge_cancelled_long_ago_stays_cancelled() -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    _campaign(1, one, two)
    made = _merge(one, two)
    with clock.freeze(clock.now() + timedelta(days=3)):
        unmerge(actor=ACTOR, merge_id=made.pk)
    assert Message.objects.get(contact_id=two.pk).state == MessageState.CANCELLED


@pytest.mark.django_db
def test_rows_of_a_transaction_that_began_before_are_gathered() -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    made = _merge(one, two)
    append([NewEvent(two.pk, "email_sent", START, "delivery")])  # a worker that had read the old number
    assert follow([made]) == 1
    assert follow([made]) == 0
    assert Event.objects.get(name="email_sent").contact_id == one.pk
    unmerge(actor=ACTOR, merge_id=made.pk)
    assert Event.objects.get(name="email_sent").contact_id == two.pk


@pytest.mark.django_db
def test_merges_are_undone_from_the_top_or_with_those_on_top() -> None:
    one, two, three = (person(email=f"{name}@example.com", full_name=name) for name in "abc")
    for day, someone in enumerate((one, two, three)):
        _active(someone, day)
    first = _merge(one, two)
    second = _merge(three, one)
    with pytest.raises(UnmergeRefused) as refused:
        unmerge(actor=ACTOR, merge_id=first.pk)
    assert (refused.value.code, refused.value.blockers) == ("newer_first", (second,))
    unmerge_from_below(actor=ACTOR, merge_id=first.pk)
    assert values_of(Contact.objects.get(pk=two.pk))["email"] == "b@example.com"
    assert ids_of(three.pk) == [three.pk, one.pk]
    with pytest.raises(UnmergeRefused, match="undone"):
        unmerge(actor=ACTOR, merge_id=first.pk)
    unmerge(actor=ACTOR, merge_id=Merge.objects.get(undone_at=None).pk)
    assert Contact.objects.count() == 3


@pytest.mark.django_db
def test_an_address_that_somebody_else_took_since_cannot_be_given_back() -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    _active(two, 5)
    made = _merge(one, two)
    contact_update(actor=ACTOR, contact_id=one.pk, changes=ContactValues({"email": "z@example.com"}), source="staff")
    person(email="b@example.com")
    before = dump()
    with pytest.raises(UnmergeRefused, match="identifier_taken"):
        unmerge(actor=ACTOR, merge_id=made.pk)
    assert dump() == before


@pytest.mark.django_db
def test_what_was_written_since_the_merge_stays_with_the_survivor() -> None:
    one, two = person(email="a@example.com", city="上海"), person(email="b@example.com", city="Leeds")
    _active(two, 5)
    made = _merge(one, two)
    contact_update(actor=ACTOR, contact_id=one.pk, changes=ContactValues({"city": "深圳"}), source="staff")
    append([NewEvent(one.pk, "page_viewed", START, "web")])
    unmerge(actor=ACTOR, merge_id=made.pk)
    assert values_of(Contact.objects.get(pk=one.pk)) == {
        "email": "a@example.com",
        "city": "深圳",
    }
    assert values_of(Contact.objects.get(pk=two.pk))["city"] == "Leeds"
    assert Event.objects.get(name="page_viewed").contact_id == one.pk


@pytest.mark.django_db
def test_erasing_the_survivor_erases_both_profiles() -> None:
    one, two = (
        person(email="a@example.com", notes="asks Xanthippe"),
        person(email="b@example.com", full_name="Xanthippe"),
    )
    consent(two, ConsentAction.GIVEN)
    made = _merge(one, two)
    contact_erase(actor=ACTOR, contact_id=one.pk, reason="request")
    made.refresh_from_db()
    assert (made.sealed, made.erased) == (None, True)
    assert _tables_with("Xanthippe") == []
    assert not ConsentRecord.objects.filter(contact_id__isnull=False).exists()
    for someone in (one, two):
        with pytest.raises(ContactNotFound):
            contact_by_public_id(actor=ACTOR, public_id=someone.public_id)
    with pytest.raises(UnmergeRefused, match="erased"):
        unmerge(actor=ACTOR, merge_id=made.pk)


@pytest.mark.django_db
def test_the_copy_of_a_merged_person_has_both_records() -> None:
    one, two = person(email="a@example.com", full_name="Ada"), person(email="b@example.com", full_name="Ada L")
    _merge(one, two)
    copy = [row for row in privacy.export(actor=ACTOR, contact_id=one.pk) if row["kind"] == "merged_record"]
    assert [row["values"]["email"] for row in copy] == ["b@example.com"]


@pytest.mark.django_db
def test_old_addresses_lead_to_the_survivor(client: Client) -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    _merge(one, two)
    with pytest.raises(ContactMerged) as moved:
        contact_by_public_id(actor=ACTOR, public_id=two.public_id)
    assert moved.value.into == one.public_id
    client.force_login(staff(Role.MARKETER))
    answer = client.get(f"/contacts/{two.public_id}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/contacts/{one.public_id}/")
    answer = client.get(f"/duplicates/contact/{two.public_id}/why/email/?x=1")
    assert (answer.status_code, answer["Location"]) == (301, f"/duplicates/contact/{one.public_id}/why/email/?x=1")
    assert answer["Cache-Control"] == "no-store"
    answer = client.post(f"/contacts/{two.public_id}/edit/", {})
    assert (answer.status_code, answer["Location"]) == (303, f"/contacts/{one.public_id}/")


@pytest.mark.django_db
def test_exact_keys_name_the_strongest_first() -> None:
    one = person(email="a@example.com", external_id="A1")
    two = person(phone="+8613800138000", full_name="x", external_id="B2")
    found = resolve([Key("phone", "+8613800138000"), Key("external_id", "A1"), Key("email", "A@example.com")])
    assert (found.contact_id, found.kinds) == (one.pk, ("external_id", "email"))
    assert [(other.contact_id, other.kinds, other.conflicting) for other in found.others] == [
        (two.pk, ("phone",), True)
    ]
    assert resolve([Key("email", "nobody@example.com")]).contact_id is None
    assert resolve([]).contact_id is None


@pytest.mark.django_db
def test_a_merge_needs_its_permission() -> None:
    from hongyan.accounts.errors import PermissionRefused

    one, two = person(email="a@example.com"), person(email="b@example.com")
    nobody = Actor(kind="user", id=1, label="x", permissions=frozenset())
    with pytest.raises(PermissionRefused):
        merge(actor=nobody, survivor_id=one.pk, loser_id=two.pk, reason=MergeReason.MANUAL)


def _together(*acts: Any) -> list[Any]:
    """Run at the same time, each on a connection of its own; what each returned or raised."""
    gate = threading.Barrier(len(acts))
    done: list[Any] = [None] * len(acts)

    def run(place: int, act: Any) -> None:
        gate.wait()
        try:
            done[place] = act()
        except Exception as error:  # noqa: BLE001  handed to the test
            done[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


@pytest.mark.django_db(transaction=True)
def test_two_merges_of_the_same_pair_at_once_make_one() -> None:
    for number in range(5):
        one, two = person(email=f"a{number}@example.com"), person(email=f"b{number}@example.com")
        done = _together(lambda: _merge(one, two), lambda: _merge(two, one))  # noqa: B023
        assert [type(result) for result in done if not isinstance(result, Merge)] == [AlreadyMerged]
        assert Contact.objects.filter(pk__in=[one.pk, two.pk]).count() == 1
    assert Merge.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_an_edit_at_the_same_time_is_in_the_merge_or_refused() -> None:
    for number in range(5):
        one, two = person(email=f"a{number}@example.com"), person(email=f"b{number}@example.com", city="Leeds")
        edit = ContactValues({"city": "深圳"})
        done = _together(
            lambda: _merge(one, two),  # noqa: B023
            lambda: contact_update(actor=ACTOR, contact_id=two.pk, changes=edit, source="staff"),  # noqa: B023
        )
        assert isinstance(done[0], Merge)
        city = values_of(Contact.objects.get(pk=one.pk))["city"]
        assert city == ("Leeds" if isinstance(done[1], ContactMerged) else "深圳")


@pytest.mark.django_db(transaction=True)
def test_a_merge_during_a_send_sends_once() -> None:
    """The journal asks for the row before the final dot: cancelled ones are let go."""
    one, two = person(email="a@example.com"), person(email="b@example.com")
    _campaign(1, one, two)
    Message.objects.filter(contact_id=two.pk).update(state=MessageState.CLAIMED, fence=7, wake_at=None)
    _merge(one, two)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE delivery_message SET state = 2 WHERE state = 1 AND fence = 7 RETURNING id")
        assert cursor.fetchall() == []
    assert sorted(Message.objects.values_list("state", flat=True)) == [MessageState.QUEUED, MessageState.CANCELLED]

"""The change log names everybody about whom something changed, however it was written, and readers miss nobody."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from hongyan.accounts.types import system_actor
from hongyan.audience import lists
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.tagging.tags import tag_change_undo, tag_contacts, untag_contacts
from hongyan.audience.tagging.taxonomy import tag_for_key
from hongyan.commerce.facts import facts_renew
from hongyan.contacts import bulk, companies, companies_linking, objects, objects_types, touched
from hongyan.contacts.activity import mark_active
from hongyan.contacts.bulk_consent import Grant
from hongyan.contacts.bulk_rows import RowMaker, UpsertPolicy
from hongyan.contacts.consent import consent_record, unsubscribe
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.models import Contact, Topic, TouchedReader
from hongyan.contacts.objects import ObjectIn
from hongyan.contacts.services import contact_create, contact_update
from hongyan.contacts.touched import Cursor, Kind, touched_after, touched_since
from hongyan.contacts.types import ConsentAction, ContactChanges, ContactValues, Evidence
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.core.dsn import connection_parameters
from hongyan.identity import merging
from hongyan.identity.types import MergeReason
from tests.commerce.factory import line, order, put

ACTOR = system_actor("test")
PROOF = Evidence(method="staff", occurred_at=clock.now())

# One line a contact with everything a condition can ask about them beside events.
_EVERYTHING = """
SELECT c.id, md5(concat_ws('|', c::text,
    (SELECT string_agg(s::text, ',' ORDER BY s.id) FROM contacts_consentstate s WHERE s.contact_id = c.id),
    (SELECT string_agg(t::text, ',' ORDER BY t.tag_id) FROM audience_contacttag t WHERE t.contact_id = c.id),
    (SELECT string_agg(l::text, ',' ORDER BY l.list_id) FROM audience_listmember l WHERE l.contact_id = c.id),
    (SELECT string_agg(o::text, ',' ORDER BY o.id) FROM contacts_objectrecord o WHERE o.contact_id = c.id),
    (SELECT f::text FROM commerce_contactfacts f WHERE f.contact_id = c.id),
    (SELECT y::text FROM contacts_company y WHERE y.id = c.company_id)
)) FROM contacts_contact c
"""


def everything() -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(_EVERYTHING)
        return dict(cursor.fetchall())


def person(email: str = "", **values: Any) -> Contact:
    return contact_create(actor=ACTOR, values=ContactValues({"email": email, **values}), source="test")


class World:
    """People with something of everything, so that each act has something to change."""

    def __init__(self) -> None:
        self.people = [person(f"p{n}@acme.example", full_name="Li Wei", city="上海") for n in range(4)]
        self.ids = [one.pk for one in self.people]
        self.tag = tag_for_key(actor=ACTOR, key="vip")
        self.list = lists.list_create(actor=ACTOR, name="Fair")
        self.company = companies.company_upsert(actor=ACTOR, source="test", name="Acme")
        self.other = companies.company_upsert(actor=ACTOR, source="test", name="Initech")
        objects_types.object_type_create(
            actor=ACTOR, key="pet", label_zh="宠物", label_en="Pet", fields=[{"key": "kind", "type": "text"}]
        )
        tag_contacts(actor=ACTOR, tag=self.tag, contact_ids=self.ids[:2])
        lists.list_add(actor=ACTOR, contact_list=self.list, contact_ids=self.ids[:2])
        companies.company_assign(actor=ACTOR, company_id=self.company.pk, contact_ids=self.ids[:2])
        self.give(self.ids[0])
        objects.objects_upsert(
            actor=ACTOR,
            type_key="pet",
            rows=[ObjectIn(external_id="tom", contact_id=self.ids[0], values={"kind": "cat"})],
            source="test",
        )
        put(order("A-1", line("tea"), email="p0@acme.example"))

    def give(self, contact_id: int) -> None:
        consent_record(
            actor=ACTOR,
            contact_id=contact_id,
            channel="email",
            topic_key=Topic.objects.earliest("id").key,
            action=ConsentAction.GIVEN,
            evidence=PROOF,
        )


def _import(world: World) -> None:
    """As an import does: some are here, most are new, all are said to agree."""
    maker = RowMaker(keyring().blind, "import", clock.now())
    rows = [
        maker.contact_row(ref=n, identity={"email": f"p{n}@acme.example"}, plain={"city": "北京"}, attributes={})
        for n in range(2, 300)
    ]
    grant = Grant((Topic.objects.earliest("id").pk,), "They agreed.", "import:1", "import")
    outcomes = bulk.upsert(
        rows, policy=UpsertPolicy.UPDATE, match_on="email", maker=maker, connection=connection, consent=grant
    )
    assert {outcome.outcome.value for outcome in outcomes} == {"created", "updated"}


def _merge(world: World) -> Any:
    return merging.merge(actor=ACTOR, survivor_id=world.ids[1], loser_id=world.ids[0], reason=MergeReason.MANUAL)


def _unmerge(world: World) -> None:
    made = _merge(world)
    before = _mark()
    changed = everything()
    merging.unmerge(actor=ACTOR, merge_id=made.pk)
    assert world.ids[0] in everything()
    assert _changed(changed) <= _after(before)


def _undo_tags(world: World) -> None:
    outcome = tag_contacts(actor=ACTOR, tag=world.tag, contact_ids=world.ids)
    assert outcome.change_id is not None
    tag_change_undo(actor=ACTOR, public_id=outcome.change_id)


def _link(world: World) -> None:
    companies.company_update(actor=ACTOR, company_id=world.other.pk, values={"domain": "acme.example"})
    Contact.objects.filter(pk__in=world.ids).update(company=None)
    companies_linking.link_run(make=False, source="test", progress=lambda *_: None)
    assert set(Contact.objects.filter(company=world.other).values_list("pk", flat=True)) == set(world.ids)


def _sql(text: str) -> Callable[["World"], None]:
    def act(_: World) -> None:
        with connection.cursor() as cursor:
            cursor.execute(text)

    return act


ACTS: dict[str, Callable[[World], object]] = {
    "create": lambda _: person("new@acme.example"),
    "update": lambda w: contact_update(
        actor=ACTOR, contact_id=w.ids[0], changes=ContactChanges({"city": "广州"}), source="staff"
    ),
    "erase": lambda w: contact_erase(actor=ACTOR, contact_id=w.ids[0], reason="request"),
    "erase one with nothing": lambda w: contact_erase(actor=ACTOR, contact_id=w.ids[3], reason="request"),
    "import": _import,
    "consent": lambda w: w.give(w.ids[2]),
    "unsubscribe": lambda w: unsubscribe(actor=ACTOR, contact_id=w.ids[0], topic_key=None, evidence=PROOF),
    "tag many": lambda w: tag_contacts(actor=ACTOR, tag=w.tag, contact_ids=w.ids),
    "untag": lambda w: untag_contacts(actor=ACTOR, tag=w.tag, contact_ids=w.ids),
    "undo tagging": _undo_tags,
    "delete a tag": lambda w: w.tag.delete(),
    "delete a tag by hand": _sql(
        "DELETE FROM audience_tagchangeitem; DELETE FROM audience_tagchange; DELETE FROM audience_tag WHERE key = 'vip'"
    ),
    "add to a list": lambda w: lists.list_add(actor=ACTOR, contact_list=w.list, contact_ids=w.ids),
    "take off a list": lambda w: lists.list_remove(actor=ACTOR, contact_list=w.list, contact_ids=w.ids[:1]),
    "delete a list": lambda w: lists.list_delete(actor=ACTOR, contact_list=w.list),
    "company changes": lambda w: companies.company_update(
        actor=ACTOR, company_id=w.company.pk, values={"industry": "tea"}
    ),
    "company of people": lambda w: companies.company_assign(actor=ACTOR, company_id=w.other.pk, contact_ids=w.ids[1:3]),
    "companies merge": lambda w: companies.company_merge(actor=ACTOR, survivor_id=w.other.pk, loser_id=w.company.pk),
    "companies unmerge": lambda w: companies.company_unmerge(
        actor=ACTOR,
        merge_id=companies.company_merge(actor=ACTOR, survivor_id=w.other.pk, loser_id=w.company.pk).pk,
    ),
    "people are linked to companies": _link,
    "object moves": lambda w: objects.object_upsert(
        actor=ACTOR, type_key="pet", external_id="tom", contact_id=w.ids[3], values={"kind": "dog"}
    ),
    "object goes": lambda _: objects.object_remove(actor=ACTOR, type_key="pet", external_id="tom"),
    "order": lambda _: put(order("A-2", line("cup"), email="p1@acme.example")),
    "facts are renewed": lambda w: facts_renew(w.ids),
    "merge": _merge,
    "unmerge": _unmerge,
    "raw statement": _sql("UPDATE contacts_contact SET region = region || 'x'"),
    "raw deletion": _sql("DELETE FROM contacts_consentstate"),
}


def _mark() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM contacts_touched")
        return int(cursor.fetchone()[0])


def _after(mark: int) -> set[int]:
    """Whom rows after this one name, companies by whose they are now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT unnest(contact_ids) FROM contacts_touched WHERE id > %s UNION "
            "SELECT c.id FROM contacts_contact c JOIN contacts_touched t ON c.company_id = ANY(t.company_ids) "
            "WHERE t.id > %s",
            [mark, mark],
        )
        return {row[0] for row in cursor.fetchall()}


def _changed(before: dict[int, str]) -> set[int]:
    after = everything()
    return {pk for pk in before.keys() | after.keys() if before.get(pk) != after.get(pk)}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ACTS)
def test_whoever_writes_leaves_a_touch(name: str) -> None:
    world = World()
    before, mark = everything(), _mark()
    ACTS[name](world)
    changed = _changed(before)
    assert changed or name in {"facts are renewed", "undo tagging", "unmerge", "companies unmerge"}
    assert changed <= _after(mark)


@pytest.mark.django_db
def test_what_is_written_together_is_one_row_a_table() -> None:
    world = World()
    mark = _mark()
    _import(world)
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, cardinality(contact_ids) FROM contacts_touched WHERE id > %s ORDER BY id", [mark])
        rows = cursor.fetchall()
    # New people and changed ones, consents of new people and of those who were here.
    assert sorted(rows) == [("consent", 2), ("consent", 296), ("contact", 2), ("contact", 296)]


@pytest.mark.django_db
def test_what_touches_nobody_leaves_nothing() -> None:
    World()
    mark = _mark()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audience_contacttag WHERE false")
        cursor.execute("UPDATE contacts_contact SET city = 'x' WHERE false")
        cursor.execute("DELETE FROM audience_tag WHERE id = -1")
    assert _mark() == mark


@pytest.mark.django_db
def test_activity_alone_is_told_apart() -> None:
    one = person("li@acme.example")
    mark = _mark()
    mark_active({one.pk: datetime(2026, 1, 2, tzinfo=UTC)})
    Contact.objects.filter(pk=one.pk).update(city="x")
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind FROM contacts_touched WHERE id > %s ORDER BY id", [mark])
        assert [row[0] for row in cursor.fetchall()] == ["activity", "contact"]


@pytest.mark.django_db
def test_every_table_conditions_ask_is_watched() -> None:
    """A field of the catalogue whose table leaves no touch would make copies of it wrong without anybody noticing."""
    asked = {spec.table for spec in catalogue_now().fields.values() if spec.table}
    asked |= {"contacts_contact", "contacts_consentstate", "contacts_objectrecord"}
    asked |= {"audience_contacttag", "audience_listmember"}
    assert asked <= touched.tables_with_triggers()


# ——— readers


@pytest.fixture
def other() -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    with psycopg.connect(**connection_parameters()) as link:
        yield link


def ids(rows: list[touched.Touched]) -> set[int]:
    return {pk for row in rows for pk in row.contact_ids}


@pytest.mark.django_db(transaction=True)
def test_a_reader_never_misses_a_slow_writer(other: "psycopg.Connection[tuple[Any, ...]]") -> None:
    slow, quick = person("slow@acme.example"), person("quick@acme.example")
    _, start = touched_after(Cursor())
    other.execute("UPDATE contacts_contact SET city = 'late' WHERE id = %s", [slow.pk])
    Contact.objects.filter(pk=quick.pk).update(city="early")
    rows, cursor = touched_after(start)
    assert not rows  # the quick one waits for the slow one, which began before
    assert cursor == start
    assert set(touched_since(touched.horizon())) == {quick.pk}  # a question sees it at once
    other.commit()
    rows, cursor = touched_after(cursor)
    assert ids(rows) == {slow.pk, quick.pk}
    assert touched_after(cursor) == ([], cursor)
    assert set(touched_since(touched.horizon())) == set()


@pytest.mark.django_db(transaction=True)
def test_who_joins_a_company_while_it_changes_is_told_with_it(other: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """The company is written while the one who joins is not committed: no writer sees both, but the reader does."""
    company = companies.company_upsert(actor=ACTOR, source="test", name="Acme")
    joining = person("p@acme.example")
    _, start = touched_after(Cursor())
    other.execute("UPDATE contacts_contact SET company_id = %s WHERE id = %s", [company.pk, joining.pk])
    companies.company_update(actor=ACTOR, company_id=company.pk, values={"industry": "tea"})
    other.commit()
    rows, _ = touched_after(start)
    assert {row.kind for row in rows if joining.pk in row.contact_ids} == {Kind.CONTACT, Kind.COMPANY}


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_are_all_read() -> None:
    """Transactions that commit in any order, read while they go on: in the end everybody was named."""
    people = [person(f"p{n}@acme.example").pk for n in range(40)]
    _, cursor = touched_after(Cursor())
    failed: list[Exception] = []

    def write(own: list[int]) -> None:
        try:
            with psycopg.connect(**connection_parameters()) as link:
                for pk in own:
                    link.execute("UPDATE contacts_contact SET city = city || 'x' WHERE id = %s", [pk])
                    link.execute("SELECT pg_sleep(%s)", [(pk % 7) / 1000])
                    link.commit()
        except psycopg.Error as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(people[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    seen: set[int] = set()
    while any(thread.is_alive() for thread in threads):
        rows, cursor = touched_after(cursor, limit=3)
        seen |= ids(rows)
    while rows_left := touched_after(cursor)[0]:
        seen |= ids(rows_left)
        cursor = rows_left[-1].at
    assert not failed
    assert seen == set(people)


@pytest.mark.django_db(transaction=True)
def test_rows_stay_until_every_reader_has_passed() -> None:
    first, second = touched.reader_begin("first"), touched.reader_begin("second")
    pk = person("p@acme.example").pk
    rows, after = touched_after(first)
    assert ids(rows) == {pk}
    with transaction.atomic():
        assert touched.reader_place("first", lock=True) == first
        touched.reader_move("first", after)
    touched.prune(kept_s=0)
    assert ids(touched_after(second)[0]) == {pk}
    touched.reader_move("second", after)
    assert touched.prune(kept_s=60) == 0  # a question that began before may still look
    assert touched.prune(kept_s=0) == len(rows)
    assert touched.reader_begin("first") == after  # it keeps its place


@pytest.mark.django_db
def test_a_reader_away_for_long_loses_its_place() -> None:
    touched.reader_begin("gone")
    TouchedReader.objects.filter(name="gone").update(moved_at=datetime(2026, 1, 1, tzinfo=UTC))
    touched.prune()
    assert touched.reader_place("gone") is None


@pytest.mark.django_db(transaction=True)
def test_after_a_restore_into_another_cluster_readers_begin_anew() -> None:
    """Its transactions are counted from the start again: old places and rows lie in a future that never comes."""
    touched.reader_begin("copy")
    TouchedReader.objects.filter(name="copy").update(tx=10**15)
    person("p@acme.example")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_touched SET tx = '1000000000000000'::xid8")
    assert touched.prune() > 0
    place = touched.reader_begin("copy")
    assert place.tx < 10**15
    pk = person("q@acme.example").pk
    assert ids(touched_after(place)[0]) == {pk}

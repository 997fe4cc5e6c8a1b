"""The list of people against counting by hand."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor, system_actor
from hongyan.contacts import listing
from hongyan.contacts.consent import consent_record, unsubscribe
from hongyan.contacts.fields import field_create
from hongyan.contacts.identifiers import blind_of
from hongyan.contacts.listing import contact_count, contact_page, contact_page_counted, places_in_use
from hongyan.contacts.models import ConsentState, Contact, Suppression, Topic
from hongyan.contacts.services import contact_create
from hongyan.contacts.suppression import suppress
from hongyan.contacts.types import (
    ConsentAction,
    ContactFilters,
    ContactRow,
    ContactValues,
    Cursor,
    Evidence,
    Order,
    SuppressionReason,
)
from hongyan.core.sql import SQL

pytestmark = pytest.mark.django_db
SYSTEM = system_actor("test")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("given", "pending", "withdrawn", "none")


def actor_of(role: Role) -> Actor:
    return Actor(kind="user", id=None, label=role.value, permissions=ROLE_PERMISSIONS[role])


def person(**values: Any) -> Contact:
    return contact_create(actor=SYSTEM, values=ContactValues(values), source="test")


def crowd(n: int, seed: int = 7) -> list[Contact]:
    """People without identities, with repeated and missing values in every order column."""
    chance = random.Random(seed)
    people = Contact.objects.bulk_create(
        Contact(
            country=chance.choice(["CN", "DE", ""]),
            city=chance.choice(["上海", "北京", "Berlin", ""]),
            language=chance.choice(["zh", "en"]),
            source=chance.choice(["form", "import:1"]),
            sex=chance.choice([0, 1, 2]),
            attributes=chance.choice([{}, {"size": "L"}, {"size": "M", "likes": ["tea", "silk"]}]),
            created_at=BEGIN + timedelta(hours=chance.randrange(60)),
            updated_at=BEGIN + timedelta(hours=chance.randrange(40)),
            last_activity_at=chance.choice([None, BEGIN + timedelta(hours=chance.randrange(20))]),
        )
        for _ in range(n)
    )
    topics = list(Topic.objects.values_list("pk", flat=True)[:2])
    ConsentState.objects.bulk_create(
        ConsentState(
            contact=contact,
            channel="email",
            topic_id=topic,
            state=chance.choice(STATES),
            since=BEGIN + timedelta(hours=chance.randrange(5)),
        )
        for contact in people
        for topic in [None, *topics]
        if chance.random() < 0.4
    )
    return people


def walk(
    filters: ContactFilters, order: Order = Order.NEWEST, size: int = 7, actor: Actor = SYSTEM
) -> list[ContactRow]:
    rows: list[ContactRow] = []
    after: Cursor | None = None
    for _ in range(200):
        page = contact_page(actor=actor, filters=filters, after=after, limit=size, order=order)
        assert len(page.rows) <= size
        rows += page.rows
        if page.next is None:
            return rows
        assert len(page.rows) == size
        after = page.next
    raise AssertionError("no end")


def standing(contact: Contact) -> str:
    """By the words of the rule, not its statement."""
    held = list(ConsentState.objects.filter(contact=contact, channel="email"))
    whole = next((row for row in held if row.topic_id is None), None)
    against = whole is not None and whole.state == "withdrawn"
    if any(row.state == "given" and not (against and whole is not None and row.since <= whole.since) for row in held):
        return "given"
    if against:
        return "withdrawn"
    return next((state for state in ("pending", "withdrawn") if any(row.state == state for row in held)), "none")


@pytest.mark.parametrize("order", list(Order))
def test_pages_have_no_gaps_and_no_repeats(order: Order) -> None:
    people = crowd(150)
    column = {Order.NEWEST: "created_at", Order.CHANGED: "updated_at", Order.ACTIVE: "last_activity_at"}[order]
    never = BEGIN - timedelta(days=1)
    expected = sorted(people, key=lambda one: (getattr(one, column) or never, one.pk), reverse=True)
    assert [row.id for row in walk(ContactFilters(), order)] == [one.pk for one in expected]


FILTERS: list[tuple[ContactFilters, Callable[[Contact], bool]]] = [
    (ContactFilters(country="CN"), lambda one: one.country == "CN"),
    (ContactFilters(city="上海", language="zh"), lambda one: one.city == "上海" and one.language == "zh"),
    (ContactFilters(source="form", sex=2), lambda one: one.source == "form" and one.sex == 2),
    (
        ContactFilters(created_from=date(2026, 1, 2), created_to=date(2026, 1, 2)),
        lambda one: one.created_at.date() == date(2026, 1, 2),
    ),
    (ContactFilters(custom={"size": "M"}), lambda one: one.attributes.get("size") == "M"),
    (ContactFilters(custom={"likes": "tea"}), lambda one: "tea" in one.attributes.get("likes", [])),
    (ContactFilters(custom={"unknown": 1}), lambda _one: False),
    (ContactFilters(demo=True), lambda one: one.is_demo),
    (
        ContactFilters(country="DE", within=SQL("SELECT id FROM contacts_contact WHERE sex = %(a0)s", {"a0": 1})),
        lambda one: one.country == "DE" and one.sex == 1,
    ),
    *((ContactFilters(consent=("email", "", state)), lambda one, s=state: standing(one) == s) for state in STATES),
]


@pytest.mark.parametrize(("filters", "fits"), FILTERS)
@pytest.mark.parametrize("cap", [10_000, 10])  # the few looked up, the many walked through
def test_filters_against_counting_by_hand(
    filters: ContactFilters, fits: Callable[[Contact], bool], cap: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "CAP", cap)
    for key, kind in (("size", "text"), ("likes", "choices")):
        options = [{"value": "tea"}, {"value": "silk"}] if kind == "choices" else []
        field_create(actor=SYSTEM, key=key, label_zh=key, label_en=key, type=kind, options=options)
    people = crowd(120)
    expected = {one.pk for one in people if fits(one)}
    assert {row.id for row in walk(filters)} == expected
    count = contact_count(actor=SYSTEM, filters=filters)
    assert (count.value, count.exact) == (min(len(expected), cap), len(expected) <= cap)
    page, again = contact_page_counted(actor=SYSTEM, filters=filters, after=None, limit=7)
    assert (again, page) == (count, contact_page(actor=SYSTEM, filters=filters, after=None, limit=7))


@pytest.mark.parametrize("state", STATES)
def test_consent_to_one_topic(state: str) -> None:
    people = crowd(80)
    topic = Topic.objects.all()[:2][1]
    states = dict(ConsentState.objects.filter(channel="email", topic=topic).values_list("contact_id", "state"))
    expected = {one.pk for one in people if states.get(one.pk, "none") == state}
    assert {row.id for row in walk(ContactFilters(consent=("email", topic.key, state)))} == expected


def test_rows_say_what_holds() -> None:
    topic = Topic.objects.all()[0]
    given = person(email="given@example.com", full_name="王小明")
    gone = person(email="gone@example.com")
    blocked = person(email="blocked@corp.example")
    for contact in (given, gone):
        consent_record(
            actor=SYSTEM,
            contact_id=contact.pk,
            channel="email",
            topic_key=topic.key,
            action=ConsentAction.GIVEN,
            evidence=Evidence(method="staff"),
        )
    unsubscribe(actor=SYSTEM, contact_id=gone.pk, topic_key=None, evidence=Evidence(method="staff"))
    suppress(actor=SYSTEM, kind="domain", value="corp.example", reason=SuppressionReason.MANUAL)
    Suppression.objects.create(kind="email", blind=blind_of("email", "gone@example.com"), reason="complained")
    rows = {row.id: row for row in walk(ContactFilters())}
    assert rows[given.pk].consent == "given"
    assert rows[given.pk].suppressed == ()
    assert rows[gone.pk].consent == "withdrawn"
    assert set(rows[gone.pk].suppressed) == {"unsubscribed", "complained"}
    assert rows[blocked.pk].suppressed == ("manual",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("王小明", ["a"]),
        ("wang", ["a"]),
        ("wang xiaoming", ["a"]),
        ("ADA", ["b"]),
        ("ada@example.com", ["b"]),
        ("@example.com", ["b", "a"]),
        ("13800138000", ["a"]),
        ("lovelace wang", []),
        ("  ", ["b", "a"]),
        ("?!", []),
    ],
)
def test_search(text: str, found: list[str]) -> None:
    names = {
        person(full_name="王小明", email="xm@example.com", phone="13800138000").pk: "a",
        person(full_name="Ada Lovelace", email="ada@example.com").pk: "b",
    }
    assert [names[row.id] for row in walk(ContactFilters(search=text))] == found


def test_identities_are_masked_for_those_who_may_not_see_them() -> None:
    person(full_name="王小明", email="xiaoming@example.com", phone="13800138000")
    row = walk(ContactFilters(), actor=actor_of(Role.MARKETER))[0]
    assert (row.name, row.email, row.phone, row.masked) == ("王**", "x***@example.com", "+86*********00", True)
    row = walk(ContactFilters(), actor=actor_of(Role.SALES))[0]
    assert (row.name, row.email, row.phone, row.masked) == ("王小明", "xiaoming@example.com", "+8613800138000", False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8000", False),
        ("138000", False),
        ("13800138000", True),
        ("wangx", True),  # the beginning of a name, as pinyin
        ("mailbox", False),
        ("mailbox42", False),
        ("mailb@", False),
        ("mailbox42@example.com", True),
        ("王小明", True),
        ("@example.com", True),
    ],
)
def test_what_is_masked_is_not_found_out_piece_by_piece(text: str, found: bool) -> None:  # noqa: FBT001
    person(full_name="王小明", email="mailbox42@example.com", phone="13800138000")
    assert bool(walk(ContactFilters(search=text), actor=actor_of(Role.MARKETER))) is found
    assert walk(ContactFilters(search=text), actor=actor_of(Role.SALES))


def test_a_sensitive_field_is_asked_only_by_those_who_may_see_it() -> None:
    field_create(actor=SYSTEM, key="passport", label_zh="护照", label_en="Passport", type="text", sensitive=True)
    one = person(full_name="A", **{"custom.passport": "E123"})
    person(full_name="B", **{"custom.passport": "E124"})
    filters = ContactFilters(custom={"passport": "E123"})
    assert [row.id for row in walk(filters, actor=actor_of(Role.SUPPORT))] == [one.pk]
    with pytest.raises(PermissionRefused):
        walk(filters, actor=actor_of(Role.MARKETER))


def test_nobody_without_permission() -> None:
    nobody = Actor(kind="user", id=None, label="nobody")
    with pytest.raises(PermissionRefused):
        contact_page(actor=nobody, filters=ContactFilters(), after=None, limit=1)
    with pytest.raises(PermissionRefused):
        contact_count(actor=nobody, filters=ContactFilters())
    with pytest.raises(PermissionRefused):
        places_in_use(actor=nobody)


def test_a_page_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    crowd(60)
    filters = ContactFilters(search="", country="CN", consent=("email", "", "given"))
    contact_page(actor=SYSTEM, filters=filters, after=None, limit=1)  # reads the keys
    with django_assert_max_num_queries(8):
        contact_page(actor=SYSTEM, filters=filters, after=None, limit=50)


def test_places_in_use() -> None:
    crowd(40)
    countries, cities = places_in_use(actor=SYSTEM)
    assert (countries, set(cities)) == (["CN", "DE"], {"上海", "北京", "Berlin"})

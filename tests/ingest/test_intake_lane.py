"""From accepted requests to contacts and facts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.db import connection

from hongyan.accounts.types import system_actor
from hongyan.audience import segments
from hongyan.commerce.models import Order
from hongyan.contacts.consent import consent_record
from hongyan.contacts.fields import field_create
from hongyan.contacts.models import Company, Contact, Identifier
from hongyan.contacts.selectors import identities
from hongyan.contacts.types import Channel, ConsentAction, Evidence
from hongyan.core import clock
from hongyan.edge.intake.inbox import row
from hongyan.events import catalogue, sensitive
from hongyan.events.models import Event
from hongyan.ingest import quarantine
from hongyan.ingest.intake import facts, lane, loose, ownership, retrying, visits, write_keys
from hongyan.ingest.models import IntakeRequest, LooseTraits, QuarantinedRecord, SharedDevice, WriteKey

pytestmark = pytest.mark.django_db
ADMIN = system_actor("test")
Send = Callable[..., None]


@pytest.fixture(autouse=True)
def _fresh_rules() -> None:
    sensitive.forget_rules()


@pytest.fixture
def server() -> WriteKey:
    return write_keys.write_key_create(actor=ADMIN, name="Shop", kind="server").row


@pytest.fixture
def browser() -> WriteKey:
    return write_keys.write_key_create(
        actor=ADMIN, name="Web", kind="browser", origins=["https://shop.example.com"]
    ).row


def put(key: WriteKey, *calls: Any, received_at: datetime | None = None, **shared: Any) -> None:
    """As the edge writes it."""
    content = orjson.dumps({"batch": calls, **shared})
    record = row(key.pk, received_at or clock.now(), "", len(calls), content)
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY ingest_intakerequest (write_key_id, received_at, kind, calls, packed, checked, body) "
            "FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.write(b"PGCOPY\n\xff\r\n\x00" + bytes(8) + record + b"\xff\xff")


def send(key: WriteKey, *calls: Any, **shared: Any) -> None:
    put(key, *calls, **shared)
    while lane.take_calls():
        pass
    assert not IntakeRequest.objects.exists()


def track(event: str = "Product Viewed", **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, **more}


def identify(**more: Any) -> dict[str, Any]:
    return {"type": "identify", **more}


def events() -> list[tuple[str, int | None]]:
    return list(Event.objects.order_by("id").values_list("name", "contact_id"))


def only_contact() -> Contact:
    return Contact.objects.get()


def test_identify_makes_a_contact_of_standard_traits(server: WriteKey) -> None:
    send(
        server,
        identify(
            userId="u-1",
            traits={
                "email": "Lin.Yue@Example.com",
                "firstName": "Yue",
                "lastName": "Lin",
                "phone": "138 0013 8000",
                "birthday": "1990-05-01",
                "gender": "female",
                "address": {"street": "Road 1", "city": "上海", "postalCode": "200000", "country": "China"},
                "company": {"name": "Acme", "employees": 12},
                "plan": "pro",
            },
        ),
    )
    contact = only_contact()
    person = identities([contact.pk])[contact.pk]
    assert (person.email, person.phone, person.external_id) == ("Lin.Yue@example.com", "+8613800138000", "u-1")
    assert (person.given_name, person.family_name, person.birth_date) == ("Yue", "Lin", "1990-05-01")
    assert (person.street, person.postal_code, person.company) == ("Road 1", "200000", "Acme")
    assert (contact.city, contact.country, contact.sex, contact.source) == ("上海", "CN", 2, server.key)
    assert LooseTraits.objects.get().keys == ["company.employees", "plan"]
    assert events() == []


def test_events_of_a_user_nobody_described_make_a_contact_too(server: WriteKey) -> None:
    send(server, track("Order Completed", userId="u-9"), track(userId="u-9"))
    contact = only_contact()
    assert identities([contact.pk])[contact.pk].external_id == "u-9"
    assert events() == [("order_completed", contact.pk), ("product_viewed", contact.pk)]


def test_what_a_visitor_did_becomes_the_persons_once_identified(browser: WriteKey) -> None:
    send(browser, {"type": "page", "anonymousId": "a-1", "properties": {"path": "/"}}, track(anonymousId="a-1"))
    assert events() == [("page_viewed", None), ("product_viewed", None)]
    assert not Contact.objects.exists()
    send(browser, identify(userId="u-1", anonymousId="a-1", traits={"email": "lin@example.com"}))
    contact = only_contact()
    assert events() == [("page_viewed", contact.pk), ("product_viewed", contact.pk)]
    send(browser, track("Cart Viewed", anonymousId="a-1"))
    assert events()[-1] == ("cart_viewed", contact.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events_anonymous")
        assert cursor.fetchone() == (0,)


def test_stitching_within_one_batch_in_whatever_order(browser: WriteKey) -> None:
    send(browser, track(anonymousId="a-1"), identify(anonymousId="a-1", traits={"email": "lin@example.com"}))
    assert events() == [("product_viewed", only_contact().pk)]


def test_two_known_people_on_one_device_stay_two(browser: WriteKey) -> None:
    send(browser, identify(userId="u-1", anonymousId="a-1"), identify(userId="u-2", anonymousId="a-1"))
    assert Contact.objects.count() == 2
    assert SharedDevice.objects.count() == 1
    send(browser, track(anonymousId="a-1"), track(userId="u-2", anonymousId="a-1"))
    second = Identifier.objects.filter(kind="external_id").order_by("id").last()
    assert second is not None
    assert events() == [("product_viewed", None), ("product_viewed", second.contact_id)]


def test_alias_ties_a_visitor_and_never_two_known_people(server: WriteKey) -> None:
    send(server, track(anonymousId="a-1"), identify(userId="u-1"), identify(userId="u-2"))
    send(server, {"type": "alias", "previousId": "a-1", "userId": "u-1"})
    first = Identifier.objects.filter(kind="external_id").order_by("id")[0]
    assert events() == [("product_viewed", first.contact_id)]
    send(server, {"type": "alias", "previousId": "u-1", "userId": "u-2"})
    assert Contact.objects.count() == 2
    assert QuarantinedRecord.objects.get().reason == "alias_of_known"


def test_a_new_user_id_goes_to_whoever_has_the_address(server: WriteKey) -> None:
    send(server, identify(anonymousId="a", traits={"email": "lin@example.com"}))
    send(server, identify(userId="u-1", traits={"email": "LIN@example.com", "name": "林月"}))
    contact = only_contact()
    assert identities([contact.pk])[contact.pk].external_id == "u-1"
    send(server, identify(userId="u-2", traits={"email": "lin@example.com", "name": "王伟"}))
    assert Contact.objects.count() == 2
    assert identities([contact.pk])[contact.pk].full_name == "林月"
    assert QuarantinedRecord.objects.get().reason == "identifier_conflict"


def test_one_address_for_two_new_users_of_one_batch(server: WriteKey) -> None:
    both = {"email": "family@example.com"}
    send(server, identify(userId="u-1", traits=both), identify(userId="u-2", traits=both))
    assert Contact.objects.count() == 2
    assert Identifier.objects.filter(kind="email").count() == 1
    assert QuarantinedRecord.objects.count() == 1


def test_a_public_key_fills_what_is_empty_and_changes_nothing(browser: WriteKey, server: WriteKey) -> None:
    send(server, identify(userId="u-1", traits={"email": "lin@example.com", "name": "林月"}))
    send(browser, identify(userId="u-1", traits={"email": "evil@example.com", "name": "Evil", "city": "上海"}))
    contact = only_contact()
    person = identities([contact.pk])[contact.pk]
    assert (person.email, person.full_name, contact.city) == ("lin@example.com", "林月", "上海")
    send(server, identify(userId="u-1", traits={"name": "林小月"}))
    assert identities([contact.pk])[contact.pk].full_name == "林小月"


def test_repeats_are_dropped_by_message_id_and_counted(server: WriteKey) -> None:
    one = track(userId="u-1", messageId="m-1")
    send(server, one, one)
    send(server, one, track(userId="u-1", messageId="m-2"), track(userId="u-1"))
    assert len(events()) == 3
    server.refresh_from_db()
    assert (server.calls, server.repeats, server.quarantined) == (5, 2, 0)


def test_bad_calls_wait_in_quarantine_and_can_be_mended(server: WriteKey) -> None:
    retrying.register()
    send(server, track(userId="u-1"), {"type": "dance", "userId": "u-1"}, track(userId=""), "nonsense")
    assert len(events()) == 1
    reasons = sorted(QuarantinedRecord.objects.values_list("reason", flat=True))
    assert reasons == ["call_not_an_object", "nobody", "type_unknown"]
    waiting = QuarantinedRecord.objects.get(reason="nobody")
    kept = orjson.loads(quarantine.quarantine_open(actor=ADMIN, public_id=waiting.public_id))
    kept["call"]["userId"] = "u-1"
    assert quarantine.quarantine_edit(actor=ADMIN, public_id=waiting.public_id, payload=orjson.dumps(kept)) is None
    assert len(events()) == 2
    server.refresh_from_db()
    assert server.quarantined == 3


def test_traits_that_cannot_be_read_do_not_hold_up_the_others(server: WriteKey) -> None:
    send(server, identify(userId="u-1", traits={"email": "not an address", "city": "Paris"}))
    assert only_contact().city == "Paris"
    found = QuarantinedRecord.objects.get()
    assert (found.reason, found.place) == ("trait_unreadable", "/traits/email")


def test_the_clients_clock_is_corrected_and_the_future_clamped(server: WriteKey) -> None:
    received = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    sent = received + timedelta(hours=3)  # a clock that is three hours ahead
    one = track(userId="u", messageId="1", timestamp=(sent - timedelta(minutes=10)).isoformat())
    two = track(userId="u", messageId="2", timestamp="2031-01-01T00:00:00Z")
    put(server, one, two, received_at=received, sentAt=sent.isoformat())
    lane.take_calls()
    first, second = Event.objects.order_by("id")
    assert first.occurred_at == received - timedelta(minutes=10)
    assert (second.occurred_at, second.properties["claimed_at"]) == (received, "2031-01-01T00:00:00+00:00")


def test_what_names_people_is_sealed_or_dropped(server: WriteKey) -> None:
    send(
        server,
        track(
            "Form Sent",
            userId="u-1",
            properties={
                "email": "lin@example.com",
                "password": "x",
                "note": "ask lin@example.com",
                "url": "https://a.example.com/?to=lin@example.com&x=1",
                "size": 3,
                "billing": {"phone": "13800138000", "city": "上海"},
            },
            context={"ip": "1.2.3.4", "page": {"url": "https://a.example.com/?to=lin@example.com"}, "userAgent": "x"},
        ),
    )
    found = Event.objects.get().properties
    assert "lin@" not in str(found)
    assert "13800138000" not in str(found)
    assert "password" not in found
    assert sensitive.opened(found["email"]) == "lin@example.com"
    assert found["url"] == "https://a.example.com/?to=…&x=1"
    assert (found["size"], found["billing"]["city"]) == (3, "上海")
    assert found["page_url"] == "https://a.example.com/?to=…"
    assert found.keys().isdisjoint({"context", "ip", "userAgent"})


def test_what_stands_around_an_event_can_be_asked(server: WriteKey) -> None:
    campaign = {"name": "autumn", "source": "mail", "content": 7}
    page = {"path": "/tea", "title": "Tea", "search": ""}
    send(
        server,
        track(userId="u-1", context={"campaign": campaign, "page": page, "locale": "zh-CN", "library": {"name": "x"}}),
        track(userId="u-2", properties={"utm_campaign": "own"}, context={"campaign": campaign}),
        {"type": "page", "userId": "u-3", "properties": {"path": "/own"}, "context": {"campaign": "bad", "page": page}},
    )
    said = {"utm_campaign": "autumn", "utm_source": "mail"}
    assert [event.properties for event in Event.objects.order_by("id")] == [
        said | {"page_path": "/tea", "page_title": "Tea", "locale": "zh-CN"},
        said | {"utm_campaign": "own"},
        {"path": "/own", "title": "Tea"},
    ]
    while catalogue.fold():
        pass
    tree = {"event": "product_viewed", "where": {"property": "utm_campaign", "op": "=", "value": "autumn"}}
    assert segments.check(tree) == []
    members = segments.compile_members(tree)
    with connection.cursor() as cursor:
        cursor.execute(members.text, members.params)
        assert [pk for (pk,) in cursor.fetchall()] == [Event.objects.get(properties__page_path="/tea").contact_id]


def test_nul_characters_do_not_stop_anything(server: WriteKey) -> None:
    send(server, track(userId="u-1", properties={"a\x00b": "c\x00d"}))
    assert Event.objects.get().properties == {"ab": "cd"}


def test_group_makes_the_company_and_joins_it(server: WriteKey) -> None:
    send(server, {"type": "group", "userId": "u-1", "groupId": "g-1", "traits": {"name": "鸿雁科技", "employees": 120}})
    company = Company.objects.get()
    assert (company.name, company.external_id) == ("鸿雁科技", "g-1")
    assert only_contact().company_id == company.pk


def test_completed_orders_of_servers_become_orders(server: WriteKey, browser: WriteKey) -> None:
    order = {
        "order_id": "5001",
        "currency": "CNY",
        "total": 39.8,
        "products": [{"product_id": "p1", "sku": "S1", "name": "Tea", "price": 19.9, "quantity": 2}],
    }
    one = track("Order Completed", userId="u-1", properties=order, messageId="1")
    send(server, one)
    send(server, one)
    send(browser, track("Order Completed", userId="u-1", properties=order | {"order_id": "evil"}))
    kept = Order.objects.get()
    assert (kept.external_id, kept.contact_id, kept.total_minor) == ("5001", only_contact().pk, 3980)
    assert [name for name, _ in events()] == ["order_completed", "order_completed"]  # the shop's, and the browser's


def test_a_call_that_breaks_the_lane_is_set_aside_alone(server: WriteKey, monkeypatch: pytest.MonkeyPatch) -> None:
    put(server, track(userId="u-1"))
    put(server, track("Explode", userId="u-2"))
    put(server, track(userId="u-3"))
    real = facts.record

    def record(items: Any) -> dict[int, int]:
        if any(item.call.name == "Explode" for item in items):
            raise ZeroDivisionError
        return real(items)

    monkeypatch.setattr(facts, "record", record)
    while lane.take_calls():
        pass
    assert len(events()) == 2
    assert QuarantinedRecord.objects.get().reason == "processing_failed"


def test_identify_of_nobody_is_kept_as_a_fact(browser: WriteKey) -> None:
    send(browser, identify(anonymousId="a-1", traits={"plan": "pro", "lastName": "Lin"}))
    fact = Event.objects.get()
    assert (fact.name, fact.contact_id, fact.properties["plan"]) == ("traits_noted", None, "pro")
    assert sensitive.is_sealed(fact.properties["lastName"])


def test_traits_without_a_field_follow_a_merge_and_come_back(server: WriteKey) -> None:
    send(server, identify(userId="u-1", traits={"plan": "pro", "seats": 3}))
    send(server, identify(userId="u-2", traits={"plan": "free"}))
    first, second = Contact.objects.order_by("id").values_list("id", flat=True)
    data = ownership.move_many([(first, second)])[first]
    assert ownership.loose_of(second) == {"plan": "free", "seats": 3}
    assert "pro" not in str(data)
    send(server, identify(userId="u-2", traits={"theme": "dark"}))
    ownership.restore(first, second, data)
    assert ownership.loose_of(first) == {"plan": "pro", "seats": 3}
    assert ownership.loose_of(second) == {"plan": "free", "theme": "dark"}
    assert ownership.erase(second) == 1
    assert ownership.loose_of(second) == {}


def _click_consent(contact_id: int, action: ConsentAction) -> None:
    consent_record(
        actor=ADMIN,
        contact_id=contact_id,
        channel=Channel.TRACKING_CLICK,
        topic_key=None,
        action=action,
        evidence=Evidence(method="staff"),
    )


def test_a_visitor_from_a_mail_is_known_as_far_as_they_allow(server: WriteKey, browser: WriteKey) -> None:
    send(server, identify(userId="u-1", traits={"email": "lin@example.com"}))
    contact = only_contact()
    _click_consent(contact.pk, ConsentAction.GIVEN)
    token = visits.token(contact_id=contact.pk, at=clock.now())
    send(browser, {"type": "page", "anonymousId": "a-1"}, identify(anonymousId="a-1", context={"mailToken": token}))
    assert events() == [("page_viewed", contact.pk)]
    _click_consent(contact.pk, ConsentAction.WITHDRAWN)
    send(browser, {"type": "page", "anonymousId": "a-2"}, identify(anonymousId="a-2", context={"mailToken": token}))
    send(browser, {"type": "page", "anonymousId": "a-3"}, identify(anonymousId="a-3", context={"mailToken": "forged"}))
    assert [found for _, found in events()] == [contact.pk, None, None]


def test_traits_move_into_the_field_that_was_made_for_them(server: WriteKey) -> None:
    send(server, identify(userId="u-1", traits={"loyaltyLevel": "gold", "seats": 3}))
    send(server, identify(userId="u-2", traits={"seats": "many"}))
    found = {trait.name: (trait.people, trait.field, trait.ready) for trait in loose.loose_traits(actor=ADMIN)}
    assert found == {"seats": (2, "seats", False), "loyaltyLevel": (1, "loyalty_level", False)}
    for key, kind in (("loyalty_level", "text"), ("seats", "number")):
        field_create(actor=ADMIN, key=key, label_zh=key, label_en=key, type=kind)
    assert loose.settle(actor=ADMIN) == 1
    first, second = Contact.objects.order_by("id")
    assert first.attributes == {"loyalty_level": "gold", "seats": 3}
    assert second.attributes == {}
    assert ownership.loose_of(second.pk) == {"seats": "many"}  # it cannot be read as a number: kept
    assert ownership.loose_of(first.pk) == {}

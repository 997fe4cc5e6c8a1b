"""Orders arrive many times, late, changed and out of order; what is kept is right each time."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.types import contact_actor
from hongyan.commerce import order_acts, orders
from hongyan.commerce.models import ContactFacts, Order, OrderChange, OrderLine, Product, Refund
from hongyan.commerce.settings import commerce_settings_change
from hongyan.commerce.types import (
    LineKind,
    Missing,
    OrderIn,
    OrderKind,
    OrderState,
    Outcome,
    Person,
    RefundIn,
)
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.models import Contact
from hongyan.events.models import Event
from tests.commerce.factory import ACTOR, SHOP, contact, day, kept, line, order, put

pytestmark = pytest.mark.django_db


def facts(contact_id: int | None) -> ContactFacts:
    assert contact_id is not None
    return ContactFacts.objects.get(contact_id=contact_id)


def events(name: str = "") -> list[Event]:
    found = Event.objects.filter(source=SHOP).order_by("id")
    return list(found.filter(name=name) if name else found)


def test_an_order_makes_contact_lines_products_event_and_facts() -> None:
    [outcome] = put(order("1001", line("tea", "2", "4.50"), line("POST", "1", "3", kind=LineKind.SHIPPING)))
    assert outcome.outcome is Outcome.CREATED
    assert outcome.new_contact
    row = kept("1001")
    assert (row.lines_minor, row.shipping_minor, row.total_minor, row.items) == (900, 300, 1200, 2)
    assert [item.product_id is not None for item in row.lines.order_by("place")] == [True, False]
    assert Product.objects.get().title == "Tea"
    [event] = events()
    assert event.name == "order_completed"
    assert event.occurred_at == row.placed_at
    assert row.contact is not None
    assert row.contact.last_activity_at == row.placed_at
    assert event.properties["order_id"] == "1001"
    assert event.properties["total"] == 12
    assert event.properties["revenue"] == 9
    assert event.properties["shipping"] == 3
    assert event.properties["products"] == [
        {"product_id": "tea", "sku": "tea", "name": "Tea", "quantity": 2, "price": 4.5, "price_minor": 450}
    ]
    assert (facts(row.contact_id).orders, facts(row.contact_id).per_currency) == (
        1,
        {"GBP": {"orders": 1, "minor": 1200}},
    )


def test_the_same_again_changes_nothing() -> None:
    put(order("1001"), order("1002", at=1))
    before = (list(Order.objects.values()), list(OrderLine.objects.values("id")), len(events()))
    again = put(order("1001"), order("1002", at=1))
    assert [item.outcome for item in again] == [Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert (list(Order.objects.values()), list(OrderLine.objects.values("id")), len(events())) == before


def test_older_never_overwrites_newer_even_within_one_batch() -> None:
    new, old = order("1", updated_at=day(5), number="new"), order("1", updated_at=day(4), number="old")
    put(new, old)
    assert kept("1").number == "new"
    assert put(old)[0].outcome is Outcome.STALE
    assert put(replace(new, updated_at=day(6), number="newer"))[0].outcome is Outcome.UPDATED
    assert kept("1").number == "newer"
    [change] = OrderChange.objects.all()
    assert (change.before, change.after) == ({"number": "new"}, {"number": "newer"})


def test_a_cancelled_order_counts_nothing_and_is_told_once() -> None:
    put(order("1"), order("2", at=1))
    put(order("1", state=OrderState.CANCELLED, cancelled_at=day(3)))
    put(order("1", state=OrderState.CANCELLED, cancelled_at=day(3), number="x"))
    assert facts(kept("2").contact_id).orders == 1
    assert facts(kept("2").contact_id).first_at == day(1)
    [event] = events("order_cancelled")
    assert event.occurred_at == day(3)
    assert len(events("order_completed")) == 2


def test_an_unpaid_order_becomes_an_order_when_it_is_paid() -> None:
    [outcome] = put(order("1", state=OrderState.PENDING))
    assert not events()
    assert not ContactFacts.objects.exists()
    put(order("1", state=OrderState.PAID))
    assert [event.name for event in events()] == ["order_completed", "order_updated"]
    assert facts(outcome.contact_id).orders == 1


def test_refunds_take_off_and_set_the_state() -> None:
    base = order("1", line("tea", "2", "10.00"))
    put(base)
    part = replace(base, refunds=(RefundIn("r1", 500, day(2)),))
    put(part)
    assert kept("1").state == OrderState.PARTIALLY_REFUNDED
    assert facts(kept("1").contact_id).per_currency["GBP"]["minor"] == 1500
    put(replace(part, refunds=(*part.refunds, RefundIn("r2", 1500, day(3)))))
    assert (kept("1").state, kept("1").refunded_minor) == (OrderState.REFUNDED, 2000)
    assert facts(kept("1").contact_id).per_currency["GBP"] == {"orders": 1, "minor": 0}
    assert [event.properties["total_minor"] for event in events("order_refunded")] == [500, 1500]


def credit(name: str, sku: str, quantity: str, price: str = "10.00", **more: object) -> OrderIn:
    return order(name, line(sku, quantity, price), kind=OrderKind.CREDIT, state=OrderState.CANCELLED, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("late", [False, True], ids=["in order", "the order comes after its credit note"])
def test_a_credit_note_finds_its_order(late: bool) -> None:  # noqa: FBT001
    bought = order("1", line("tea", "5", "10.00"), line("cup", "1", "2.00"))
    wrong = order("0", line("tea", "7", "10.00"), at=-2)
    note = credit("C9", "tea", "-5", at=4)
    for item in (wrong, note, bought) if late else (wrong, bought, note):
        put(item)
    [refund] = Refund.objects.all()
    assert (refund.order.external_id, refund.amount_minor, refund.document) == ("1", 5000, kept("C9"))
    assert kept("1").state == OrderState.PARTIALLY_REFUNDED
    assert kept("0").state == OrderState.PAID
    assert OrderLine.objects.get(order=kept("C9")).match == "exact"
    assert facts(kept("1").contact_id).per_currency["GBP"] == {"orders": 2, "minor": 7000 + 5200 - 5000}


def test_a_credit_note_is_never_matched_twice_nor_to_a_later_order() -> None:
    put(order("1", line("tea", "5")), credit("C1", "tea", "-5", at=1), credit("C2", "tea", "-5", at=2))
    put(order("2", line("tea", "5"), at=3))
    assert OrderLine.objects.get(order=kept("C2")).returns_id is None
    assert Refund.objects.count() == 1
    put(order("1b", line("tea", "9"), at=1))
    assert {OrderLine.objects.get(order=kept(name)).match for name in ("C1", "C2")} == {"exact", "part"}


def test_changing_a_credited_order_keeps_the_tie() -> None:
    put(order("1", line("tea", "5")), credit("C1", "tea", "-5", at=1))
    put(order("1", line("tea", "5"), line("cup")))
    assert Refund.objects.get().order == kept("1")
    assert OrderLine.objects.get(order=kept("C1")).returns_id == OrderLine.objects.get(sku="tea", quantity=5).pk
    put(order("1", line("cup")))
    assert not Refund.objects.exists()
    assert (kept("1").state, kept("1").refunded_minor) == (OrderState.PAID, 0)


def test_a_deleted_order_lets_its_credit_note_go() -> None:
    put(order("1", line("tea", "5")), credit("C1", "tea", "-5", at=1))
    order_acts.order_delete(actor=ACTOR, public_id=kept("1").public_id)
    assert OrderLine.objects.get(order=kept("C1")).returns_id is None
    assert facts(kept("C1").contact_id).per_currency["GBP"] == {"orders": 0, "minor": -5000}


def test_who_bought_by_the_strongest_key() -> None:
    by_id, by_mail = contact(external_id="17850", full_name="A"), contact(email="B@example.com")
    both = Person(external_id="17850", email="b@example.com")
    put(order("1", person=both), order("2", person=Person(email="b@EXAMPLE.com")))
    assert kept("1").contact_id == by_id.pk
    assert kept("2").contact_id == by_mail.pk


def test_without_a_customer_the_order_stays_and_says_why() -> None:
    put(order("1", person=Person()), order("2", person=Person(email="nonsense")))
    assert (kept("1").contact_id, kept("1").missing) == (None, Missing.NO_KEY)
    assert (kept("2").contact_id, kept("2").missing) == (None, Missing.BAD_KEY)
    assert not events()
    put(order("1"))
    assert kept("1").contact_id is not None
    assert events()[0].name == "order_completed"


def test_an_erased_person_is_not_brought_back() -> None:
    put(order("1"))
    contact_erase(actor=ACTOR, contact_id=kept("1").contact_id or 0, reason="request")
    row = kept("1")
    assert (row.contact_id, row.missing, row.total_minor) == (None, Missing.ERASED, 1000)
    assert not ContactFacts.objects.exists()
    put(order("1", number="again"), order("2"))
    assert kept("1").missing == kept("2").missing == Missing.ERASED_BEFORE
    assert not Contact.objects.exists()


def test_totals_in_the_organisations_currency() -> None:
    commerce_settings_change(actor=ACTOR, currency="CNY", rates={"JPY": "0.05", "KWD": "23.5"})
    put(
        order("1", line("tea", "1", "1200", "JPY"), currency="JPY"),
        order("2", line("tea", "1", "1.234", "KWD"), currency="KWD"),
        order("3", line("tea", "1", "9.90", "CNY"), currency="CNY"),
        order("4", line("tea", "1", "5.00", "USD"), currency="USD"),
    )
    found = facts(kept("1").contact_id)
    # ¥1200 × 0.05 = 60.00; 1.234 KWD × 23.5 = 28.999; 9.90; dollars have no rate.
    assert (found.orders, found.total_minor, found.without_rate) == (4, 6000 + 2900 + 990, ["USD"])
    assert found.average_minor == round(9890 / 3)
    assert kept("1").total_minor == 1200
    assert kept("2").total_minor == 1234


def test_bad_orders_are_refused_alone() -> None:
    outcomes = put(order(""), order("x" * 201), order("ok"))
    assert [item.code for item in outcomes] == ["id_missing", "too_long", ""]
    with pytest.raises(PermissionRefused):
        orders.upsert(actor=contact_actor(), source=SHOP, orders=[])


def test_two_sources_may_use_the_same_number() -> None:
    put(order("1"), source="a")
    put(order("1", line("cup")), source="b")
    assert kept("1", "a").pk != kept("1", "b").pk


COUNT = st.integers(min_value=1, max_value=5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from(["order", "credit"]), COUNT, st.integers(0, 20), st.booleans()
        ),
        min_size=1,
        max_size=9,
        unique_by=lambda item: item[0] + item[1],
    ),
    st.randoms(use_true_random=False),
)
def test_the_way_they_come_in_changes_nothing(history: list[tuple[str, str, int, int, bool]], dice: "object") -> None:
    """Law: the facts do not depend on the order of arrival, on repeats, or on how they are cut into batches."""
    made = []
    for name, kind, count, at, cancelled in history:
        if kind == "credit":
            made.append(credit(f"C{name}", "tea", f"-{count}", at=at))
        else:
            state = OrderState.CANCELLED if cancelled else OrderState.PAID
            made.append(order(name, line("tea", str(count)), at=at, state=state))
    expected = sum(
        (-1 if kind == "credit" else 1) * count * 1000
        for _, kind, count, _, cancelled in history
        if kind == "credit" or not cancelled
    )
    seen = []
    for source in ("one", "two"):
        mixed = [*made, *made[:2]]
        dice.shuffle(mixed)  # type: ignore[attr-defined]
        if source == "one":
            put(*mixed, source=source)
        else:
            for item in mixed:
                put(item, source=source)
        contact_id = Order.objects.filter(source=source)[0].contact_id
        with connection.cursor() as cursor:
            cursor.execute("SELECT sum(refunded_minor), count(*) FROM commerce_order WHERE source = %s", [source])
            seen.append(cursor.fetchone())
        total = facts(contact_id).per_currency["GBP"]["minor"] if ContactFacts.objects.exists() else 0
        if source == "one":
            assert total == expected
        Order.objects.filter(source=source).delete()
        ContactFacts.objects.all().delete()
    assert seen[0] == seen[1]


def test_money_is_exact() -> None:
    put(order("1", line("tea", "3", "0.001"), line("cup", "0.5", "19.99")))
    row = OrderLine.objects.get(sku="tea")
    assert (row.unit_price, row.quantity, row.amount_minor) == (Decimal("0.001"), Decimal(3), 0)
    assert OrderLine.objects.get(sku="cup").amount_minor == 1000

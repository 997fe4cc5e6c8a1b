"""When two records become one their orders and sums follow, and go back when that is undone."""

import pytest

from hongyan.commerce.models import ContactFacts, Order
from hongyan.commerce.selectors import orders_of_contact
from hongyan.commerce.types import OrderIn
from hongyan.identity.merging import merge, unmerge
from hongyan.identity.types import MergeReason
from tests.commerce.factory import ACTOR, contact, kept, line, order, put

pytestmark = pytest.mark.django_db


def facts(contact_id: int) -> tuple[int, int] | None:
    found = ContactFacts.objects.filter(contact_id=contact_id).first()
    return (found.orders, found.total_minor) if found else None


def owners() -> dict[str, int | None]:
    return dict(Order.objects.values_list("external_id", "contact_id"))


def bought(name: str, price: str, email: str = "mei@example.com", at: int = 0) -> OrderIn:
    return order(name, line("tea", "1", price, currency="CNY"), email=email, at=at, currency="CNY")


def test_orders_and_sums_follow_and_come_back() -> None:
    stays, goes = contact(email="mei@example.com").pk, contact(email="mei@example.org").pk
    put(bought("1", "10"), bought("2", "20", "mei@example.org"), bought("3", "10", "mei@example.org"))
    apart = owners()
    assert (facts(stays), facts(goes)) == ((1, 1000), (2, 3000))

    made = merge(actor=ACTOR, survivor_id=stays, loser_id=goes, reason=MergeReason.MANUAL)
    assert set(owners().values()) == {stays}
    assert (facts(stays), facts(goes)) == ((3, 4000), None)
    assert len(orders_of_contact(actor=ACTOR, contact_id=stays, limit=10)) == 3
    # The shop goes on naming the old address: it is the same person's.
    put(bought("4", "5", "mei@example.org", at=3), bought("2", "30", "mei@example.org"))
    assert (kept("4").contact_id, kept("2").contact_id, facts(stays)) == (stays, stays, (4, 5500))

    unmerge(actor=ACTOR, merge_id=made.pk)
    assert owners() == apart | {"4": stays}  # what was written since stays with who was there then
    assert (facts(stays), facts(goes)) == ((2, 1500), (2, 4000))

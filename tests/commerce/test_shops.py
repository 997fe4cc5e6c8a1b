"""Shops: their past fetched from servers that behave like them, their keys sealed, what they say turned into ours."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.types import contact_actor
from hongyan.audit.models import AuditEntry
from hongyan.commerce.errors import CommerceRefused, ShopRefused
from hongyan.commerce.models import Order, Product, Shop
from hongyan.commerce.shops import clean_address, credentials_of, shop_change, shop_connect, shop_disconnect
from hongyan.commerce.types import OrderState
from hongyan.contacts.models import Contact
from hongyan.ingest.commerce import shopify, woocommerce
from hongyan.ingest.commerce.backfill import backfill_run, backfill_start, shop_test
from hongyan.ingest.commerce.said import Unreadable
from hongyan.ingest.models_intake import QuarantinedRecord
from hongyan.jobs.runner import job_run
from tests.commerce.factory import ACTOR
from tests.commerce.shop_servers import SECRET, TOKEN, FakeShop, fake_shop, shopify_order, shopify_refund, woo_order

pytestmark = pytest.mark.django_db


def connected(server: FakeShop, **more: Any) -> Shop:
    values = {"token": TOKEN, "secret": SECRET} | more
    return shop_connect(actor=ACTOR, kind=server.kind, address=server.address, name="Tea", private=True, **values)


def quiet(_done: int, _total: int | None) -> None:
    """No progress."""


def no_wait(_seconds: float) -> None:
    """Tests do not sleep."""


def fill(server: FakeShop, orders: int = 7) -> None:
    make = shopify_order if server.kind == "shopify" else woo_order
    server.rows["orders"] = [make(number) for number in range(1, orders + 1)]
    if server.kind == "shopify":
        server.rows["products"] = [
            {"id": 9, "title": "Green tea", "handle": "tea", "vendor": "Hill", "product_type": "Tea",
             "status": "active",
             "updated_at": "2026-01-01T00:00:00Z", "variants": [{"sku": "TEA", "price": "12.50"}],
             "image": {"src": "https://cdn.example/tea.jpg"}}
        ]  # fmt: skip
        server.rows["customers"] = [{"id": 77, "email": "mei@example.com", "first_name": "Mei", "last_name": "Wang"}]
    else:
        server.rows["products"] = [
            {"id": 4, "name": "緑茶", "sku": "TEA", "price": "1200", "status": "publish",
             "permalink": "https://s.example/t",
             "date_modified_gmt": "2026-01-01T00:00:00", "images": [], "categories": [{"name": "茶"}]}
        ]  # fmt: skip
        server.rows["customers"] = [{"id": 3, "email": "ken@example.com", "first_name": "Ken", "last_name": "Sato"}]


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_the_whole_past_comes_over_all_pages(kind: str) -> None:
    with fake_shop(kind) as server:
        fill(server)
        server.busy = 2
        shop, waits = connected(server), list[float]()
        done = backfill_run(shop.pk, quiet, wait=waits.append)
    assert done == {"products": 1, "customers": 1, "orders": 7}
    assert waits == [2.0, 2.0]  # Retry-After
    assert Order.objects.count() == 7
    assert Contact.objects.count() == 1
    product = Product.objects.get()
    assert (product.learned, product.currency) == (False, "EUR")
    assert Order.objects.filter(lines__product=product).distinct().count() == 7
    shop.refresh_from_db()
    assert shop.backfill_state["orders"]["finished"]


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_it_goes_on_at_the_page_where_it_broke_off(kind: str) -> None:
    with fake_shop(kind) as server:
        fill(server)
        shop = connected(server)
        server.fail_after = 4
        with pytest.raises(ShopRefused) as refused:
            backfill_run(shop.pk, quiet, wait=no_wait)
        assert refused.value.code == "unreachable"
        assert Order.objects.count() == 3
        server.fail_after, server.asked = None, []
        backfill_run(shop.pk, quiet, wait=no_wait)
        assert sum("orders" in path for path in server.asked) == 2
    assert Order.objects.count() == 7


def test_a_wrong_key_is_said_and_a_right_one_helps() -> None:
    with fake_shop("shopify") as server:
        shop = connected(server, token="shpat_wrong")
        assert shop_test(actor=ACTOR, public_id=shop.public_id) == "credentials"
        job = backfill_start(actor=ACTOR, public_id=shop.public_id)
        job_run(job_id=job.pk)
        job.refresh_from_db()
        assert (job.state, job.error_code) == ("failed", "credentials")
        shop_change(actor=ACTOR, public_id=shop.public_id, name="", token=TOKEN)
        assert shop_test(actor=ACTOR, public_id=shop.public_id) == ""
    assert shop_test(actor=ACTOR, public_id=shop.public_id, wait=no_wait) == "unreachable"
    shop.refresh_from_db()
    assert shop.test_problem == "unreachable"


def test_a_page_that_leads_to_another_host_is_not_followed() -> None:
    with fake_shop("shopify") as server:
        fill(server)
        server.lead_away = "http://169.254.169.254"
        with pytest.raises(ShopRefused):
            backfill_run(connected(server).pk, quiet, wait=no_wait)


def test_without_leave_a_private_address_is_not_reached() -> None:
    shop = shop_connect(actor=ACTOR, kind="shopify", address="https://localhost.localdomain", token="a", secret="b")
    assert shop_test(actor=ACTOR, public_id=shop.public_id, wait=no_wait) in {"private_address", "unreachable"}


def test_what_cannot_be_read_goes_to_quarantine_and_the_rest_is_taken() -> None:
    with fake_shop("shopify") as server:
        fill(server, orders=2)
        server.rows["orders"][0]["total_price"] = "12,50"
        shop = connected(server)
        backfill_run(shop.pk, quiet, wait=no_wait)
    assert Order.objects.get().number == "#2"
    waiting = QuarantinedRecord.objects.get()
    assert (waiting.source, waiting.reason, waiting.place) == (shop.key, "number", "/total_price")


def test_keys_are_sealed_never_shown_and_gone_when_disconnected() -> None:
    with fake_shop("woocommerce") as server:
        shop = connected(server)
    assert TOKEN.encode() not in bytes(shop.credentials)
    hook = credentials_of(shop).hook
    assert len(hook) > 30
    shop_disconnect(actor=ACTOR, public_id=shop.public_id)
    shop.refresh_from_db()
    assert credentials_of(shop).token == ""
    assert credentials_of(shop).hook == hook
    assert not any(TOKEN in str(entry.data) for entry in AuditEntry.objects.all())
    again = connected(server)
    assert (again.pk, credentials_of(again).hook) == (shop.pk, hook)
    with pytest.raises(ShopRefused):
        connected(server)
    with pytest.raises(PermissionRefused):
        shop_disconnect(actor=contact_actor(), public_id=shop.public_id)


@pytest.mark.parametrize(
    "address",
    [
        "", "ftp://shop.example", "http://shop.example", "https://user:pass@shop.example", "https://shop.example:8443",
        "https://shop.example/?a=1", "localhost", "javascript:alert(1)", "https://shop.example/../x y", "https://[::1",
    ],
)  # fmt: skip
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises((ShopRefused, ValueError)):
        clean_address(address, private=False)
    assert clean_address("Shop.Example/", private=False) == "https://shop.example"


def test_a_shopify_order_in_our_words() -> None:
    order = shopify.order_of(shopify_order(), shop="shopify:x")
    assert order is not None
    assert (order.number, order.total_minor, order.discount_minor, order.shipping_minor, order.tax_minor) == (
        "#1", 2490, 500, 490, 398,
    )  # fmt: skip
    assert (order.person.external_id, order.person.country, order.coupon) == ("shopify:x:77", "DE", "SPRING")
    assert (order.lines[0].product, order.lines[0].amount_minor) == ("9", 2500)
    assert shopify.order_of(shopify_order(test=True), shop="x") is None
    for status, state in (("pending", "pending"), ("voided", "cancelled"), ("refunded", "refunded")):
        made = shopify.order_of(shopify_order(financial_status=status), shop="x")
        assert made is not None
        assert made.state == state
    cancelled = shopify.order_of(shopify_order(cancelled_at="2026-03-02T00:00:00Z"), shop="x")
    assert cancelled is not None
    assert cancelled.state is OrderState.CANCELLED
    refunded = shopify.order_of(shopify_order(refunds=[shopify_refund()]), shop="x")
    assert refunded is not None
    assert refunded.refunds[0].amount_minor == 1000


def test_a_woocommerce_order_in_our_words() -> None:
    order = woocommerce.order_of(woo_order(refunds=[{"id": 8, "reason": "x", "total": "-900"}]), shop="w")
    assert order is not None
    assert (order.total_minor, order.shipping_minor, order.lines[0].amount_minor) == (2900, 500, 2400)
    assert (order.person.external_id, order.refunds[0].amount_minor) == ("w:3", 900)
    guest = woocommerce.order_of(woo_order(customer_id=0), shop="w")
    assert guest is not None
    assert (guest.person.external_id, guest.person.email) == ("", "ken@example.com")
    assert woocommerce.order_of(woo_order(status="checkout-draft"), shop="w") is None
    plugin = woocommerce.order_of(woo_order(status="awaiting-pickup"), shop="w")
    assert plugin is not None
    assert plugin.state is OrderState.PAID


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(shopify_order())), JSON, st.sampled_from(sorted(woo_order())))
def test_whatever_stands_in_a_field_is_read_or_refused_with_its_place(field: str, value: Any, other: str) -> None:
    places: list[str] = []
    for make, wrong, read in (
        (shopify_order, field, shopify.order_of),
        (woo_order, other, woocommerce.order_of),
    ):
        with contextlib.suppress(CommerceRefused):
            try:
                read(make(**{wrong: value}), shop="x")
            except Unreadable as refused:
                places.append(refused.place)
    assert all(place.startswith("/") for place in places)

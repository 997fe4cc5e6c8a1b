"""Orders, products, files and shops as staff walk them, in both languages; and who may not."""

import io
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from hongyan.accounts.permissions import Role
from hongyan.commerce.models import CommerceSettings, ContactFacts, Order, PrivacyTask, Product, Shop
from hongyan.commerce.privacy_tasks import task_receive
from hongyan.commerce.products import upsert
from hongyan.commerce.shops import shop_connect
from hongyan.commerce.types import OrderKind, OrderState, Person, ProductIn, RefundIn
from hongyan.core.clock import now
from hongyan.ingest.models import Import
from hongyan.jobs.models import Job
from hongyan.jobs.runner import job_run
from tests.commerce.factory import ACTOR, day, line, order, put
from tests.commerce.shop_servers import SECRET, TOKEN, fake_shop, shopify_order
from tests.commerce.test_files import RETAIL
from tests.web_imports.test_wizard import staff

pytestmark = pytest.mark.django_db
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-hans"])


def text(client: Client, path: str, status: int = 200) -> str:
    answer: Any = client.get(path)
    assert answer.status_code == status, path
    return str(answer.content.decode())


@LANGUAGES
def test_empty_pages_help(language: str) -> None:
    client = staff(Role.ADMINISTRATOR, language)
    for path in ("", "products/", "shops/", "privacy/", "currency/", "import/", "shops/new/"):
        text(client, f"/shop/{path}")
    assert "/shop/import/" in text(client, "/shop/")


@LANGUAGES
def test_lists_filters_and_single_pages(language: str) -> None:
    put(
        order("1001", line("tea", "2", "88.00"), line("cup"), refunds=(RefundIn("r1", 500, day(2)),)),
        order("1002", line("tea", "5", "80.00"), at=1, state=OrderState.PENDING),
        order("C9", line("tea", "-2", "88.00"), at=3, kind=OrderKind.CREDIT, state=OrderState.CANCELLED),
        order("2001", person=Person(), at=4),
    )
    put(order("1001", line("tea", "3", "88.00")))
    upsert(
        actor=ACTOR,
        source="shop",
        products=[
            ProductIn("tea", "tea", "龙井", url="https://shop.example/tea", image_url="https://cdn.example/tea.jpg")
        ],
    )
    client = staff(Role.ADMINISTRATOR, language)
    page = text(client, "/shop/")
    assert all(number in page for number in ("1001", "1002", "C9", "2001"))
    for query, shown in (
        ("q=100", {"1001", "1002"}),
        ("state=pending", {"1002"}),
        ("kind=credit", {"C9"}),
        ("customer=none", {"2001"}),
        ("from=2026-03-05", {"2001"}),
        ("source=other", set()),
        (f"product={Product.objects.get(sku='tea').public_id}", {"1001", "1002", "C9", "2001"}),
        (f"product={Product.objects.get(sku='cup').public_id}", set()),
        ("after=forged", {"1001", "1002", "C9", "2001"}),
    ):
        page = text(client, f"/shop/?{query}")
        assert {number for number in ("1001", "1002", "C9", "2001") if f">{number}</a>" in page} == shown, query
    for row in Order.objects.all():
        text(client, f"/shop/orders/{row.public_id}/")
    assert "龙井" in text(client, "/shop/products/?q=tea")
    assert "https://shop.example/tea" in text(client, f"/shop/products/{Product.objects.get(sku='tea').public_id}/")
    shown_product: Any = client.get(f"/shop/products/{Product.objects.get(sku='tea').public_id}/")
    assert "img-src 'self' data: https://cdn.example;" in shown_product.headers["Content-Security-Policy"]
    for path in ("orders", "products", "import", "shops", "privacy"):
        text(client, f"/shop/{path}/{UUID(int=1)}/", 404)
    text(client, "/shop/?contact=nobody", 404)
    text(client, "/shop/?product=nothing", 404)
    row = Order.objects.get(number="2001")
    assert client.post(f"/shop/orders/{row.public_id}/deletion").status_code == 302
    assert not Order.objects.filter(number="2001").exists()


def test_names_are_masked_for_those_who_may_not_see_them() -> None:
    put(order("1", person=Person(email="mei@example.com", full_name="Mei Wang")))
    assert "Mei Wang" in text(staff(Role.SUPPORT), "/shop/")
    page = text(staff(Role.ANALYST), "/shop/")
    assert "Mei Wang" not in page
    assert "mei@" not in page


def test_who_may_not() -> None:
    marketer, analyst = staff(Role.MARKETER), staff(Role.ANALYST)
    assert marketer.get("/shop/shops/").status_code == 403
    assert marketer.get("/shop/privacy/").status_code == 403
    assert marketer.get("/shop/currency/").status_code == 403
    assert analyst.get("/shop/import/").status_code == 403
    put(order("1"))
    assert marketer.post(f"/shop/orders/{Order.objects.get().public_id}/deletion").status_code == 403


@LANGUAGES
def test_a_file_from_upload_to_reconciliation(language: str) -> None:
    client = staff(Role.ADMINISTRATOR, language)
    file = io.BytesIO(RETAIL.encode())
    file.name = "day.csv"
    answer: Any = client.post("/shop/import/", {"kind": "orders", "file": file})
    batch = Import.objects.get()
    base = f"/shop/import/{batch.public_id}/"
    assert answer.headers["Location"] == base + "reading/"
    assert "WHITE HANGING HEART" in text(client, base + "reading/")
    assert client.post(base + "reading/", {"delimiter": "comma", "has_header": "on"}).status_code == 302
    assert "Online Retail" in text(client, base + "columns/")
    batch.refresh_from_db()
    targets = {f"target-{place}": target for place, target in enumerate(batch.mapping)}
    wrong: Any = client.post(base + "columns/", targets | {"source": "", "currency": "GBP"})
    assert wrong.status_code == 422
    values = targets | {"source": "uk", "currency": "GBP", "zone": "Europe/London", "date_order": "ymd"}
    assert client.post(base + "columns/", values).headers["Location"] == base + "trial/"
    text(client, base + "trial/")
    client.post(base + "trial/")
    job_run(job_id=Job.objects.get(kind="order_import_dry_run").pk)
    assert base + "run" in text(client, base + "trial/")
    assert client.post(base + "run").headers["Location"] == base
    text(client, base)
    text(client, base + "progress")
    for act in ("pause", "resumption"):
        assert client.post(base + act).status_code == 302
    job_run(job_id=Job.objects.get(kind="order_import").pk)
    page = text(client, base)
    assert "-10,940.879" in page
    assert Order.objects.filter(source="uk").count() == 7
    assert client.get(f"/imports/{batch.public_id}/").headers["Location"] == base
    assert client.get(f"/imports/{batch.public_id}/rejections.csv").status_code == 200
    broken = io.BytesIO(b"%PDF")
    broken.name = "x.pdf"
    refused: Any = client.post("/shop/import/", {"kind": "orders", "file": broken})
    assert refused.status_code == 422
    assert client.post("/shop/import/", {"kind": "orders"}).status_code == 422


@LANGUAGES
def test_a_shop_from_connection_to_its_past(language: str) -> None:
    client = staff(Role.ADMINISTRATOR, language)
    with fake_shop("shopify") as server:
        server.rows["orders"] = [shopify_order(number) for number in range(1, 5)]
        values = {"kind": "shopify", "address": server.address, "token": TOKEN, "secret": SECRET}
        assert client.post("/shop/shops/new/", values).status_code == 422  # a private address was not allowed
        assert client.post("/shop/shops/new/", values | {"private": "on", "token": ""}).status_code == 422
        answer = client.post("/shop/shops/new/", values | {"private": "on"})
        shop = Shop.objects.get()
        base = f"/shop/shops/{shop.public_id}/"
        assert answer.headers["Location"] == base
        page = text(client, base)
        assert f"/hooks/shop/{shop.public_id}/" in page
        assert TOKEN not in page
        assert SECRET not in page
        assert client.post(base + "test").status_code == 302
        assert client.post(base + "past", {"act": "start"}).status_code == 302
        text(client, base + "progress")
        assert client.post(base + "past", {"act": "pause"}).status_code == 302
        assert client.post(base + "past", {"act": "resume"}).status_code == 302
        job_run(job_id=Job.objects.get(kind="shop_backfill").pk)
    assert Order.objects.count() == 4
    text(client, base)
    assert client.post(base + "keys", {"name": "Teahouse"}).status_code == 302
    assert "Teahouse" in text(client, "/shop/shops/")
    assert client.post(base + "test").status_code == 302
    text(client, base)
    assert client.post(base + "disconnection").status_code == 302
    text(client, base)


@LANGUAGES
def test_a_privacy_request_is_seen_and_closed(language: str) -> None:
    shop = shop_connect(actor=ACTOR, kind="shopify", address="tea.myshopify.com", token="a", secret="b")
    details = {"customer": {"id": 7, "email": "mei@example.com"}, "orders_requested": [1, 2]}
    task = task_receive(shop=shop, what="customers/data_request", contact_id=None, details=details, received_at=now())
    client = staff(Role.PRIVACY_OFFICER, language)
    assert str(task.public_id) in text(client, "/shop/privacy/")
    path = f"/shop/privacy/{task.public_id}/"
    assert "mei@example.com" in text(client, path)
    assert client.post(path, {"note": "sent"}).status_code == 302
    assert "mei@example.com" not in text(client, path)
    assert PrivacyTask.objects.get().note == "sent"
    assert client.post(path, {"note": "again"}).status_code == 404


def test_the_currency_of_the_organisation() -> None:
    put(order("1"))
    client = staff(Role.ADMINISTRATOR)
    assert client.post("/shop/currency/", {"currency": "CNY", "code": ["GBP"], "rate": ["-1"]}).status_code == 422
    assert (
        client.post("/shop/currency/", {"currency": "CNY", "code": ["GBP", ""], "rate": ["9.1", ""]}).status_code == 302
    )
    assert CommerceSettings.objects.get().rates == {"GBP": "9.1"}
    job_run(job_id=Job.objects.get(kind="commerce_facts").pk)
    assert ContactFacts.objects.get().total_minor == 9100


@pytest.mark.parametrize("query", ["q=%00", "source=%00", "state=%00", "after=~"])
@pytest.mark.parametrize("path", ["/shop/", "/shop/products/"])
def test_nonsense_in_the_address_is_no_failure(path: str, query: str) -> None:
    assert staff(Role.ADMINISTRATOR).get(f"{path}?{query}").status_code == 200

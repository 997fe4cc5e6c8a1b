"""Orders and products as a program sends and reads them."""

from typing import Any

import pytest

from hongyan.accounts.permissions import Permission
from hongyan.commerce.models import Order, OrderLine
from hongyan.contacts.models import Contact
from tests.api.conftest import Caller, NewCaller

pytestmark = pytest.mark.django_db


def order(name: str = "1001", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "currency": "CNY",
        "placed_at": "2026-03-01T10:00:00+08:00",
        "customer": {"email": "mei@example.com", "full_name": "王梅"},
        "lines": [{"sku": "tea", "title": "龙井", "quantity": "2", "price": "88.00"}],
        "shipping": "12.00",
    } | more


def test_orders_are_written_read_and_repeated(caller: Caller) -> None:
    body = {"source": "till", "orders": [order(), order("1002", currency="JPY", shipping="500", lines=[])]}
    taken = caller("POST", "/orders", body, key="a")
    assert [item["outcome"] for item in taken] == ["created", "created"]
    assert caller("POST", "/orders", body, key="a") == taken
    assert [item["outcome"] for item in caller("POST", "/orders", body)] == ["unchanged", "unchanged"]
    page = caller("GET", "/orders?limit=1")
    rest = caller("GET", f"/orders?limit=1&cursor={page['next']}")
    assert {page["items"][0]["number"], rest["items"][0]["number"]} == {"1001", "1002"}
    assert rest["next"] is None
    [found] = caller("GET", "/orders?number=1001")["items"]
    whole = caller("GET", f"/orders/{found['id']}")
    assert (whole["total"], whole["shipping"], whole["lines"][0]["amount"]) == ("188.00", "12.00", "176.00")
    bought = caller("GET", f"/contacts/{Contact.objects.get().public_id}/bought")
    assert (bought["orders"], bought["total"], bought["without_rate"]) == (2, "188.00", ["JPY"])
    assert bought["by_currency"][1] == {"currency": "JPY", "orders": 1, "total": "500"}
    caller.send("DELETE", f"/orders/{found['id']}")
    caller("GET", f"/orders/{found['id']}", status=404)
    assert not OrderLine.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"total": "12,50"}, "/orders/0/total", "number"),
        ({"currency": "???"}, "/orders/0/currency", "currency"),
        ({"shipping": "1.234"}, "/orders/0/shipping", "too_fine"),
        ({"placed_at": "2026-03-01T10:00:00"}, "/orders/0", "date"),
        ({"lines": [{"sku": "a", "price": "x"}]}, "/orders/0/lines/0/price", "number"),
        ({"lines": [{"sku": "a", "price": "1", "quantity": "0.00001"}]}, "/orders/0/lines/0/quantity", "quantity"),
        ({"refunds": [{"id": "r", "amount": "x", "at": "2026-03-01T10:00Z"}]}, "/orders/0/refunds/0/amount", "number"),
        ({"score": 3}, "/orders/0/score", "extra_forbidden"),
        ({"state": "sold"}, "/orders/0/state", "enum"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(caller: Caller, wrong: dict[str, Any], pointer: str, code: str) -> None:
    problem = caller("POST", "/orders", {"source": "till", "orders": [order(**wrong)]}, status=422)
    assert [(item["pointer"].removeprefix("/data"), item["code"]) for item in problem["errors"]] == [(pointer, code)]
    assert not Order.objects.exists()


def test_products(caller: Caller) -> None:
    items = [{"id": "p1", "title": "龙井", "price": "88.00", "currency": "CNY"}, {"id": "p2", "url": "javascript:1"}]
    taken = caller("POST", "/products", {"source": "till", "products": items})
    assert [(item["outcome"], item["code"]) for item in taken] == [("created", ""), ("rejected", "url")]
    [found] = caller("GET", "/products?search=龙")["items"]
    assert caller("GET", f"/products/{found['id']}")["price"] == "88.00"
    caller.send("DELETE", f"/products/{found['id']}")
    assert caller("GET", "/products")["items"] == []


def test_a_file_from_upload_to_start(caller: Caller) -> None:
    import io

    file = io.BytesIO("订单号,下单时间,邮箱,商品编码,数量,单价\n1,2026-03-01,mei@example.com,tea,1,9.90\n".encode())
    file.name = "orders.csv"
    made = caller("POST", "/order-files", status=201, files={"file": file})
    assert made["mapping"] == ["number", "placed_at", "email", "sku", "quantity", "unit_price"]
    caller("PUT", f"/order-files/{made['id']}", {"options": {"currency": "EUR"}})
    assert caller("POST", f"/order-files/{made['id']}/start", status=202)["state"] == "started"
    caller("PUT", f"/order-files/{made['id']}", {"options": {"currency": "USD"}}, status=409)


def test_who_may(caller_with: NewCaller) -> None:
    reader = caller_with([Permission.CONTACT_VIEW])
    assert reader("GET", "/orders")["items"] == []
    reader("POST", "/orders", {"source": "x", "orders": [order()]}, status=403)
    caller_with([Permission.IMPORT_RUN])("GET", "/orders", status=403)

"""A local Shopify and a local WooCommerce: signed in or refused, pages, a limit on how often one may ask."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN, SECRET = "shpat_right", "cs_right"


class FakeShop:
    """rows: what it holds. busy: how many of the next requests are answered 429. asked: paths in order."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.rows: dict[str, list[dict[str, Any]]] = {"orders": [], "products": [], "customers": []}
        self.page_size = 3
        self.busy = 0
        self.asked: list[str] = []
        self.fail_after: int | None = None
        self.lead_away = ""
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.answer(self)

            def log_message(self, *_args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        if self.busy:
            self.busy -= 1
            return self._send(request, 429, {"errors": "Too many requests"}, {"Retry-After": "2"})
        if not self._signed_in(request):
            return self._send(request, 401, {"errors": "[API] Invalid API key or access token"})
        if self.fail_after is not None and len(self.asked) > self.fail_after:
            return self._send(request, 500, {})
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        name = parts.path.rpartition("/")[2].removesuffix(".json")
        if name in {"shop", "current"}:
            return self._send(request, 200, {"shop": {"currency": "EUR"}} if name == "shop" else {"code": "EUR"})
        if name not in self.rows:
            return self._send(request, 404, {})
        return self._page(request, name, query)

    def _page(self, request: BaseHTTPRequestHandler, name: str, query: dict[str, str]) -> None:
        rows = self.rows[name]
        if self.kind == "shopify":
            start = int(query.get("page_info", "0"))
            more = start + self.page_size < len(rows)
            base = self.lead_away or self.address
            link = f'<{base}/admin/api/2026-07/{name}.json?limit=3&page_info={start + self.page_size}>; rel="next"'
            headers = {"Link": link} if more else {}
            return self._send(request, 200, {name: rows[start : start + self.page_size]}, headers)
        start = (int(query["page"]) - 1) * self.page_size
        pages = -(-len(rows) // self.page_size)
        headers = {"X-WP-TotalPages": str(pages), "X-WP-Total": str(len(rows))}
        return self._send(request, 200, rows[start : start + self.page_size], headers)

    def _signed_in(self, request: BaseHTTPRequestHandler) -> bool:
        if self.kind == "shopify":
            return request.headers.get("X-Shopify-Access-Token") == TOKEN
        expected = base64.b64encode(f"{TOKEN}:{SECRET}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {expected}"

    def _send(
        self, request: BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> None:
        data = json.dumps(body).encode()
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)


@contextmanager
def fake_shop(kind: str) -> Iterator[FakeShop]:
    shop = FakeShop(kind)
    thread = threading.Thread(target=shop.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        shop.server.shutdown()
        shop.server.server_close()
        thread.join()


def shopify_order(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": 5_000_000 + number,
        "name": f"#{number}",
        "created_at": "2026-03-01T10:00:00-05:00",
        "processed_at": "2026-03-01T10:00:00-05:00",
        "updated_at": "2026-03-01T10:05:00-05:00",
        "cancelled_at": None,
        "currency": "EUR",
        "financial_status": "paid",
        "fulfillment_status": None,
        "total_price": "24.90",
        "total_discounts": "5.00",
        "total_tax": "3.98",
        "total_shipping_price_set": {"shop_money": {"amount": "4.90", "currency_code": "EUR"}},
        "discount_codes": [{"code": "SPRING", "amount": "5.00"}],
        "email": "mei@example.com",
        "customer": {"id": 77, "email": "mei@example.com", "first_name": "Mei", "last_name": "Wang", "phone": None},
        "billing_address": {"country_code": "DE", "city": "Berlin"},
        "line_items": [
            {"id": 1, "product_id": 9, "variant_id": 19, "title": "Tea", "variant_title": "100 g", "sku": "TEA",
             "quantity": 2, "price": "12.50"}
        ],
        "refunds": [],
    } | more  # fmt: skip


def shopify_refund(order: int = 1, amount: str = "10.00") -> dict[str, Any]:
    return {
        "id": 901,
        "order_id": 5_000_000 + order,
        "created_at": "2026-03-05T10:00:00-05:00",
        "note": "broken",
        "transactions": [{"kind": "refund", "status": "success", "amount": amount}],
    }


def woo_order(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "number": str(number),
        "status": "processing",
        "currency": "JPY",
        "date_created_gmt": "2026-03-01T10:00:00",
        "date_modified_gmt": "2026-03-01T10:05:00",
        "date_paid_gmt": "2026-03-01T10:01:00",
        "discount_total": "0",
        "shipping_total": "500",
        "total_tax": "0",
        "total": "2900",
        "customer_id": 3,
        "billing": {"first_name": "Ken", "last_name": "Sato", "email": "ken@example.com", "phone": "", "country": "JP"},
        "line_items": [
            {"id": 1, "name": "茶", "product_id": 4, "quantity": 2, "subtotal": "2400", "price": 1200, "sku": "TEA"}
        ],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
    } | more

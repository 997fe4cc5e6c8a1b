"""The browser libraries of Segment and RudderStack, unmodified, in pages of another origin: told the key and the
address of the server, nothing else."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from hongyan.accounts.types import system_actor
from hongyan.contacts.models import Company, Contact
from hongyan.contacts.selectors import identities
from hongyan.events.models import Event
from hongyan.ingest.intake import lane
from hongyan.ingest.intake.write_keys import shown_secret, write_key_create, write_key_update
from hongyan.ingest.models import QuarantinedRecord, WriteKey
from tests.browser import Site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PACKAGES = Path(__file__).parents[2] / "node_modules"
ADMIN = system_actor("test")

# The package bundled into a site's own code: `AnalyticsBrowser.load({writeKey, cdnURL}, options)`.
SEGMENT = """<script src="/packages/@segment/analytics-next/dist/umd/index.js"></script><script>
window.analytics = AnalyticsNext.AnalyticsBrowser.load({writeKey: "%(key)s", cdnURL: "%(host)s"}, %(options)s);
</script>"""
# The snippet of Segment's own pages: calls wait in an array until the library is there.
SNIPPET = """<script>!function(){var a=window.analytics=window.analytics||[];
a.methods=["track","identify","page","group","alias","reset","ready","setAnonymousId","on","once","off"];
a.factory=function(m){return function(){a.push([m].concat(Array.prototype.slice.call(arguments)));return a}};
a.methods.forEach(function(m){a[m]=a.factory(m)});a.load=function(key,options){var s=document.createElement("script");
s.async=true;s.src="/packages/@segment/analytics-next/dist/umd/standalone.js";document.head.appendChild(s);
a._loadOptions=options};a._writeKey="%(key)s";a._cdn="%(host)s";a.load("%(key)s",%(options)s)}();</script>"""
RUDDERSTACK = """<script type="module">
import { RudderAnalytics } from "/packages/@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs";
window.analytics = new RudderAnalytics();
analytics.load("%(key)s", "%(host)s", {configUrl: "%(host)s", ...%(options)s});
</script>"""
BATCHING = {"integrations": {"Segment.io": {"deliveryStrategy": {"strategy": "batching", "config": {"timeout": 500}}}}}
LIBRARIES = {
    "segment": (SEGMENT, {}, "/v1/t"),
    "segment in batches": (SEGMENT, BATCHING, "/v1/b"),
    "segment's snippet": (SNIPPET, {}, "/v1/t"),
    "rudderstack": (RUDDERSTACK, {}, "/v1/track"),
    "rudderstack in batches": (
        RUDDERSTACK,
        {"queueOptions": {"batch": {"enabled": True, "flushInterval": 500}}},
        "/v1/batch",
    ),
    "rudderstack's beacon": (
        RUDDERSTACK,
        {"useBeacon": True, "beaconQueueOptions": {"flushQueueInterval": 500}},
        "/beacon/v1/batch",
    ),
}  # how it is loaded, what it is told besides key and address, where it then sends events to


@dataclass
class Shop:
    """A website of somebody's own."""

    url: str
    key: WriteKey
    head: str = ""


@pytest.fixture
def shop() -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/packages/"):
                body, kind = (PACKAGES / self.path.removeprefix("/packages/")).read_bytes(), "text/javascript"
            else:
                body, kind = f"<!doctype html><title>Tea</title>{found.head}".encode(), "text/html; charset=utf-8"
            self.send_response(200)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    found = Shop(url, write_key_create(actor=ADMIN, name="Web", kind="browser", origins=[url]).row)
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    found = chromium.new_context()
    yield found
    found.close()


def secret_of(shop: Shop) -> str:
    return shown_secret(actor=ADMIN, row=shop.key)


def visit(context: BrowserContext, site: Site, shop: Shop, library: str) -> Page:
    page_source, options, _ = LIBRARIES[library]
    shop.head = page_source % {"key": secret_of(shop), "host": site.url, "options": json.dumps(options)}
    page = context.new_page()
    page.goto(f"{shop.url}/tea?utm_source=mail")
    page.wait_for_function("window.analytics !== undefined")
    return page


def until(page: Page, condition: Callable[[], bool]) -> None:
    for _ in range(150):
        while lane.take_calls():
            pass
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError(list(Event.objects.values_list("name", "contact_id")))


def facts() -> list[str]:
    return sorted(Event.objects.exclude(name="contact_created").values_list("name", flat=True))


@pytest.mark.parametrize("library", LIBRARIES)
def test_calls_of_a_page_arrive_once_and_become_one_person(
    site: Site, shop: Shop, context: BrowserContext, library: str
) -> None:
    asked = set[str]()
    context.on("request", lambda request: asked.add(request.url.removeprefix(site.url).partition("?")[0]))
    page = visit(context, site, shop, library)
    page.evaluate("analytics.track('Product Viewed', {sku: 'S1', price: 19.9})")
    page.evaluate("analytics.page('Shelf', 'Tea', {season: 'autumn'})")
    until(page, lambda: Event.objects.filter(name="page_viewed").exists())
    assert not Contact.objects.exists()  # whoever it is, nobody knows yet
    page.evaluate("analytics.identify('browser-user', {email: 'browser@example.com', firstName: 'Yue'})")
    page.evaluate("analytics.group('browser-company', {name: 'Tea AG'})")
    page.evaluate("analytics.alias('browser-user', 'visitor-of-the-app')")
    until(page, lambda: Company.objects.filter(external_id="browser-company").exists())
    # Right before the page goes away: what has not left yet goes with a beacon or comes with the next page.
    page.evaluate("analytics.track('Product Added', {sku: 'S1'}); location.href = '/basket'")
    page.wait_for_url("**/basket")
    until(page, lambda: Event.objects.filter(name="product_added").exists())
    page.evaluate("analytics.track('Checkout Started')")
    until(page, lambda: Event.objects.filter(name="checkout_started").exists())

    (contact,) = Contact.objects.all()
    person = identities([contact.pk])[contact.pk]
    assert (person.external_id, person.email, person.given_name) == ("browser-user", "browser@example.com", "Yue")
    assert contact.company_id == Company.objects.get().pk
    wanted = ["checkout_started", "page_viewed", "product_added", "product_viewed"]
    assert [name for name in facts() if name in wanted] == wanted  # once each
    assert set(Event.objects.filter(name__in=wanted).values_list("contact_id", flat=True)) == {contact.pk}
    viewed = Event.objects.get(name="product_viewed").properties
    assert (viewed["sku"], viewed["price"], viewed["page_path"]) == ("S1", 19.9, "/tea")
    assert Event.objects.get(name="page_viewed").properties["season"] == "autumn"
    assert not QuarantinedRecord.objects.exists(), list(QuarantinedRecord.objects.values_list("reason", "place"))
    assert LIBRARIES[library][2] in asked
    assert not [url for url in asked if url.startswith("http") and not url.startswith(shop.url)]  # nobody else was told


@pytest.mark.parametrize("library", ["segment", "segment in batches", "rudderstack", "rudderstack in batches"])
def test_what_the_server_turns_away_for_a_while_is_sent_again(
    site: Site, shop: Shop, context: BrowserContext, library: str
) -> None:
    """A key over its limit (429) and a server in trouble (503)."""
    write_key_update(actor=ADMIN, public_id=shop.key.public_id, name="Web", origins=shop.key.origins, rate_limit=1)
    statuses: list[int] = []
    page = visit(context, site, shop, library)
    page.on("response", lambda answer: statuses.append(answer.status) if _is_intake(answer.request) else None)
    page.evaluate("analytics.track('Product Viewed')")  # the library is running now
    until(page, lambda: Event.objects.filter(name="product_viewed").exists())
    flood(site, secret_of(shop))
    page.evaluate("analytics.track('Product Added')")
    until(page, lambda: Event.objects.filter(name="product_added").exists())
    assert 429 in statuses

    troubles = iter([503])

    def once_in_trouble(route: Route) -> None:
        status = next(troubles, 0) if _is_intake(route.request) else 0
        if not status:
            route.continue_()
            return
        route.fulfill(status=status, headers={"access-control-allow-origin": shop.url}, body="")

    page.route("**/v1/**", once_in_trouble)
    page.evaluate("analytics.track('Checkout Started')")
    until(page, lambda: Event.objects.filter(name="checkout_started").exists())
    assert 503 in statuses
    assert facts() == ["checkout_started", "flood", "product_added", "product_viewed"]


def _is_intake(request: Any) -> bool:
    return request.method == "POST" and re.search(r"/v1/\w+$", request.url) is not None


def flood(site: Site, secret: str) -> None:
    """All that a quiet key may send at once, so that the next call is over its limit. Repeats, which become one."""
    calls = [{"type": "track", "event": "flood", "anonymousId": "f", "messageId": "same"}] * 2_499
    body = json.dumps({"writeKey": secret, "batch": calls}).encode()
    with urlopen(Request(f"{site.url}/v1/batch", body), timeout=10) as answer:
        assert answer.status == 200

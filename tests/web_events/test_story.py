"""Setting up a key, sending the first event, seeing it arrive; and the snippet in a real browser."""

import base64
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page

from hongyan.accounts.permissions import Role
from hongyan.accounts.types import system_actor
from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.events import catalogue
from hongyan.events.models import Event
from hongyan.ingest.intake import lane, visits
from hongyan.ingest.intake.write_keys import write_key_create
from tests.browser import OpenPage, Site, axe_check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADMIN = system_actor("test")


def digest() -> None:
    while lane.take_calls():
        pass
    while catalogue.fold():
        pass


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (
            {"language": "zh-hans", "theme": "light", "width": 1440},
            ("密钥已就绪", "已收到您的第一个事件", "Trial Begun"),
        ),
        (
            {"language": "en", "theme": "dark", "width": 390},
            ("The key is ready", "We saw your first event", "Trial Begun"),
        ),
    ],
)
def test_from_a_new_key_to_the_first_event(
    site: Site, open_page: OpenPage, look: dict[str, Any], words: tuple[str, ...]
) -> None:
    page = open_page("/events/", role=Role.ADMINISTRATOR, **look)
    axe_check(page)
    page.goto(f"{site.url}/events/keys/new/")
    page.fill("[name=name]", "Shop server")
    page.check("[name=kind][value=server]")
    page.click("form.form button[type=submit]")
    page.wait_for_selector(f"text={words[0]}")
    secret = page.locator("hy-code code").first.inner_text().strip()
    axe_check(page)
    call = {"userId": "customer-1", "event": "Trial Begun", "properties": {"plan": "pro", "email": "lin@example.com"}}
    key = base64.b64encode(f"{secret}:".encode()).decode()
    request = Request(f"{site.url}/v1/track", json.dumps(call).encode(), {"Authorization": f"Basic {key}"})
    with urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"success": True}
    digest()
    page.wait_for_selector(f"text={words[1]}")
    page.goto(f"{site.url}/events/live/")
    assert page.locator("tbody tr").count() == 1
    assert "lin@example.com" not in page.content()
    axe_check(page)
    page.goto(f"{site.url}/events/")
    page.click(f"text={words[2]}")
    page.wait_for_selector("[name=about]")
    axe_check(page)
    page.fill("[name=about]", "Somebody tries it")
    page.check("[name=planned]")
    page.locator("[name^=type]").nth(1).select_option("number")
    page.click("form.stack button.btn-primary")
    page.wait_for_selector("[name=about]")
    assert page.input_value("[name=about]") == "Somebody tries it"
    page.goto(f"{site.url}/events/traits/")
    axe_check(page)


PAGE = """<!doctype html><html><head><title>Tea</title>
<script>
!function(w){w.hongyan=w.hongyan||{q:[]};["track","identify","page","group","alias","reset","consent"].forEach(
function(m){w.hongyan[m]=w.hongyan[m]||function(){w.hongyan.q.push([m,arguments])}})}(window);
hongyan.track("Product Viewed", {sku: "S1"});
</script>
<script async src="%(site)s/static/build/hongyan.js" data-write-key="%(key)s" %(more)s></script></head>
<body><form id="news" onsubmit="return false"><input name="mail" value="secret@example.com">
<input name="topic" data-hongyan="value" value="tea"><button>Go</button></form>
<div style="height:5000px"></div></body></html>"""


@pytest.fixture
def shop() -> Any:
    """A website of somebody's own, at another origin than Hongyan."""
    served = {"body": b""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(served["body"])

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"

    def serve(site: Site, key: str, more: str = "") -> str:
        served["body"] = (PAGE % {"site": site.url, "key": key, "more": more}).encode()
        return url

    yield url, serve
    server.shutdown()
    thread.join()
    server.server_close()


Visit = Callable[..., Page]


def arrived(page: Page, *names: str) -> list[Event]:
    """Waits until these events are there."""
    for _ in range(100):
        digest()
        found = list(Event.objects.order_by("id"))
        if set(names) <= {event.name for event in found}:
            return found
        page.wait_for_timeout(100)
    raise AssertionError([event.name for event in Event.objects.all()])


def test_the_snippet_tells_what_a_visitor_does(site: Site, chromium: Browser, shop: Any) -> None:
    url, serve = shop
    key = write_key_create(actor=ADMIN, name="Web", kind="browser", origins=[url]).secret
    serve(site, key)
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{url}/tea?utm_source=mail&utm_campaign=autumn")
    page.wait_for_timeout(1200)  # time on the page is counted from one second on
    page.evaluate("window.scrollTo(0, 2500)")
    page.click("button")
    page.goto(f"{url}/other")
    found = {
        event.name: event for event in arrived(page, "page_viewed", "product_viewed", "form_submitted", "page_left")
    }
    assert found["form_submitted"].properties["fields"] == ["mail", "topic"]
    assert found["form_submitted"].properties["values"] == {"topic": "tea"}
    assert "secret@example.com" not in str([event.properties for event in Event.objects.all()])
    left = found["page_left"].properties
    assert left["path"] == "/tea"
    assert left["seconds"] >= 1
    assert 30 < left["scroll_depth"] < 90
    viewed = Event.objects.filter(name="page_viewed").order_by("id")[0].properties
    assert viewed["path"] == "/tea"
    assert found["product_viewed"].properties.items() >= {"utm_source": "mail", "utm_campaign": "autumn"}.items()
    page.evaluate("hongyan.identify('customer-1', {email: 'lin@example.com'})")
    page.evaluate("hongyan.flush()")
    for _ in range(100):
        digest()
        if Contact.objects.exists():
            break
        page.wait_for_timeout(100)
    assert set(Event.objects.values_list("contact_id", flat=True)) == {Contact.objects.get().pk}
    context.close()


def test_consent_and_refusals_of_the_browser_are_honoured(site: Site, chromium: Browser, shop: Any) -> None:
    url, serve = shop
    key = write_key_create(actor=ADMIN, name="Web", kind="browser", origins=[url]).secret
    serve(site, key, 'data-consent="required"')
    context = chromium.new_context()
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("body")
    page.wait_for_timeout(500)
    assert context.cookies(url) == []
    page.evaluate("hongyan.consent(true)")
    page.evaluate("hongyan.flush()")
    arrived(page, "page_viewed")
    page.evaluate("hongyan.consent(false)")
    assert [cookie["name"] for cookie in context.cookies(url) if cookie["name"] != "hy_session"] == ["hy_consent"]
    context.close()

    Event.objects.all().delete()
    serve(site, key)
    refusing = chromium.new_context()
    refusing.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page = refusing.new_page()
    page.goto(url)
    page.evaluate("hongyan.track('Trial Begun')")
    page.wait_for_timeout(300)
    page.evaluate("hongyan.flush()")
    assert refusing.cookies(url) == []
    digest()
    assert not Event.objects.exists()
    refusing.close()


def test_who_comes_from_a_mail_is_recognised_and_the_token_leaves_the_address(
    site: Site, chromium: Browser, shop: Any
) -> None:
    url, serve = shop
    key = write_key_create(actor=ADMIN, name="Web", kind="browser", origins=[url]).secret
    serve(site, key)
    contact = Contact.objects.create()
    context = chromium.new_context()
    page = context.new_page()
    page.goto(visits.with_token(f"{url}/tea?x=1", contact_id=contact.pk, at=clock.now()))
    page.wait_for_url(f"{url}/tea?x=1")
    page.evaluate("hongyan.flush()")
    arrived(page, "page_viewed")
    for _ in range(50):
        digest()
        if set(Event.objects.values_list("contact_id", flat=True)) == {contact.pk}:
            break
        page.wait_for_timeout(100)
    assert set(Event.objects.values_list("contact_id", flat=True)) == {contact.pk}
    assert "hy=" not in str([event.properties for event in Event.objects.all()])
    context.close()

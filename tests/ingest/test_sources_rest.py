"""JSON APIs: a real server on this machine with pages, limits, broken answers and tokens that run out."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hongyan.contacts.models import Contact
from hongyan.ingest.models_sources import Source
from hongyan.ingest.sources.errors import SourceFailed, SourceRefused
from hongyan.ingest.sources.reading import network
from hongyan.ingest.sources.reading.network import allowed_address
from hongyan.ingest.sources.reading.rest import RESTReader
from hongyan.ingest.sources.reading.scrub import scrub
from hongyan.ingest.sources.types import RunState, SourceKind
from tests.ingest.source_factory import emails, run, source

pytestmark = pytest.mark.django_db
TOKEN = "tok-4711-geheim"


@dataclass
class Shop:
    """What the server does. answers: statuses to give before the right one. asked: paths with their queries."""

    people: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    auth: str = f"Bearer {TOKEN}"
    body: bytes | None = None
    elsewhere: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    shop: Shop

    def do_GET(self) -> None:
        shop = self.shop
        shop.asked.append(self.path)
        if shop.auth and self.headers.get("Authorization") != shop.auth:
            return self._answer(401, {"error": "token expired"})
        if shop.answers:
            status, headers = shop.answers.pop(0)
            return self._answer(status, {"error": "not now"}, headers)
        if shop.body is not None:
            return self._raw(200, shop.body)
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        page, size = int(query.get("page", 1)), 2
        found = [row for row in shop.people if row["updated_at"] >= query.get("since", "")]
        if "offset" in query:
            at = int(query["offset"])
            return self._answer(200, {"data": found[at : at + int(query["limit"])]})
        if self.path.startswith("/cursor"):
            at = int(query.get("after", 0))
            following = at + size if at + size < len(found) else None
            return self._answer(200, {"data": found[at : at + size], "meta": {"next": following}})
        if self.path.startswith("/links"):
            following_link = f'<{shop.url}/links?page={page + 1}>; rel="next"' if page * size < len(found) else ""
            return self._answer(200, found[(page - 1) * size : page * size], {"Link": following_link})
        part = found[(page - 1) * size : page * size]
        self._answer(200, {"data": part, "next": shop.elsewhere or None, "total": len(found)})
        return None

    def do_POST(self) -> None:
        """The token endpoint of OAuth 2."""
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.shop.asked.append(self.path)
        right = self.headers.get("Authorization", "").startswith("Basic ") or body.get("client_secret") == ["s3"]
        self._answer(200 if right else 401, {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600})

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._raw(status, json.dumps(body).encode(), headers)

    def _raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def shop() -> Iterator[Shop]:
    state = Shop(
        people=[
            {"id": n, "updated_at": f"2026-11-0{n}T00:00:00Z", "contact": {"email": f"p{n}@example.cn", "city": "上海"}}
            for n in range(1, 6)
        ]
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"shop": state}))
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between tries, without waiting."""
    kept: list[float] = []
    monkeypatch.setattr("hongyan.ingest.sources.runner._patient", lambda _progress: kept.append)
    return kept


def place(shop: Shop, **more: Any) -> dict[str, Any]:
    return {
        "base_url": shop.url,
        "path": "/people",
        "auth": "bearer",
        "paging": "page_number",
        "records_path": "data",
        "private": True,
        **more,
    }


def of(shop: Shop, **more: Any) -> Source:
    return source(
        SourceKind.REST,
        place(shop, **more),
        secrets={"secret": TOKEN},
        mapping={"contact.email": "email", "contact.city": "city"},
    )


def test_all_pages_and_nested_values(shop: Shop) -> None:
    done = run(of(shop))
    assert (done.state, done.read, done.created) == (RunState.FINISHED, 5, 5)
    assert emails()[0] == "p1@example.cn"


def test_only_what_is_new_by_a_parameter(shop: Shop) -> None:
    made = of(shop, cursor="updated_at", cursor_param="since")
    assert run(made).created == 5
    shop.people.append({"id": 6, "updated_at": "2026-11-09T00:00:00Z", "contact": {"email": "p6@example.cn"}})
    shop.asked.clear()
    again = run(made)
    assert (again.read, again.created) == (1, 1)
    assert "since=2026-11-05" in shop.asked[0]


def test_an_interrupted_read_does_not_move_the_cursor(shop: Shop) -> None:
    made = of(shop, cursor="updated_at", cursor_param="since")
    first = True

    def die(_read: int) -> None:
        nonlocal first
        if first:
            first = False
            raise KeyboardInterrupt

    from hongyan.ingest.sources import runner
    from tests.ingest.source_factory import begin

    begun = begin(made)
    with pytest.raises(KeyboardInterrupt):
        runner.source_run(begun.pk, die)
    made.refresh_from_db()
    assert (made.cursor, Contact.objects.count()) == ("", 2)
    runner.source_run(begun.pk, lambda _read: None)
    begun.refresh_from_db()
    assert (begun.read, begun.created, begun.attempt, Contact.objects.count()) == (5, 5, 2, 5)


def test_too_many_requests_and_a_server_that_stumbles_are_waited_for(shop: Shop, pauses: list[float]) -> None:
    made = of(shop)
    shop.answers = [(429, {"Retry-After": "7"}), (500, {})]
    assert run(made).created == 5
    assert pauses == [7.0, 2.0]


def test_a_server_that_stays_broken_fails_the_run_and_the_next_one_succeeds(shop: Shop) -> None:
    made = of(shop)
    shop.answers = [(503, {})] * network.TRIES
    done = run(made)
    assert (done.state, done.error_code, done.error_detail) == (RunState.FAILED, "server_error", "HTTP 503")
    assert run(made).created == 5


def test_a_token_that_ran_out_is_named_and_never_shown(shop: Shop) -> None:
    made = of(shop)
    shop.auth = "Bearer another"
    done = run(made)
    assert (done.error_code, TOKEN in done.error_detail) == ("login_refused", False)
    assert made.next_run_at is not None


@pytest.mark.parametrize(
    ("more", "secret", "auth"),
    [
        ({"auth": "basic", "username": "shop"}, "pw", "Basic c2hvcDpwdw=="),
        ({"auth": "api_key", "key_name": "Authorization"}, "k-1", "k-1"),
        ({"auth": "none"}, "", ""),
    ],
)
def test_kinds_of_authentication(shop: Shop, more: dict[str, Any], secret: str, auth: str) -> None:
    shop.auth = auth
    looked = RESTReader(place(shop, **more), {"secret": secret}, lambda _s: None).look()
    assert looked.columns == ["id", "updated_at", "contact.email", "contact.city"]


def test_a_token_of_oauth_2(shop: Shop) -> None:
    more = {"auth": "oauth2", "username": "client", "token_url": f"{shop.url}/token"}
    looked = RESTReader(place(shop, **more), {"secret": "s3"}, lambda _s: None).look()
    assert len(looked.records) == 2
    assert shop.asked == ["/token", "/people?page=1"]


def test_a_key_in_the_address_is_not_shown_in_errors(shop: Shop) -> None:
    shop.auth = ""
    more = {"auth": "api_key", "key_name": "key", "key_in": "query"}
    RESTReader(place(shop, **more), {"secret": "k-123456"}, lambda _s: None).look()
    assert "key=k-123456" in shop.asked[0]
    shop.answers = [(400, {})]
    with pytest.raises(SourceFailed) as failed:
        RESTReader(place(shop, **more), {"secret": "k-123456"}, lambda _s: None).look()
    assert "k-123456" not in failed.value.detail + str(failed.value)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize(
    "more",
    [
        {"paging": "offset", "page_size": 2},
        {"paging": "cursor", "path": "/cursor", "next_path": "meta.next", "page_param": "after"},
        {"paging": "header_link", "path": "/links", "records_path": "$"},
        {"paging": "auto", "path": "/links", "records_path": ""},
    ],
)
def test_kinds_of_paging(shop: Shop, more: dict[str, Any]) -> None:
    assert run(of(shop, **more)).created == 5


def test_answers_that_are_no_json_or_repeat_for_ever(shop: Shop) -> None:
    shop.body = b"<html>login</html>"
    with pytest.raises(SourceFailed) as failed:
        of(shop)
    assert failed.value.code == "not_json"
    shop.body = json.dumps({"data": [{"id": 1, "contact": {"email": "a@example.cn"}, "updated_at": "x"}]}).encode()
    made = of(shop)
    done = run(made)
    assert (done.state, done.error_code) == (RunState.FAILED, "pages_repeat")


def test_a_page_cannot_lead_to_another_host(shop: Shop) -> None:
    shop.elsewhere = "http://localhost:9/steal"
    made = of(shop, paging="json_link", next_path="next")
    done = run(made)
    assert (done.error_code, done.created) == ("host_changed", 2)


def test_private_addresses_need_the_administrator_s_word(shop: Shop) -> None:
    with pytest.raises(SourceFailed) as failed:
        of(shop, private=False)
    assert (failed.value.code, failed.value.permanent, shop.asked) == ("address_private", True, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "localhost", "::ffff:127.0.0.1", "10.0.0.8", "::1"])
def test_names_of_this_machine_in_disguise(host: str) -> None:
    with pytest.raises(SourceFailed) as failed:
        allowed_address(host, 80, private=False)
    assert failed.value.code == "address_private"


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "100.100.100.200",
        "fd00:ec2::254",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_the_clouds_own_credentials_are_never_reached(host: str) -> None:
    with pytest.raises(SourceFailed):
        allowed_address(host, 80, private=True)


@pytest.mark.parametrize("url", ["ftp://x", "http://u:p@example.com", "example.com", "file:///etc/passwd"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(SourceRefused):
        RESTReader({"base_url": url}, {}, lambda _s: None)


def test_scrubbing() -> None:
    text = scrub("GET https://u:p@h/x?token=abc123&q=1 failed for li@example.cn +8613800138000: s3cret%21", ["s3cret!"])
    for part in ("u:p", "abc123", "li@", "13800138000", "s3cret"):
        assert part not in text

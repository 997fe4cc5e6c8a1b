"""Segment's HTTP API as clients meet it: answered after the commit, refused with a reason."""

import base64
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from asgiref.sync import sync_to_async
from psycopg_pool import AsyncConnectionPool

from hongyan.accounts.types import system_actor
from hongyan.core.crypto.keyring import keyring
from hongyan.core.dsn import connection_parameters
from hongyan.edge.asgi import EdgeApplication
from hongyan.edge.intake.keys import Keys
from hongyan.ingest.intake import limits, write_keys
from hongyan.ingest.models import IntakeRequest, WriteKey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]
ADMIN = system_actor("test")
TRACK = {"userId": "u1", "event": "Order Completed", "messageId": "m1", "properties": {"total": 19.9}}


async def _fallback(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"django"})


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    application = EdgeApplication(fallback=_fallback)
    await application.intake.started()
    transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as found:
        yield found
    await application.intake.stop()
    if application._writer is not None:
        await application._writer.stop()


async def _key(kind: str = "server", origins: tuple[str, ...] = ()) -> write_keys.NewKey:
    return await sync_to_async(write_keys.write_key_create)(actor=ADMIN, name="Shop", kind=kind, origins=origins)


def _basic(secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{secret}:".encode()).decode()}


@sync_to_async
def _stored() -> list[Any]:
    found = []
    for row in IntakeRequest.objects.order_by("id"):
        body = keyring().records.open(bytes(row.body), owner_id=row.write_key_id)
        assert b"u1" not in bytes(row.body)
        if row.packed:
            import zlib

            body = zlib.decompress(body)
        found.append((row.kind, row.calls, orjson.loads(body)))
    return found


@pytest.mark.parametrize(
    ("path", "kind"), [("track", "track"), ("t", "track"), ("identify", "identify"), ("p", "page"), ("group", "group")]
)
async def test_single_calls_are_stored_sealed_before_the_answer(
    client: httpx.AsyncClient, path: str, kind: str
) -> None:
    key = await _key()
    call = TRACK | {"groupId": "g1"}
    answer = await client.post(f"/v1/{path}", json=call, headers=_basic(key.secret))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await _stored() == [(kind, 1, call)]


async def test_a_batch_is_one_row_whatever_its_encoding(client: httpx.AsyncClient) -> None:
    key = await _key()
    batch = {"batch": [{"type": "track", **TRACK, "messageId": str(number)} for number in range(60)]}
    packed = gzip.compress(orjson.dumps(batch))
    for content, headers in (
        (orjson.dumps(batch), {"content-type": "application/json"}),
        (packed, {"content-encoding": "gzip", "content-type": "application/json"}),
        (packed, {"content-type": "application/x-www-form-urlencoded"}),  # RudderStack's Node client
        (b"\xef\xbb\xbf" + orjson.dumps(batch), {"content-type": "text/plain"}),
    ):
        answer = await client.post("/v1/batch", content=content, headers=headers | _basic(key.secret))
        assert answer.status_code == 200, answer.text
    assert await _stored() == [("", 60, batch)] * 4


async def test_key_in_the_body_as_beacons_send_it(client: httpx.AsyncClient) -> None:
    key = await _key("browser", ("https://shop.example.com",))
    headers = {"origin": "https://shop.example.com", "content-type": "text/plain"}
    answer = await client.post("/v1/t", content=orjson.dumps(TRACK | {"writeKey": key.secret}), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example.com"
    batch = {"writeKey": key.secret, "batch": [{"type": "track", **TRACK}]}
    assert (await client.post("/v1/b", content=orjson.dumps(batch), headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b'{"userId":"u1","event":"x","properties":{"a":NaN}}', 400, "not_json"),
        (b'{"userId":"u1","event":"x","properties":{"a":1e400}}', 400, "not_json"),
        (b"[]", 400, "not_an_object"),
        (b"\x1f\x8bnonsense", 400, "not_gzip"),
        (gzip.compress(b" " * 5_000_000), 413, "body_too_large"),
        (b" " * (limits.BODY_BYTES + 1), 413, "body_too_large"),
        (b'{"userId":"u1","event":"x","userId":"u2"}', 422, "repeated_key"),
        (b'{"event":"x"}', 422, "nobody"),
        (b'{"userId":"u1"}', 422, "event_missing"),
        (b'{"userId":"u1","event":"' + b"x" * 201 + b'"}', 422, "event_too_long"),
        (b'{"userId":"u1","event":"a\\u0000b"}', 422, "event_unprintable"),
        (b'{"userId":["u1"],"event":"x"}', 422, "id_not_text"),
        (b'{"userId":"u1","event":"x","properties":[]}', 422, "object_expected"),
        (b'{"userId":"u1","event":"x","timestamp":"yesterday"}', 422, "time_unreadable"),
        (b'{"userId":"u1","event":"x","timestamp":"1970-01-01"}', 422, "time_too_old"),
        (b'{"userId":"u1","event":"x","properties":' + b'{"a":' * 12 + b"1" + b"}" * 13, 422, "too_deep"),
        (b'{"userId":"u1","event":"x","properties":{"a":"' + b"x" * 40_000 + b'"}}', 422, "call_too_large"),
        (orjson.dumps(TRACK | {"properties": {str(n): n for n in range(600)}}), 422, "too_many_values"),
        (orjson.dumps(TRACK | {"properties": {"k" * 121: 1}}), 422, "key_too_long"),
    ],
)
async def test_what_cannot_be_taken_is_refused_and_nothing_kept(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    key = await _key()
    answer = await client.post("/v1/track", content=body, headers=_basic(key.secret))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert await _stored() == []


async def test_good_calls_of_a_batch_are_kept_beside_bad_ones(client: httpx.AsyncClient) -> None:
    key = await _key()
    batch = {"batch": [{"type": "track", **TRACK}, {"type": "dance", "userId": "u1"}, "nonsense"]}
    answer = await client.post("/v1/batch", json=batch, headers=_basic(key.secret))
    told = answer.json()
    assert (answer.status_code, told["success"], told["quarantined"]) == (200, True, 2)
    assert [(item["index"], item["code"]) for item in told["problems"]] == [
        (1, "type_unknown"),
        (2, "call_not_an_object"),
    ]
    assert await _stored() == [("", 3, batch)]


async def test_too_long_a_batch_and_none_at_all(client: httpx.AsyncClient) -> None:
    key = await _key()
    many = {"batch": [{"type": "track", "userId": "1", "event": "x"}] * (limits.BATCH_CALLS + 1)}
    assert (await client.post("/v1/batch", json=many, headers=_basic(key.secret))).json()["code"] == "batch_too_long"
    assert (await client.post("/v1/batch", json={}, headers=_basic(key.secret))).json()["code"] == "batch_missing"
    assert (await client.post("/v1/batch", json={"batch": []}, headers=_basic(key.secret))).status_code == 200
    assert await _stored() == []


async def test_keys_that_do_not_work(client: httpx.AsyncClient) -> None:
    async def code(headers: dict[str, str]) -> tuple[int, str]:
        answer = await client.post("/v1/track", json=TRACK, headers=headers)
        return answer.status_code, answer.json().get("code", "")

    server = await _key()
    browser = await _key("browser", ("https://shop.example.com", "https://*.example.org"))
    assert await code({}) == (401, "key_missing")
    assert await code(_basic("hyw_guess")) == (401, "key_unknown")
    assert await code({"authorization": "Basic ?"}) == (401, "key_missing")
    assert await code(_basic(server.secret) | {"origin": "https://shop.example.com"}) == (403, "server_key_in_browser")
    assert await code(_basic(browser.secret) | {"origin": "https://evil.example.com"}) == (403, "origin_refused")
    assert await code(_basic(browser.secret) | {"origin": "null"}) == (403, "origin_refused")
    assert await code(_basic(browser.secret) | {"origin": "https://a.example.org"}) == (200, "")
    opened = TRACK | {"event": "email_opened"}
    assert (await client.post("/v1/track", json=opened, headers=_basic(browser.secret))).json()["code"] == (
        "event_reserved"
    )


async def test_a_replaced_key_overlaps_and_an_archived_one_ends(client: httpx.AsyncClient) -> None:
    old = await _key()
    new = await sync_to_async(write_keys.write_key_rotate)(actor=ADMIN, public_id=old.row.public_id)
    for secret in (old.secret, new.secret):
        assert (await client.post("/v1/track", json=TRACK, headers=_basic(secret))).status_code == 200
    await WriteKey.objects.filter(pk=old.row.pk).aupdate(old_until="2020-01-01T00:00:00Z")
    async with AsyncConnectionPool(kwargs=connection_parameters(), min_size=1, open=False) as pool:
        assert await Keys(pool).find(old.secret) is None
        assert await Keys(pool).find(new.secret) is not None
        await sync_to_async(write_keys.write_key_archive)(actor=ADMIN, public_id=old.row.public_id)
        assert await Keys(pool).find(new.secret) is None


async def test_preflight_methods_and_language(client: httpx.AsyncClient) -> None:
    asked = await client.options(
        "/v1/batch", headers={"origin": "https://a.example.com", "access-control-request-method": "POST"}
    )
    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert (await client.get("/v1/track")).status_code == 405
    assert (await client.post("/v1/other")).text == "django"
    english = (await client.post("/v1/track", json=TRACK, headers={"accept-language": "en-GB"})).json()
    assert english["title"].startswith("There is no write key")

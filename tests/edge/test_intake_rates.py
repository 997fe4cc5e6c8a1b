"""How fast a key may send, and what browser libraries are told before they send."""

from collections.abc import AsyncIterator

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from hongyan.accounts.types import system_actor
from hongyan.edge.asgi import EdgeApplication
from hongyan.edge.intake.rates import BURST_S, Rates
from hongyan.ingest.intake import limits
from hongyan.ingest.intake import write_keys as services
from hongyan.ingest.intake.write_keys import KnownKey, WriteKeyRefused
from hongyan.ingest.models import IntakeRequest, WriteKey
from tests.edge.test_intake_requests import TRACK, _basic, _fallback, _key

ADMIN = system_actor("test")
SITE = "https://shop.example.com"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    application = EdgeApplication(fallback=_fallback)
    await application.intake.started()
    transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as found:
        yield found
    await application.intake.stop()


@given(
    rate=st.integers(1, 2_000),
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(1, limits.BATCH_CALLS)), min_size=1, max_size=60),
)
def test_never_more_than_the_burst_and_the_rate_and_waiting_as_told_is_enough(
    rate: int, steps: list[tuple[float, int]]
) -> None:
    at = 0.0
    rates = Rates(lambda: at)
    key = KnownKey(1, "browser", (), rate)
    sent = refused = 0
    for pause, calls in steps:
        at += pause
        wait_s = rates.wait_s(key, calls)
        if wait_s:
            refused += calls
            at += wait_s + 1e-6
            assert rates.wait_s(key, calls) == 0
        sent += calls
        assert sent <= max(rate * BURST_S, limits.BATCH_CALLS) + at * rate + 1e-3
    assert rates.refused[1] == refused


def test_keys_do_not_share_and_no_limit_is_none() -> None:
    rates = Rates(lambda: 0.0)
    slow, other, free = (KnownKey(number, "server", (), rate) for number, rate in ((1, 1), (2, 1), (3, 0)))
    assert rates.wait_s(slow, limits.BATCH_CALLS) == 0
    assert rates.wait_s(slow, 7) == 7
    assert rates.wait_s(other, 1) == 0
    assert all(rates.wait_s(free, limits.BATCH_CALLS) == 0 for _ in range(100))


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_over_the_limit_nothing_is_kept_and_the_key_shows_it(client: httpx.AsyncClient) -> None:
    key = await sync_to_async(services.write_key_create)(actor=ADMIN, name="Slow", kind="server", rate_limit=1)
    many = {"batch": [{"type": "track", **TRACK}] * limits.BATCH_CALLS}
    assert (await client.post("/v1/batch", json=many, headers=_basic(key.secret))).status_code == 200
    refused = await client.post("/v1/batch", json={"batch": many["batch"][:30]}, headers=_basic(key.secret))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 28 <= int(refused.headers["retry-after"]) <= 30
    assert await IntakeRequest.objects.acount() == 1
    handler = client._transport.app  # type: ignore[attr-defined]
    handler.intake._open[1]._read_at = float("-inf")  # the next request reads the keys again
    await client.post("/v1/track", json=TRACK, headers=_basic(key.secret))
    row = await WriteKey.objects.aget(pk=key.row.pk)
    assert (row.refused, row.refused_at is not None) == (30, True)
    handler.intake._open[1]._read_at = float("-inf")
    await client.post("/v1/track", json=TRACK, headers=_basic(key.secret))
    assert (await WriteKey.objects.aget(pk=key.row.pk)).refused == 31  # the call that read; each is written down once


@pytest.mark.django_db
def test_limits_are_set_and_refused() -> None:
    made = {
        kind: services.write_key_create(actor=ADMIN, name=kind, kind=kind, origins=[SITE]).row.rate_limit
        for kind in ("browser", "app", "server")
    }
    assert made == {"browser": 1_000, "app": 1_000, "server": 10_000}
    row = services.write_key_create(actor=ADMIN, name="Web", kind="server", rate_limit=50).row
    assert services.write_key_update(actor=ADMIN, public_id=row.public_id, name="Web", origins=[]).rate_limit == 50
    changed = services.write_key_update(actor=ADMIN, public_id=row.public_id, name="Web", origins=[], rate_limit=0)
    assert changed.rate_limit == 0
    for wrong in (-1, services.MOST_RATE + 1):
        with pytest.raises(WriteKeyRefused, match="rate_bad"):
            services.write_key_update(actor=ADMIN, public_id=row.public_id, name="Web", origins=[], rate_limit=wrong)


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_browser_libraries_ask_before_they_send(client: httpx.AsyncClient) -> None:
    key = await _key("browser", (SITE,))
    origin = {"origin": SITE}
    settings = await client.get(f"/v1/projects/{key.secret}/settings", headers=origin)
    assert settings.headers["access-control-allow-origin"] == SITE
    assert settings.json()["integrations"] == {
        "Segment.io": {"apiKey": key.secret, "apiHost": "localhost:8000/v1", "protocol": "http", "retryQueue": True}
    }
    for path in ("/sourceConfig", "/sourceConfig/"):
        for more in ({"params": {"writeKey": key.secret}}, {"headers": origin | _basic(key.secret)}):
            config = (await client.get(path, **({"headers": origin} | more))).json()  # type: ignore[arg-type]
            assert (config["source"]["enabled"], config["source"]["destinations"]) == (True, [])
    assert (await client.post("/v1/m", content=b'{"series":[]}', headers=origin)).status_code == 200
    assert (await client.post(f"/v1/projects/{key.secret}/settings")).status_code == 405
    assert (await client.get("/v1/projects/hyw_guess/settings", headers=origin)).status_code == 401
    elsewhere = await client.get(f"/v1/projects/{key.secret}/settings", headers={"origin": "https://evil.example.com"})
    assert elsewhere.status_code == 403
    server = await _key()
    assert (await client.get(f"/v1/projects/{server.secret}/settings", headers=origin)).status_code == 403
    asked = {"access-control-request-headers": "authorization,sentat,rsa-new-header", "origin": SITE}
    allowed = (await client.options("/v1/track", headers=asked)).headers["access-control-allow-headers"]
    assert allowed == "authorization,sentat,rsa-new-header"
    odd = {"access-control-request-headers": "a\tb", "origin": SITE}
    assert "authorization" in (await client.options("/v1/track", headers=odd)).headers["access-control-allow-headers"]


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_name_that_is_not_ours_is_never_handed_on(client: httpx.AsyncClient) -> None:
    key = await _key("browser", (SITE,))

    async def told(host: str) -> str:
        answer = await client.get(f"/v1/projects/{key.secret}/settings", headers={"host": host})
        found: str = answer.json()["integrations"]["Segment.io"]["apiHost"]
        return found

    with override_settings(HONGYAN_BASE_URL="https://crm.example.com", ALLOWED_HOSTS=["crm.example.com", "e.shop.cn"]):
        assert await told("evil.example.com") == "crm.example.com/v1"
        assert await told("e.shop.cn") == "e.shop.cn/v1"
        assert await told("crm.example.com:8443") == "crm.example.com:8443/v1"
        assert await told("crm.example.com@evil.example.com") == "crm.example.com/v1"


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_rudderstacks_beacon_brings_its_key_in_the_address(client: httpx.AsyncClient) -> None:
    key = await _key("browser", (SITE,))
    batch = {"batch": [{"type": "track", **TRACK}], "sentAt": "2026-11-22T08:00:00Z"}
    sent = {"json": batch, "headers": {"origin": SITE}}
    assert (await client.post(f"/beacon/v1/batch?writeKey={key.secret}", **sent)).status_code == 200  # type: ignore[arg-type]
    assert (await client.post("/beacon/v1/batch?writeKey=hyw_guess", **sent)).status_code == 401  # type: ignore[arg-type]
    assert (await client.post("/beacon/v1/batch", **sent)).status_code == 401  # type: ignore[arg-type]
    assert await IntakeRequest.objects.acount() == 1

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from asgiref.sync import sync_to_async

from hongyan.accounts.types import contact_actor, system_actor
from hongyan.contacts.consent import consent_record
from hongyan.contacts.types import Channel, ConsentAction, Evidence
from hongyan.core import clock
from hongyan.delivery.links import dynamic_token
from hongyan.delivery.models import Message
from hongyan.delivery.types import MessageKey, MessageState
from hongyan.edge.asgi import EdgeApplication, Receive, Scope, Send
from hongyan.edge.digest import digest_hits
from hongyan.edge.models import Hit
from hongyan.events.models import Event
from hongyan.ingest.intake import visits
from hongyan.ingest.intake.write_keys import write_key_create
from tests.edge.conftest import SentMail

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


async def _not_ours(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    await send({"type": "http.response.start", "status": 404, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": b"django"})


@pytest.fixture
def database(transactional_db: None) -> None:
    """Seen by the connections of the edge."""


@pytest.fixture
async def edge(database: None) -> AsyncIterator[httpx.AsyncClient]:
    application = EdgeApplication(fallback=_not_ours)
    transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://edge", headers={"User-Agent": PHONE}) as client:
        yield client
    await application.intake.stop()
    if application._writer is not None:
        await application._writer.stop()


def _digest() -> list[Event]:
    digest_hits(settled_before=clock.now() + timedelta(seconds=1))
    return list(Event.objects.order_by("id"))


async def test_an_open_is_committed_before_the_picture_is_served(edge: httpx.AsyncClient, sent: SentMail) -> None:
    answer = await edge.get(f"/o/{sent.token}.gif")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/gif"
    assert "no-store" in answer.headers["cache-control"]
    assert await Hit.objects.acount() == 1
    (event,) = await sync_to_async(_digest)()
    assert (event.name, event.contact_id) == ("email_opened", sent.contact.pk)
    assert event.properties == {
        "origin_kind": "campaign", "origin_id": 7, "message_id": sent.message.pk, "machine": None
    }  # fmt: skip


async def test_a_click_leads_to_the_frozen_address_and_says_which_link(edge: httpx.AsyncClient, sent: SentMail) -> None:
    answer = await edge.get(f"/c/{sent.token}/0")
    assert answer.status_code == 302
    target = urlsplit(answer.headers["location"])
    assert (target.hostname, target.path) == ("shop.example.com", "/sale")
    assert "utm_medium=email" in target.query
    (event,) = await sync_to_async(_digest)()
    assert (event.name, event.properties["link"], event.properties["machine"]) == ("email_clicked", 0, None)
    await sent.contact.arefresh_from_db(fields=["last_activity_at"])
    assert sent.contact.last_activity_at == event.occurred_at


@pytest.mark.parametrize("tail", ["9", "-1", "abc", "", "0/x", "99999999999"])
async def test_links_that_are_not_in_the_mail_go_nowhere(edge: httpx.AsyncClient, sent: SentMail, tail: str) -> None:
    answer = await edge.get(f"/c/{sent.token}/{tail}")
    assert answer.status_code == 410
    assert "location" not in answer.headers


async def test_a_forged_token_is_refused_and_nothing_is_stored(edge: httpx.AsyncClient, sent: SentMail) -> None:
    forged = ("A" if sent.token[0] != "A" else "B") + sent.token[1:]
    assert (await edge.get(f"/c/{forged}/0")).status_code == 410
    assert (await edge.get(f"/d/{forged}")).status_code == 410
    assert (await edge.get(f"/o/{forged}.gif")).status_code == 200
    assert await Hit.objects.acount() == 0


async def test_a_personal_link_carries_its_own_signed_address(edge: httpx.AsyncClient, sent: SentMail) -> None:
    key = MessageKey(sent.message.pk, sent.message.month)
    token = await sync_to_async(dynamic_token)(key, "https://shop.example.com/订单?id=1")
    answer = await edge.get(f"/d/{token}")
    assert answer.headers["location"] == "https://shop.example.com/%E8%AE%A2%E5%8D%95?id=1"
    (event,) = await sync_to_async(_digest)()
    assert event.properties["link"] is None


async def test_a_look_ahead_is_answered_and_not_counted(edge: httpx.AsyncClient, sent: SentMail) -> None:
    assert (await edge.head(f"/c/{sent.token}/0")).status_code == 302
    assert (await edge.head(f"/o/{sent.token}.gif")).status_code == 200
    assert await Hit.objects.acount() == 0


async def test_other_addresses_reach_django(edge: httpx.AsyncClient) -> None:
    assert (await edge.get("/contacts/")).headers["x-path"] == "/contacts/"
    assert (await edge.post("/c/abc/0")).headers["x-path"] == "/c/abc/0"


async def test_machines_are_told_apart(edge: httpx.AsyncClient, sent: SentMail) -> None:
    await edge.get(f"/o/{sent.token}.gif", headers={"User-Agent": "Mozilla/5.0"})
    await edge.get(f"/o/{sent.token}.gif", headers={"User-Agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"})
    await edge.get(f"/c/{sent.token}/0", headers={"User-Agent": "python-requests/2.32"})
    events = await sync_to_async(_digest)()
    assert [event.properties["machine"] for event in events] == ["apple_privacy", None, "script"]
    await sent.contact.arefresh_from_db(fields=["last_activity_at"])
    assert sent.contact.last_activity_at is None, "neither pictures nor programs that follow links are the person"


async def test_a_burst_over_all_links_is_one_scanner_however_it_is_digested(sent: SentMail) -> None:
    def burst() -> list[Event]:
        start = clock.now() - timedelta(seconds=30)
        for number in range(4):
            Hit.objects.create(
                at=start + timedelta(milliseconds=800 * number), kind=2, message_id=sent.message.pk,
                month=sent.message.month, link=number, user_agent=PHONE,
            )  # fmt: skip
        for step in range(1, 6):  # digested one by one, as if they had settled at different times
            digest_hits(settled_before=start + timedelta(milliseconds=800 * step - 400))
        return list(Event.objects.all())

    events = await sync_to_async(burst)()
    assert [event.properties["machine"] for event in events] == ["all_links"] * 4


async def test_after_a_withdrawal_of_tracking_nothing_is_kept(edge: httpx.AsyncClient, sent: SentMail) -> None:
    await sync_to_async(consent_record)(
        actor=contact_actor(), contact_id=sent.contact.pk, channel=Channel.TRACKING_OPEN, topic_key=None,
        action=ConsentAction.WITHDRAWN, evidence=Evidence(method="preferences"),
    )  # fmt: skip
    await edge.get(f"/o/{sent.token}.gif")
    assert await sync_to_async(_digest)() == []
    assert await Hit.objects.filter(digested=False).acount() == 0


async def test_many_at_once_are_each_kept_once(edge: httpx.AsyncClient, sent: SentMail) -> None:
    answers = await asyncio.gather(*(edge.get(f"/o/{sent.token}.gif") for _ in range(300)))
    assert {answer.status_code for answer in answers} == {200}
    assert await Hit.objects.acount() == 300


@pytest.mark.parametrize("path", ["/o/{}.gif", "/c/{}/0"])
async def test_a_late_open_or_click_proves_that_an_uncertain_mail_arrived(
    edge: httpx.AsyncClient, sent: SentMail, path: str
) -> None:
    await Message.objects.filter(pk=sent.message.pk).aupdate(state=MessageState.UNCERTAIN, reason="worker_died")
    await edge.get(path.format(sent.token))
    events = await sync_to_async(_digest)()
    assert "email_sent" in {event.name for event in events}
    row = await Message.objects.aget(pk=sent.message.pk)
    assert (row.state, row.reason) == (MessageState.SENT, "resolved")
    await edge.get(path.format(sent.token))
    again = await sync_to_async(_digest)()
    assert [event.name for event in again].count("email_sent") == 1


async def test_a_click_to_a_website_of_ours_brings_along_whose_mail_it_was(
    edge: httpx.AsyncClient, sent: SentMail
) -> None:
    plain = (await edge.get(f"/c/{sent.token}/0")).headers["location"]
    parts = urlsplit(plain)
    await sync_to_async(write_key_create)(
        actor=system_actor("test"), name="Web", kind="browser", origins=[f"{parts.scheme}://{parts.netloc}"]
    )
    application = EdgeApplication(fallback=_not_ours)
    transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as fresh:
        location = (await fresh.get(f"/c/{sent.token}/0")).headers["location"]
        looked_ahead = (await fresh.head(f"/c/{sent.token}/0")).headers["location"]
    await application.intake.stop()
    if application._writer is not None:
        await application._writer.stop()
    found = parse_qs(urlsplit(location).query)["hy"][0]
    assert visits.read(found, at=clock.now()) == sent.contact.pk
    assert visits.read(found, at=clock.now() + timedelta(hours=2)) is None
    assert visits.read(found[:-2] + "xx", at=clock.now()) is None
    assert looked_ahead == plain

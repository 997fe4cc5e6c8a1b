"""The sender lane against a real server: who is mailed, who is not and why, and what is written down."""

import asyncio
import email
import email.policy
from collections import Counter
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings

from hongyan.contacts.consent import unsubscribe
from hongyan.contacts.models import Contact
from hongyan.contacts.suppression import is_suppressed, suppress
from hongyan.contacts.types import Evidence, SuppressionReason
from hongyan.core import clock
from hongyan.delivery import services
from hongyan.delivery.lane.claims import claim_take, claims_recover
from hongyan.delivery.lane.journal import Journal
from hongyan.delivery.links import read_bounce_address, read_message_id_header, read_message_token
from hongyan.delivery.models import Claim, DirectContent, Message, Throttle
from hongyan.delivery.selectors import progress
from hongyan.delivery.sender import SenderOptions, run_sender
from hongyan.delivery.types import MessageKey, MessageState, Origin, Reason
from hongyan.events.models import Event
from tests.delivery import factory
from tests.delivery.servers import Handler, good_server, relay, scripted_server

pytestmark = [pytest.mark.usefixtures("outbox"), pytest.mark.django_db(transaction=True)]
DRAIN = SenderOptions(batch=50, poll_s=0.02, connections=4, drain=True, idle_s=0.2)


def origin(number: int = 1) -> Origin:
    return Origin.starting("campaign", number)


def dispatched(number: int = 1, **values: object) -> int:
    chosen = {
        "origin": origin(number),
        "content_version_id": values.pop("content", None) or factory.content().pk,
        "sender_id": values.pop("sender", None) or factory.sender().pk,
        "topic_id": factory.topic().pk,
        "members": factory.everybody(),
        "due_at": clock.now(),
    }
    return services.dispatch(**{**chosen, **values})  # type: ignore[arg-type]


async def deliver(handler: Handler, **options: object) -> None:
    async with good_server(handler, **options) as port:
        await asyncio.wait_for(run_sender(asyncio.Event(), worker_name="t", relay=relay(port), options=DRAIN), 30)


def html_of(raw: bytes) -> str:
    body = email.message_from_bytes(raw, policy=email.policy.SMTP).get_body(("html",))
    assert body is not None
    return str(body.get_content())


def states() -> dict[MessageState, int]:
    return Counter(MessageState(state) for state in Message.objects.values_list("state", flat=True))


async def test_everybody_gets_their_own_mail_once() -> None:
    people = [await sync_to_async(factory.contact)() for _ in range(120)]
    handler, sender, content = Handler(), await sync_to_async(factory.sender)(), await sync_to_async(factory.content)()
    assert await sync_to_async(dispatched)(sender=sender.pk, content=content.pk) == 120
    assert await sync_to_async(dispatched)(sender=sender.pk, content=content.pk) == 0
    await deliver(handler)
    got = Counter(mail.rcpt_tos[0] for mail in handler.mails)
    assert len(got) == 120
    assert set(got.values()) == {1}
    found = await sync_to_async(progress)(origin())
    assert found.states == {MessageState.SENT: 120}
    assert found.finished
    assert found.codes == {250: 120}
    names = [name async for name in Event.objects.values_list("name", flat=True)]
    assert names == ["email_sent"] * 120
    row = await Message.objects.afirst()
    assert row is not None
    assert row.message_id
    assert row.content_sha256 is not None
    assert row.remote_ip == row.sending_ip == "127.0.0.1"
    assert row.claimed_at <= row.dotted_at <= row.finished_at  # type: ignore[operator]
    assert len(people) == 120


async def test_a_dot_that_could_not_be_committed_is_not_sent_and_nobody_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(30):
        await sync_to_async(factory.contact)()
    await sync_to_async(dispatched)()
    real = Journal._commit
    refused: list[int] = []

    async def commit(self: Journal, dots: Any, results: Any) -> set[int]:
        if dots and len(refused) < 2:
            refused.extend(dot.work.row.id for dot in dots)
            raise psycopg.OperationalError
        return await real(self, dots, results)

    monkeypatch.setattr(Journal, "_commit", commit)
    options = SenderOptions(batch=10, poll_s=0.02, connections=4, drain=True, idle_s=0.2, lease=timedelta(seconds=0.4))
    handler = Handler()
    async with good_server(handler) as port:
        async with asyncio.timeout(30):
            while not (await sync_to_async(progress)(origin())).finished:
                await run_sender(asyncio.Event(), worker_name="t", relay=relay(port), options=options)
    assert refused
    assert Counter(mail.rcpt_tos[0] for mail in handler.mails).most_common(1)[0][1] == 1
    assert await sync_to_async(states)() == {MessageState.SENT: 30}
    assert not await Claim.objects.aexists()


async def test_the_mail_is_personal_tracked_and_conforms() -> None:
    person = await sync_to_async(factory.contact)(full_name="张三", email="zhang@example.com")
    handler = Handler()
    await sync_to_async(dispatched)()
    await deliver(handler)
    (mail,) = handler.mails
    read = email.message_from_bytes(mail.original_content or b"", policy=email.policy.SMTP)
    row = await Message.objects.aget()
    key = MessageKey(row.id, row.month)
    assert str(read["Subject"]) == "张三,九月专享"
    assert read["To"] == "zhang@example.com"
    assert await sync_to_async(read_message_id_header)(str(read["Message-ID"])) == key
    assert await sync_to_async(read_bounce_address)(mail.mail_from or "") == key
    html = html_of(mail.original_content or b"")
    assert "张三" in html
    assert "https://shop.example.com/sale" not in html
    token = html.split("/c/")[1].split("/")[0]
    assert await sync_to_async(read_message_token)(token) == key
    assert f"/o/{token}.gif" in html
    assert f"/u/{token}" in str(read["List-Unsubscribe"])
    assert person.pk == row.contact_id


async def test_without_tracking_consent_there_is_no_pixel_and_links_stay() -> None:
    await sync_to_async(factory.contact)(country="FR")
    handler = Handler()
    await sync_to_async(dispatched)()
    await deliver(handler)
    html = html_of(handler.mails[0].original_content or b"")
    assert "https://shop.example.com/sale" in html
    assert "/o/" not in html
    assert "/c/" not in html


async def test_each_refusal_has_its_reason() -> None:
    def people() -> dict[int, str]:
        gone = factory.contact()
        listed = factory.contact(email="listed@example.com")
        suppress(actor=factory.ACTOR, kind="email", value="listed@example.com", reason=SuppressionReason.COMPLAINED)
        left = factory.contact()
        unsubscribe(
            actor=factory.ACTOR, contact_id=left.pk, topic_key="promotion", evidence=Evidence(method="one_click")
        )
        expected = {
            factory.contact(consent=False).pk: "no_consent",
            factory.contact(email="").pk: "no_email",
            listed.pk: "suppressed_complained",
            left.pk: "unsubscribed",
            factory.contact(email="broken@@example.com").pk: "bad_address",
            factory.contact(email="用户@example.com").pk: "unsendable_eai",
            factory.contact(full_name="").pk: "empty_value",
            gone.pk: "no_contact",
        }
        html = "<p>{{ contact.full_name }}</p><a href='{{ unsubscribe_url }}'>x</a>"
        dispatched(content=factory.content(html=html, subject="s").pk)
        Contact.objects.filter(pk=gone.pk).delete()
        return expected

    expected = await sync_to_async(people)()
    handler = Handler()
    await deliver(handler)
    assert handler.mails == []
    found = {row.contact_id: row.reason async for row in Message.objects.all()}
    assert found == expected
    assert await sync_to_async(states)() == {MessageState.REFUSED: len(expected)}
    assert not [row async for row in Event.objects.all()]


async def test_smtputf8_address_goes_out_where_it_is_announced() -> None:
    await sync_to_async(factory.contact)(email="用户@example.com")
    handler = Handler()
    await sync_to_async(dispatched)()
    await deliver(handler, enable_SMTPUTF8=True)
    assert handler.mails[0].rcpt_tos == ["用户@example.com"]
    assert b"To: " + "用户@example.com".encode() in (handler.mails[0].original_content or b"")


async def test_hard_bounce_suppresses_the_address_for_good() -> None:
    await sync_to_async(factory.contact)(email="gone@example.com")
    await sync_to_async(dispatched)()
    await deliver(Handler({"gone@example.com": "550 5.1.1 <gone@example.com>: user unknown"}))
    row = await Message.objects.aget()
    assert (row.state, row.reason, row.smtp_code) == (MessageState.BOUNCED, Reason.UNKNOWN_RECIPIENT, 550)
    assert "gone" not in row.smtp_text
    assert await sync_to_async(is_suppressed)(kind="email", value="gone@example.com") == SuppressionReason.HARD_BOUNCE
    event = await Event.objects.aget()
    assert event.name == "email_bounced"
    await sync_to_async(dispatched)(2, sender=row.sender_id)
    handler = Handler()
    await deliver(handler)
    assert handler.mails == []


async def test_our_own_fault_never_blames_the_recipient_and_spares_the_rest() -> None:
    answers = {}
    for number in range(3):
        await sync_to_async(factory.contact)(email=f"u{number}@gmail.test")
        answers[f"u{number}@gmail.test"] = "550 5.7.26 unauthenticated mail from example.com"
    await sync_to_async(dispatched)()
    await deliver(Handler(answers))
    assert await sync_to_async(is_suppressed)(kind="email", value="u0@gmail.test") is None
    throttle = await Throttle.objects.aget()
    assert (throttle.domain, throttle.reason) == ("gmail.test", Reason.SENDER_FAULT)


async def test_temporary_refusal_is_tried_again_later_with_the_same_message_id() -> None:
    await sync_to_async(factory.contact)(email="busy@example.com")
    await sync_to_async(dispatched)()
    await deliver(Handler({"busy@example.com": "452 4.2.2 over quota"}))
    row = await Message.objects.aget()
    assert (row.state, row.reason, row.attempts) == (MessageState.DEFERRED, Reason.MAILBOX_FULL, 1)
    assert row.wake_at is not None
    assert row.wake_at > clock.now() + timedelta(minutes=1)
    await Message.objects.aupdate(wake_at=clock.now())
    handler = Handler()
    await deliver(handler)
    again = await Message.objects.aget()
    assert (again.state, again.attempts) == (MessageState.SENT, 2)
    names = sorted([name async for name in Event.objects.values_list("name", flat=True)])
    assert names == ["email_deferred", "email_sent"]


async def test_throttling_domain_is_left_alone_for_a_while() -> None:
    for number in range(3):
        await sync_to_async(factory.contact)(email=f"u{number}@qq.test")
    await sync_to_async(dispatched)()
    busy = {f"u{number}@qq.test": "450 4.2.1 receiving mail at a rate" for number in range(3)}
    await deliver(Handler(busy))
    throttle = await Throttle.objects.aget()
    assert (throttle.domain, throttle.level) == ("qq.test", 1)
    await Message.objects.aupdate(wake_at=clock.now())
    handler = Handler()
    await deliver(handler)
    assert handler.mails == []
    assert {row.wake_at async for row in Message.objects.all()} == {throttle.until}


async def test_lost_answer_parks_marketing_and_repeats_transactional() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        await reader.readline()
        writer.write(b"250-x\r\n250 PIPELINING\r\n")
        while line := await reader.readline():
            if line.startswith(b"DATA"):
                writer.write(b"250 ok\r\n250 ok\r\n354 go\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                return

    await sync_to_async(factory.contact)()
    await sync_to_async(dispatched)()
    await sync_to_async(services.send_now)(kind="optin", origin_id=1, to="new@example.com", mail=factory.letter())
    async with scripted_server(script) as port:
        await asyncio.wait_for(run_sender(asyncio.Event(), worker_name="t", relay=relay(port), options=DRAIN), 30)
    rows = {row.origin_kind: row async for row in Message.objects.all()}
    assert (rows["campaign"].state, rows["campaign"].reason) == (MessageState.UNCERTAIN, Reason.ANSWER_LOST)
    assert (rows["optin"].state, rows["optin"].reason) == (MessageState.DEFERRED, Reason.ANSWER_LOST)
    await Message.objects.filter(origin_kind="optin").aupdate(wake_at=clock.now())
    handler = Handler()
    await deliver(handler)
    (mail,) = handler.mails
    read = email.message_from_bytes(mail.original_content or b"", policy=email.policy.SMTP)
    assert read["Message-ID"] == f"<{rows['optin'].message_id}>"
    assert await DirectContent.objects.acount() == 0


async def test_paused_origin_rests_and_goes_on() -> None:
    for _ in range(3):
        await sync_to_async(factory.contact)()
    await sync_to_async(dispatched)()
    await sync_to_async(services.pause)(actor=factory.ACTOR, origin=origin())
    handler = Handler()
    await deliver(handler)
    assert handler.mails == []
    found = await sync_to_async(progress)(origin())
    assert (found.held, found.waiting) == ("pause", 3)
    await sync_to_async(services.resume)(actor=factory.ACTOR, origin=origin())
    await deliver(handler)
    assert len(handler.mails) == 3


async def test_cancelled_origin_sends_nothing_more() -> None:
    for _ in range(3):
        await sync_to_async(factory.contact)()
    await sync_to_async(dispatched)()
    held = await sync_to_async(claim_take)(worker="other", limit=1, lease=timedelta(seconds=-1))
    assert len(held) == 1
    assert await sync_to_async(services.cancel)(actor=factory.ACTOR, origin=origin()) == 2
    await sync_to_async(claims_recover)()
    handler = Handler()
    await deliver(handler)
    assert handler.mails == []
    assert await sync_to_async(states)() == {MessageState.CANCELLED: 3}


async def test_direct_mail_leaves_no_trace_of_its_text() -> None:
    key = await sync_to_async(services.send_now)(
        kind="staff", origin_id=7, to="admin@example.com", mail=factory.letter("重置密码")
    )
    assert key is not None
    assert await DirectContent.objects.acount() == 1
    handler = Handler()
    await deliver(handler)
    read = email.message_from_bytes(handler.mails[0].original_content or b"", policy=email.policy.SMTP)
    assert str(read["Subject"]) == "重置密码"
    assert read["Auto-Submitted"] == "auto-generated"
    assert await DirectContent.objects.acount() == 0
    assert not [row async for row in Event.objects.all()]


async def test_relay_that_is_down_loses_nothing(settings: LazySettings) -> None:
    await sync_to_async(factory.contact)()
    await sync_to_async(dispatched)()
    stop = asyncio.Event()
    lane = asyncio.create_task(run_sender(stop, worker_name="t", relay=relay(1), options=DRAIN))
    async with asyncio.timeout(20):
        while not await Throttle.objects.filter(domain="*").aexists():  # noqa: ASYNC110  another connection writes it
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.wait_for(lane, 20)
    row = await Message.objects.aget()
    assert (row.state, row.attempts) == (MessageState.QUEUED, 0)
    handler = Handler()
    await deliver(handler)
    assert len(handler.mails) == 1
    assert not await Throttle.objects.filter(domain="*").aexists()


async def test_low_disk_stops_new_sends(settings: LazySettings) -> None:
    await sync_to_async(factory.contact)()
    await sync_to_async(dispatched)()
    settings.HONGYAN_MIN_FREE_MB = 2**31
    handler = Handler()
    await deliver(handler)
    assert handler.mails == []
    assert await sync_to_async(states)() == {MessageState.QUEUED: 1}


async def test_single_mail_asks_the_gate_again_before_it_leaves() -> None:
    def queue() -> dict[str, str]:
        person, gone, listed = (factory.contact(consent=False) for _ in range(3))
        suppress(actor=factory.ACTOR, kind="email", value="typed@example.com", reason=SuppressionReason.COMPLAINED)
        suppress(actor=factory.ACTOR, kind="domain", value="closed.example", reason=SuppressionReason.MANUAL)
        to = {"fine@example.com": person, "typed@example.com": listed, "x@closed.example": listed}
        to["gone@example.com"] = gone
        for number, (address, contact) in enumerate(to.items()):
            services.send_now(kind="optin", origin_id=number, to=address, mail=factory.letter(), contact_id=contact.pk)
        services.send_now(kind="staff", origin_id=9, to="typed@example.com", mail=factory.letter())
        Contact.objects.filter(pk=gone.pk).delete()
        return {"1": "suppressed_complained", "2": "suppressed_manual", "3": "no_contact"}

    expected = await sync_to_async(queue)()
    handler = Handler()
    await deliver(handler)
    assert sorted(mail.rcpt_tos[0] for mail in handler.mails) == ["fine@example.com", "typed@example.com"]
    refused = Message.objects.filter(state=MessageState.REFUSED)
    assert {str(row.origin_id): row.reason async for row in refused} == expected
    assert await DirectContent.objects.acount() == 0

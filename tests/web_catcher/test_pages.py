"""The inbox of caught mail: seen only by those who may, and whatever a mail holds stays inside its frame."""

import asyncio
import os
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.delivery import caught
from hongyan.delivery.catcher import header_of, run_catcher
from hongyan.delivery.models import CaughtMail
from hongyan.delivery.transports.smtp import Envelope, SMTPConnection
from hongyan.delivery.transports.wire import body_of
from tests.browser import OpenPage, axe_check, staff
from tests.delivery.factory import ACTOR
from tests.delivery.servers import relay

RAW = (
    "From: =?utf-8?b?6bi/6ZuB?= <shop@news.example.com>\r\nTo: zhang@example.com\r\nSubject: =?utf-8?b?5L2g5aW9?=\r\n"
    "List-Unsubscribe: <{url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain words\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<h1>Offer</h1>"
    '<img src="https://img.example.com/a.png" alt="tea"><p>goose</p>\r\n--b--\r\n'
)


def keep(
    *, subject: str = "你好", to: str = "zhang@example.com", url: str = "https://elsewhere.test/u/x"
) -> CaughtMail:
    raw = RAW.format(url=url).encode()
    return CaughtMail.objects.create(
        received_at=datetime.now(tz=UTC), mail_from="bounce@x.test", rcpt_to=to, subject=subject,
        from_header="鸿雁 <shop@news.example.com>", size=len(raw), raw=raw,
    )  # fmt: skip


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(staff(Role.ADMINISTRATOR, language="en"))
    return client


@pytest.mark.django_db
def test_only_those_who_may_see_the_system_see_mail(client: Client) -> None:
    mail = keep()
    client.force_login(staff(Role.SALES, language="en"))
    for name in ("index", "list"):
        assert client.get(reverse(f"catcher:{name}")).status_code == 403
    for name in ("body", "source"):
        assert client.get(reverse(f"catcher:{name}", args=[mail.public_id])).status_code == 403
    assert client.post(reverse("catcher:delete_all")).status_code == 403
    assert CaughtMail.objects.count() == 1


@pytest.mark.django_db
def test_mail_is_found_read_and_deleted(administrator: Client) -> None:
    mail = keep()
    keep(subject="other", to="li@example.com")
    found = administrator.post(reverse("catcher:index"), {"text": "zhang"})
    assert "zhang" not in found.headers["Location"]
    page = administrator.get(found.headers["Location"]).content.decode()
    assert "zhang@example.com" in page
    assert "li@example.com" not in page
    for view, expected in (
        ("text", "plain words"),
        ("headers", "List-Unsubscribe"),
        ("source", "multipart/alternative"),
    ):
        shown = administrator.get(
            reverse("catcher:index"), {"mail": str(mail.public_id), "view": view}
        ).content.decode()
        assert expected in shown
    assert administrator.get(reverse("catcher:index"), {"mail": "nonsense", "after": "x"}).status_code == 200
    assert administrator.get(reverse("catcher:source", args=[mail.public_id])).content == bytes(mail.raw)
    administrator.post(reverse("catcher:delete_all"))
    assert CaughtMail.objects.count() == 0
    assert administrator.get(reverse("catcher:body", args=[mail.public_id])).status_code == 404


@pytest.mark.django_db
def test_mail_of_others_is_hidden_from_those_who_may_not_see_identities(client: Client) -> None:
    marketer = staff(Role.MARKETER, language="en")
    client.force_login(marketer)
    theirs, own = keep(subject="王明,你好"), keep(subject="[test] offer", to=marketer.email)
    page = client.get(reverse("catcher:index")).content.decode()
    assert "zhang@example.com" not in page
    assert "z***@example.com" in page
    assert "王明" not in page
    assert "[test] offer" in page
    found = client.post(reverse("catcher:index"), {"text": "王明"}, follow=True).content.decode()
    assert "z***@example.com" not in found
    shown = client.get(reverse("catcher:index"), {"mail": str(theirs.public_id)}).content.decode()
    assert "somebody else" in shown
    assert "plain words" not in shown
    for name in ("body", "source"):
        assert client.get(reverse(f"catcher:{name}", args=[theirs.public_id])).status_code == 404
        assert client.get(reverse(f"catcher:{name}", args=[own.public_id])).status_code == 200
    assert client.post(reverse("catcher:unsubscribe", args=[theirs.public_id])).status_code == 404


@pytest.mark.django_db
def test_the_body_is_locked_into_its_frame(administrator: Client) -> None:
    mail = keep()
    answer = administrator.get(reverse("catcher:body", args=[mail.public_id]))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    without = administrator.get(reverse("catcher:body", args=[mail.public_id]), {"images": "0"})
    assert "img-src 'none'" in without["Content-Security-Policy"]


@pytest.mark.django_db
def test_one_click_goes_only_to_this_installation(administrator: Client) -> None:
    mail = keep(url="http://169.254.169.254/latest")
    page = administrator.post(reverse("catcher:unsubscribe", args=[mail.public_id]), follow=True).content.decode()
    assert "no one-click address of this installation" in page


@pytest.mark.django_db
def test_hostile_mails_are_shown_not_raised() -> None:
    for raw in (
        b"",
        b"\x00\xff\xfe",
        b"Subject: =?x?q?\xff?=\r\n\r\n",
        b"Content-Type: text/html; charset=nope\r\n\r\nx",
    ):
        subject, _ = header_of(raw)
        assert isinstance(subject, str)
        mail = CaughtMail.objects.create(
            received_at=datetime.now(tz=UTC), mail_from="", rcpt_to="a@b.test", subject=subject, size=len(raw), raw=raw
        )
        assert caught.caught_read(actor=ACTOR, public_id=mail.public_id).row.size == len(raw)


@pytest.mark.django_db(transaction=True)
async def test_the_catcher_keeps_what_it_accepts() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    listening: asyncio.Future[int] = loop.create_future()
    catcher = asyncio.create_task(run_catcher(stop, port=0, listening=listening))
    connection = await SMTPConnection.connect(relay(await listening))
    raw = RAW.format(url="https://x.test/u").encode()
    for number in range(30):
        assert await connection.offer(Envelope("b@x.test", f"p{number}@example.com", len(raw))) is None
        assert (await connection.finish(body_of(raw))).code == 250
    await connection.quit()
    found = await sync_to_async(lambda: list(CaughtMail.objects.order_by("id")))()
    assert [mail.rcpt_to for mail in found] == [f"p{number}@example.com" for number in range(30)]
    assert found[0].subject == "你好"
    assert bytes(found[0].raw) == raw
    stop.set()
    await asyncio.wait_for(catcher, 10)
    from django.db import connections

    await sync_to_async(connections.close_all)()


@pytest.mark.browser
@pytest.mark.parametrize(("language", "width"), [("zh-hans", 1440), ("en", 390)])
def test_reading_in_a_browser(open_page: OpenPage, language: str, width: int) -> None:
    mail = keep()
    page = open_page(f"/caught/?mail={mail.public_id}", role=Role.ADMINISTRATOR, language=language, width=width)
    frame = page.frame_locator("iframe.caught-frame")
    frame.get_by_role("heading", name="Offer").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe_check(page)
    if folder := os.environ.get("HONGYAN_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/caught-{language}-{width}.png")

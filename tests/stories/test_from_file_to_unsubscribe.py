"""The main job, through the real pages, worker, SMTP and links: from a customer's file to somebody who said stop.

One person after the other does what they would do; nothing is put into the database behind the product's back but the
staff, the sender identity and, at the end, what is looked up there.
"""

import contextlib
import email
import email.policy
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from playwright.sync_api import Page, expect
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from hongyan.accounts.permissions import Role
from hongyan.audit.models import AuditEntry
from hongyan.audit.services import verify
from hongyan.campaigns.models import Campaign
from hongyan.contacts.models import ConsentRecord, Contact, Topic
from hongyan.content.models import Template
from hongyan.core import clock
from hongyan.delivery.models import CaughtMail, Message
from hongyan.delivery.types import MessageState
from tests.browser import OpenPage, Site, staff
from tests.delivery import factory as delivery
from tests.stories.conftest import Machinery, picture

pytestmark = pytest.mark.browser

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Thunderbird/144.0"


@dataclass(frozen=True)
class Tongue:
    """What differs between the languages."""

    code: str
    encoding: str
    header: str
    name_field: str
    city: str
    names: str
    add_condition: str
    city_label: str
    unsubscribed: str


CHINESE = Tongue("zh-hans", "gb18030", "姓名,邮箱,手机,城市", "full_name", "上海", "王小雨", "添加条件", "城市", "退订")
ENGLISH = Tongue(
    "en",
    "utf-8",
    "First name,E-mail,Phone,City",
    "given_name",
    "Leeds",
    "Ada",
    "Add a condition",
    "City",
    "nsubscribed",
)


def customers(tongue: Tongue) -> bytes:
    """20 people: 12 in the city, 6 elsewhere, 2 whose address is none."""
    lines = [tongue.header]
    lines += [f"{tongue.names}{n},person{n}@example.com,1380013{n:04},{tongue.city}" for n in range(12)]
    lines += [f"{tongue.names}{n},person{n}@example.com,1380013{n:04},Elsewhere" for n in range(12, 18)]
    lines += [
        f"{tongue.names}18,not an address,13800138888,{tongue.city}",
        f"{tongue.names}19,a@@b.example,,{tongue.city}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode(tongue.encoding)


@pytest.mark.parametrize("tongue", [CHINESE, ENGLISH], ids=["zh-hans", "en"])
def test_from_file_to_unsubscribe(tongue: Tongue, site: Site, machinery: Machinery, open_page: OpenPage) -> None:
    sender = delivery.sender(website="https://shop.example")
    people_must_agree(open_page, tongue)
    marketer = staff(Role.MARKETER, language=tongue.code)
    page = open_page("/imports/new/", user=marketer, language=tongue.code)
    page.set_default_timeout(15_000)

    import_file(page, tongue, customers(tongue))
    assert Contact.objects.count() == 18
    assert ConsentRecord.objects.filter(action="given").count() == 18
    build_audience(page, site, tongue)
    write_mail(page, site, tongue)
    campaign = make_campaign(page, site, tongue, "First", sender.pk, expected=12)
    get_approval(page, open_page, tongue, campaign)
    send(page, site, campaign, count=12)
    assert Message.objects.filter(state=MessageState.SENT).count() == 12
    mails = machinery.until(lambda: arrived(12), "12 mails in the catcher")
    mail = mails["person3@example.com"]
    check_headers(mail, tongue)

    open_and_click(mail, site)
    unsubscribe(mail, site)
    report_shows_one_of_each(page, site, campaign, tongue)

    import_file(page, tongue, customers(tongue), url=f"{site.url}/imports/new/", again=True)
    assert Contact.objects.count() == 18
    second = make_campaign(page, site, tongue, "Second", sender.pk, expected=11)
    get_approval(page, open_page, tongue, second)
    send(page, site, second, count=11)
    machinery.until(lambda: CaughtMail.objects.count() == 23, "11 more mails")
    assert CaughtMail.objects.filter(rcpt_to="person3@example.com").count() == 1
    why_not(page, site, second, tongue)
    everything_is_on_record(machinery)


def people_must_agree(open_page: OpenPage, tongue: Tongue) -> None:
    page = open_page("/settings/approval-rules/new/", role=Role.ADMINISTRATOR, language=tongue.code)
    page.locator("[name=kind]").select_option("always")
    page.locator("main form.form button[type=submit]").click()
    expect(page).to_have_url(re.compile("/settings/approval-rules/$"))


def import_file(page: Page, tongue: Tongue, data: bytes, *, url: str = "", again: bool = False) -> None:
    if url:
        page.goto(url)
    page.locator("input[type=file]").set_input_files({"name": "customers.csv", "mimeType": "text/csv", "buffer": data})
    page.locator("main form button.btn-primary").click()
    expect(page.locator("#encoding")).to_have_value(re.compile(tongue.encoding, re.IGNORECASE))
    expect(page.locator("main table")).to_contain_text(f"{tongue.names}0")
    page.locator("main a.btn-primary").click()
    for index, field in enumerate((tongue.name_field, "email", "phone", "city")):
        expect(page.locator(f"[name=target-{index}]")).to_have_value(field)  # recognised by its heading
    picture(page, f"columns-{tongue.code}")
    page.locator("main form button.btn-primary").click()
    page.locator("[name=choice][value=attested]").check()
    page.locator("[name=topics][value=newsletter]").check()
    page.locator("[name=source]").fill("paper")
    page.locator("[name=declared]").check()
    page.locator("main form.stack button.btn-primary").click()
    page.locator("#trial form button.btn-primary").click()  # the trial run
    run = page.locator("form[action$='/run'] button")
    expect(run).to_be_visible(timeout=20_000)
    picture(page, f"trial-{tongue.code}-{again}")
    run.click()
    rejected = page.locator("#run table")
    expect(rejected).to_be_visible(timeout=20_000)
    expect(rejected.locator("tbody tr")).to_have_count(2)
    expect(rejected).to_contain_text("not an address")
    picture(page, f"imported-{tongue.code}-{again}")


def build_audience(page: Page, site: Site, tongue: Tongue) -> None:
    page.goto(f"{site.url}/audiences/new/")
    builder = page.locator("hy-audience-builder")
    builder.get_by_role("button", name=tongue.add_condition).last.click()
    search = builder.get_by_role("combobox", name=tongue.add_condition)
    search.fill(tongue.city_label)
    search.press("Enter")
    builder.get_by_label(tongue.city_label, exact=True).fill(tongue.city)
    expect(builder.locator(".ab-number-big")).to_have_text("12")
    page.locator("input[name=name]").fill("The city")
    page.locator("main form button.btn-primary").click()
    expect(page.locator("h1")).to_contain_text("The city")


def write_mail(page: Page, site: Site, tongue: Tongue) -> None:
    page.goto(f"{site.url}/mails/new?language={tongue.code}")
    page.locator("form:has(input[name=ready][value=newsletter]) button").click()
    expect(page.locator("hy-mail-editor")).to_be_visible()
    frame = page.frame_locator("iframe[name=mail-preview]")
    page.locator("[data-random]").click()
    expect(page.locator("[data-person]")).not_to_have_text(re.compile("示例|Example"))
    expect(frame.locator("body")).to_contain_text(tongue.names[0])
    picture(page, f"mail-{tongue.code}")
    assert Template.objects.count() == 1


def make_campaign(page: Page, site: Site, tongue: Tongue, name: str, sender_id: int, *, expected: int) -> Campaign:
    page.goto(f"{site.url}/campaigns/new")
    page.locator("[name=name]").fill(name)
    page.locator("[name=stage][value=retention]").check()
    page.locator("[name=mail_type]").select_option("newsletter")
    page.locator("main form button.btn-primary").click()
    page.get_by_label("The city").first.check()
    expect(page.locator("#count .figure-value")).to_contain_text(str(expected))
    page.locator("#audience-form button.btn-primary").click()
    page.locator("[name=template]").first.check()
    page.locator("#mail-form button.btn-primary").click()
    page.locator("[name=sender]").select_option(str(sender_id))
    page.locator("[name=topic]").select_option(str(Topic.objects.get(key="newsletter").pk))
    page.locator("main form button.btn-primary").click()
    expect(page.locator("main .sentence").first).to_contain_text(str(expected))
    picture(page, f"review-{name}-{tongue.code}")
    return Campaign.objects.get(name=name)


def get_approval(page: Page, open_page: OpenPage, tongue: Tongue, campaign: Campaign) -> None:
    """By somebody else: there is no way to send before."""
    expect(page.locator("form[action$='/start']")).to_have_count(0)
    page.locator("form[action$='/approval'] button.btn-primary").click()
    other = open_page("/campaigns/approvals", role=Role.APPROVER, language=tongue.code)
    expect(other.locator("article h2").first).to_have_text(campaign.name)
    picture(other, f"approval-{tongue.code}")
    other.locator("button[name=decision][value=approve]").click()
    expect(other.locator("button[name=decision]")).to_have_count(0)


def send(page: Page, site: Site, campaign: Campaign, *, count: int) -> None:
    page.goto(f"{site.url}/campaigns/{campaign.public_id}/review")
    page.locator("hy-confirm [data-open]").click()
    go = page.locator("dialog[open] [data-go]")
    page.locator("dialog[open] [data-typed]").fill(str(count + 1))
    expect(go).to_be_disabled()
    page.locator("dialog[open] [data-typed]").fill(str(count))
    go.click()
    expect(page).to_have_url(re.compile(f"/campaigns/{campaign.public_id}$"))
    expect(page.locator("#progress .figure-value").first).to_contain_text(f"{count}", timeout=30_000)
    expect(page.locator("#progress[hx-get]")).to_have_count(0, timeout=30_000)  # finished: nothing left to follow
    campaign.refresh_from_db()
    assert campaign.state == "finished"


def arrived(count: int) -> dict[str, EmailMessage]:
    found = {
        row.rcpt_to: email.message_from_bytes(bytes(row.raw), policy=email.policy.default)
        for row in CaughtMail.objects.all()
    }
    return found if len(found) == count else {}


def check_headers(mail: EmailMessage, tongue: Tongue) -> None:
    assert mail["From"].addresses[0].addr_spec == "shop@news.example.com"
    assert mail["From"].addresses[0].display_name == "鸿雁商店"
    assert mail["To"].addresses[0].addr_spec == "person3@example.com"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<http")
    assert mail["Message-ID"]
    assert mail["Date"]
    html = body(mail, "html")
    assert f"{tongue.names}3" in html
    assert "{{" not in html
    assert f"{tongue.names}3" in body(mail, "plain")


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    text: str = part.get_content()
    return text


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_named: object) -> None:
        return None


def fetch(url: str, *, data: bytes | None = None) -> tuple[int, str]:
    """Status and Location, as a mail program asks."""
    request = Request(url, data=data, headers={"User-Agent": AGENT})
    try:
        with build_opener(_Stay).open(request, timeout=10) as answer:
            return answer.status, answer.headers.get("Location", "")
    except HTTPError as error:
        return error.code, error.headers.get("Location", "")


def open_and_click(mail: EmailMessage, site: Site) -> None:
    html = body(mail, "html")
    pixels = re.findall(rf'src="({re.escape(site.url)}/o/[^"]+)"', html)
    assert len(pixels) == 1
    sleep_past_the_instant(mail)
    assert fetch(pixels[0])[0] == 200
    links = re.findall(rf'href="({re.escape(site.url)}/c/[^"]+)"', html)
    status, target = fetch(links[0].replace("&amp;", "&"))
    assert status == 302
    assert urlsplit(target).hostname == "shop.example"


def sleep_past_the_instant(mail: EmailMessage) -> None:
    """Whoever opens within a second of delivery is taken for a machine, so wait until that second is over."""
    last = Message.objects.exclude(finished_at=None).latest("finished_at").finished_at
    assert last is not None
    while clock.now() - last < timedelta(seconds=1.2):
        time.sleep(0.05)


def unsubscribe(mail: EmailMessage, site: Site) -> None:
    found = re.search(r"<(https?://[^>]+)>", mail["List-Unsubscribe"])
    assert found
    url = found[1]
    assert url.startswith(site.url)
    before = ConsentRecord.objects.count()
    assert fetch(url)[0] == 200
    assert ConsentRecord.objects.count() == before  # looking changes nothing
    assert fetch(url, data=b"List-Unsubscribe=One-Click")[0] == 200
    assert ConsentRecord.objects.filter(action="withdrawn").count() == 1


def report_shows_one_of_each(page: Page, site: Site, campaign: Campaign, tongue: Tongue) -> None:
    page.goto(f"{site.url}/reports/campaigns/{campaign.public_id}")
    values = page.locator("#report .figure-value > a")
    for outcome in ("opened", "clicked", "unsubscribed"):
        figure = page.locator(f"#report .figure-value > a[href$='outcome={outcome}']")
        for _attempt in range(40):
            if figure.inner_text().strip() == "1":
                break
            page.wait_for_timeout(500)
            page.reload()
        expect(figure).to_have_text("1")
    expect(values.first).to_have_text("12")
    picture(page, f"report-{tongue.code}")


def why_not(page: Page, site: Site, campaign: Campaign, tongue: Tongue) -> None:
    """The second campaign shows who did not get it, and why."""
    page.goto(f"{site.url}/campaigns/{campaign.public_id}/recipients?outcome=refused")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr td[data-label]").nth(1)).to_contain_text(tongue.unsubscribed)
    picture(page, f"left-out-{tongue.code}")


def everything_is_on_record(machinery: Machinery) -> None:
    """Who did what, sealed into the chain by the worker (every minute; here at once)."""
    acts = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"campaign.create", "approval.decided"} & acts, acts
    with contextlib.suppress(AlreadyEnqueued):
        app.configure_task("audit.seal").defer(timestamp=0)
    machinery.until(lambda: AuditEntry.objects.exclude(seq=None).exists(), "the audit log to be sealed")
    assert verify().broken_at is None
    # The newest wait for the next minute; what is sealed between two looks is in neither.
    machinery.until(lambda: (result := verify()).entries + result.unsealed > 10, "more than ten acts on record")

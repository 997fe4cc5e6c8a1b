"""Campaigns of the past weeks: made, approved and frozen by the real acts under a held clock; sending and reading are
then written as they plausibly went. One waits for approval, one is a draft."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import translation

from hongyan.accounts.types import Actor, system_actor
from hongyan.campaigns import approval, sending, services
from hongyan.campaigns.follow import count_now
from hongyan.campaigns.models import Campaign, Transition
from hongyan.campaigns.preflight import preflight
from hongyan.campaigns.states import Act
from hongyan.campaigns.transitions import locked, move
from hongyan.campaigns.types import CampaignValues, Stage
from hongyan.contacts.consent import refusals_sql, unsubscribe
from hongyan.contacts.models import Topic
from hongyan.contacts.types import Evidence
from hongyan.content.models import Template
from hongyan.content.ready.shelf import ReadyTemplate, ready_templates
from hongyan.content.services import template_create
from hongyan.content.types import MailType, SourceKind
from hongyan.core import clock
from hongyan.core.batching import batched
from hongyan.delivery.facts import About, sent_event
from hongyan.delivery.models import Sender
from hongyan.delivery.senders import SenderValues, sender_create
from hongyan.delivery.types import MessageState
from hongyan.events.names import EmailEvent
from hongyan.events.services import append
from hongyan.events.types import NewEvent

PRIVACY = "apple_privacy"
_HOURS = (
    1,
    1,
    1,
    1,
    1,
    2,
    4,
    8,
    12,
    14,
    12,
    9,
    11,
    10,
    8,
    7,
    6,
    6,
    8,
    12,
    14,
    12,
    7,
    3,
)  # when people read, local time


@dataclass(frozen=True, slots=True)
class Mailing:
    """open_rate, click_rate: of delivered, people only."""

    name: str
    template: tuple[str, str]
    mail_type: MailType
    stage: Stage
    topic: str
    audience: Mapping[str, Any]
    days_ago: int
    open_rate: float
    click_rate: float
    goal: str = ""


_CHINA = {"field": "country", "op": "=", "value": "CN"}
PAST = (
    Mailing("九月来信：旧木头、窗台和一盏灯", ("newsletter", "zh-hans"), MailType.NEWSLETTER, Stage.ATTRACTION,
            "newsletter", _CHINA, 54, 0.34, 0.052, "让老读者回来看看新文章"),
    Mailing("October letter", ("newsletter", "en"), MailType.NEWSLETTER, Stage.ATTRACTION,
            "newsletter", {"not": _CHINA}, 40, 0.31, 0.047, "Bring readers back to the journal"),
    Mailing("秋冬新品 8 折", ("promotion", "zh-hans"), MailType.PROMOTION, Stage.CONVERSION,
            "promotion", {"all": [_CHINA, {"any": [{"tag": "home"}, {"tag": "kitchen"}, {"tag": "loyal"}]}]},
            26, 0.27, 0.061, "秋冬新品首周 200 单"),
    Mailing("十月来信：给窗台添一点绿", ("newsletter", "zh-hans"), MailType.NEWSLETTER, Stage.RETENTION,
            "newsletter", _CHINA, 19, 0.36, 0.058),
    Mailing("双十一返场：最后三天", ("promotion", "zh-hans"), MailType.PROMOTION, Stage.CONVERSION,
            "promotion", {"all": [_CHINA, {"not": {"tag": "asleep"}}]}, 9, 0.24, 0.049, "返场销售额超过去年"),
    Mailing("Autumn offer", ("promotion", "en"), MailType.PROMOTION, Stage.CONVERSION,
            "promotion", {"not": _CHINA}, 5, 0.29, 0.055, "100 orders from the new season"),
)  # fmt: skip
WAITING = Mailing("年末答谢：老客户专享", ("promotion", "zh-hans"), MailType.PROMOTION, Stage.RETENTION, "promotion",
                  {"all": [_CHINA, {"any": [{"tag": "vip"}, {"tag": "loyal"}, {"tag": "home"}]}]}, 0, 0, 0,
                  "请老客户在年末再来一次")  # fmt: skip
DRAFT = Mailing("December letter", ("newsletter", "en"), MailType.NEWSLETTER, Stage.ATTRACTION, "newsletter",
                {"not": _CHINA}, 0, 0, 0, "One story people forward")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cast:
    """Who did it: nobody approves their own campaign."""

    marketer: Actor
    approver: Actor


def sender_make(*, actor: Actor) -> Sender:
    existing = Sender.objects.filter(archived_at=None).order_by("-is_default", "id").first()
    return existing or sender_create(
        actor=actor,
        values=SenderValues(
            from_name="鸿雁小店",
            from_email="letter@shop.example",
            company_name="鸿雁小店（示例）有限公司",
            postal_address="上海市徐汇区示例路 1 号",
            phone="+86 21 5555 0100",
            website="https://shop.example",
        ),
    )


def templates_make(*, actor: Actor) -> dict[tuple[str, str], Template]:
    """Every ready mail as a template to edit."""
    return {
        (ready.key, ready.language): template_create(
            actor=actor,
            name=_name_of(ready),
            kind=SourceKind.MJML,
            mail_type=ready.mail_type,
            language=ready.language,
            content=ready.content,
            ready_key=ready.key,
        )
        for ready in ready_templates()
    }


def _name_of(ready: ReadyTemplate) -> str:
    """Each in its own language, whoever looks at the list."""
    with translation.override(ready.language):
        return str(ready.name)


def past_make(mailing: Mailing, *, cast: Cast, sender: Sender, templates: Mapping[tuple[str, str], Template]) -> int:
    """The whole life of one campaign, in one transaction, so that no worker sends it. Returns its recipients."""
    began = clock.now() - timedelta(days=mailing.days_ago)
    began = began.replace(hour=2 if mailing.days_ago % 2 else 11, minute=0, second=0, microsecond=0)
    with transaction.atomic():
        with clock.freeze(began):
            campaign = _prepared(mailing, cast=cast, sender=sender, templates=templates)
            _approved(campaign, cast)
            _frozen(campaign, cast.marketer)
        _sent(campaign, began)
        with clock.freeze(began + timedelta(minutes=20)):
            recipients = _finished(campaign)
        _read(campaign, mailing, began)
        Campaign.objects.filter(pk=campaign.pk).update(created_at=began - timedelta(hours=5))
    return recipients


def waiting_make(*, cast: Cast, sender: Sender, templates: Mapping[tuple[str, str], Template]) -> None:
    with transaction.atomic():
        campaign = _prepared(WAITING, cast=cast, sender=sender, templates=templates)
        approval.campaign_request_approval(
            actor=cast.marketer, campaign_id=campaign.pk, comment="文案和人群都看过了，麻烦确认优惠力度。"
        )
        _prepared(DRAFT, cast=cast, sender=sender, templates=templates)


def _prepared(
    mailing: Mailing, *, cast: Cast, sender: Sender, templates: Mapping[tuple[str, str], Template]
) -> Campaign:
    values = CampaignValues(
        name=mailing.name,
        stage=mailing.stage,
        mail_type=mailing.mail_type,
        goal=mailing.goal,
        audience=mailing.audience,
        topic_id=Topic.objects.get(key=mailing.topic).pk,
        sender_id=sender.pk,
        template_id=templates[mailing.template].pk,
        subject=_subject(mailing, templates),
    )
    return services.campaign_create(actor=cast.marketer, values=values, is_demo=True)


def _subject(mailing: Mailing, templates: Mapping[tuple[str, str], Template]) -> str:
    template = templates[mailing.template]
    subject: str = template.versions.get(number=template.version).subject
    # Commercial mail to people in China says so at the front of its subject (Order 38, article 13).
    return f"[广告] {subject}" if mailing.audience != {"not": _CHINA} and mailing.mail_type.commercial else subject


def _approved(campaign: Campaign, cast: Cast) -> None:
    checked = preflight(campaign)
    if not approval.needed(campaign, checked):
        return
    approval.campaign_request_approval(actor=cast.marketer, campaign_id=campaign.pk)
    asked = locked(campaign.pk)
    approval.campaign_decide(
        actor=cast.approver,
        campaign_id=campaign.pk,
        act=Act.APPROVE,
        seen_content_hash=asked.content_hash,
        seen_audience_hash=asked.audience_hash,
    )


def _frozen(campaign: Campaign, marketer: Actor) -> None:
    checked = preflight(locked(campaign.pk))
    reach = checked.counts.will_receive if checked.counts else 0
    sending.campaign_start(actor=marketer, campaign_id=campaign.pk, confirmed=reach)
    sending.freeze(campaign.pk)


def _sent(campaign: Campaign, began: datetime) -> None:
    """As the sender lane would have left it: refused by the gate, bounced, or accepted within some minutes."""
    campaign.refresh_from_db()
    refused = refusals_sql(topic_id=campaign.topic_id, transactional=False)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH judged AS ({refused.text})
            UPDATE delivery_message m SET
                state = CASE WHEN j.refusal IS NOT NULL THEN %(refused)s
                             WHEN m.id %% 83 = 0 THEN %(bounced)s ELSE %(sent)s END,
                reason = COALESCE(j.refusal, CASE WHEN m.id %% 83 = 0 THEN 'unknown_recipient' ELSE '' END),
                smtp_code = CASE WHEN j.refusal IS NOT NULL THEN NULL WHEN m.id %% 83 = 0 THEN 550 ELSE 250 END,
                attempts = CASE WHEN j.refusal IS NULL THEN 1 ELSE 0 END,
                created_at = %(began)s, wake_at = NULL,
                finished_at = %(began)s + (m.id %% 900) * interval '1 second'
            FROM judged j
            WHERE j.id = m.contact_id AND m.origin_kind = 'campaign' AND m.origin_id = %(campaign)s
              AND m.month = %(month)s
            """,
            {
                **refused.params,
                "refused": MessageState.REFUSED.value,
                "bounced": MessageState.BOUNCED.value,
                "sent": MessageState.SENT.value,
                "began": began,
                "campaign": campaign.pk,
                "month": campaign.origin_month,
            },
        )


def _finished(campaign: Campaign) -> int:
    campaign.refresh_from_db()
    count_now(campaign)
    row = locked(campaign.pk)
    if row.state == "sending":
        move(row, Act.COMPLETE, actor=system_actor("campaigns"), changes={"finished_at": clock.now()})
    Transition.objects.filter(campaign=campaign).exclude(at__lte=clock.now()).update(at=clock.now())
    return row.recipients or 0


def _read(campaign: Campaign, mailing: Mailing, began: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, contact_id, finished_at FROM delivery_message WHERE origin_kind = 'campaign' "
            "AND origin_id = %s AND month = %s AND state = %s ORDER BY id",
            [campaign.pk, campaign.origin_month, MessageState.SENT.value],
        )
        messages = cursor.fetchall()
    left: list[int] = []
    for block in batched(_events(campaign, mailing, messages, left), 5_000):
        append(block)
    for contact_id in left:
        unsubscribe(
            actor=system_actor("demo"),
            contact_id=contact_id,
            topic_key=mailing.topic,
            evidence=Evidence(method="one_click", occurred_at=began + timedelta(hours=9)),
        )


def _events(
    campaign: Campaign, mailing: Mailing, messages: list[tuple[int, int, datetime]], left: list[int]
) -> Iterator[NewEvent]:
    dice = random.Random(campaign.pk)
    links = len(campaign.content_version.links) if campaign.content_version else 1
    horizon = clock.now()
    for message_id, contact_id, at in messages:
        about = About(message_id, contact_id, "campaign", campaign.pk)
        yield sent_event(about, at)
        if dice.random() < 0.11:
            yield _fact(EmailEvent.OPENED, about, at + timedelta(seconds=dice.randrange(3, 300)), 0, machine=PRIVACY)
        if dice.random() >= mailing.open_rate:
            continue
        opened = _reading_time(dice, at)
        if opened > horizon:
            continue
        yield _fact(EmailEvent.OPENED, about, opened, 1)
        if dice.random() < mailing.click_rate / mailing.open_rate:
            link = min(int(dice.expovariate(0.9)), max(links - 1, 0))
            yield _fact(EmailEvent.CLICKED, about, opened + timedelta(seconds=dice.randrange(6, 120)), 2, link=link)
        elif dice.random() < 0.006:
            left.append(contact_id)
            yield _fact(EmailEvent.UNSUBSCRIBED, about, opened + timedelta(seconds=40), 3)


def _reading_time(dice: random.Random, at: datetime) -> datetime:
    """Some at once, most in the hours when people read, thinning out over three days."""
    if dice.random() < 0.3:
        return at + timedelta(seconds=dice.expovariate(1 / 1500))
    day = int(min(dice.expovariate(1.4), 3))
    hour = dice.choices(range(24), _HOURS)[0]
    local_midnight = (at + timedelta(hours=8)).replace(hour=0, minute=0, second=0) - timedelta(hours=8)
    moment = local_midnight + timedelta(days=day, hours=hour, seconds=dice.randrange(3600))
    return moment if moment > at else moment + timedelta(days=1)


def _fact(
    name: EmailEvent, about: About, at: datetime, number: int, *, machine: str | None = None, link: int | None = None
) -> NewEvent:
    properties: dict[str, Any] = {
        "origin_kind": about.origin_kind,
        "origin_id": about.origin_id,
        "message_id": about.message_id,
        "machine": machine,
    }
    if link is not None:
        properties["link"] = link
    return NewEvent(
        about.contact_id, name, at, "edge", properties, dedupe_key=f"demo:{about.message_id}:{name}:{number}"
    )

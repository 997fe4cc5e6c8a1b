"""A shop with people of every kind, a mail, a sender, and a cast of staff."""

from dataclasses import dataclass, field
from typing import Any

from hongyan.accounts.models import ApprovalRule, RoleGrant, User
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor, system_actor
from hongyan.audience.models import ContactTag
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.services import campaign_create
from hongyan.campaigns.types import CampaignValues
from hongyan.contacts.consent import consent_record, unsubscribe
from hongyan.contacts.models import Contact, Topic
from hongyan.contacts.selectors import identities
from hongyan.contacts.suppression import suppress
from hongyan.contacts.types import Channel, ConsentAction, Evidence, SuppressionReason
from hongyan.content.models import Template
from hongyan.content.services import template_create
from hongyan.content.types import MailType, SourceKind, TemplateContent
from hongyan.core import clock
from hongyan.delivery.models import Sender
from tests.audience.factory import group, tag
from tests.delivery import factory as delivery

SYSTEM = system_actor("test")
HTML = """<!doctype html><html lang="zh"><head><title>九月</title></head><body>
<p>{{ contact.given_name }},你好,{{ contact.city | default("远方") }}的朋友</p>
<p><a href="https://shop.example.com/sale">看看</a> <a href="https://shop.example.com/new">新品</a></p>
<p>{{ sender.company }} {{ sender.address }}</p>
<p><a href="{{ unsubscribe_url }}">退订</a></p></body></html>"""


@dataclass
class Shop:
    sender: Sender
    topic: Topic
    template: Template
    people: dict[str, list[Contact]] = field(default_factory=dict)

    def values(self, **changes: Any) -> CampaignValues:
        defaults: dict[str, Any] = {
            "name": "九月专享",
            "audience": {"everyone": True},
            "topic_id": self.topic.pk,
            "sender_id": self.sender.pk,
            "template_id": self.template.pk,
        }
        return CampaignValues(**{**defaults, **changes})

    def campaign(self, actor: Actor | None = None, **changes: Any) -> Campaign:
        return campaign_create(actor=actor or SYSTEM, values=self.values(**changes))


def staff(role: Role, name: str = "") -> Actor:
    """A user of one role, as the pages would see them."""
    label = name or role.value
    user = User.objects.create_user(f"{label}@staff.example", name=label)
    RoleGrant.objects.create(user=user, role=role.value)
    return Actor(kind="user", id=user.pk, label=label, permissions=ROLE_PERMISSIONS[role])


def template(source: str = HTML, subject: str = "广告:{{ contact.given_name | default('你好') }},九月专享") -> Template:
    return template_create(
        actor=SYSTEM,
        name="九月专享",
        kind=SourceKind.HTML,
        mail_type=MailType.PROMOTION,
        content=TemplateContent(subject=subject, preheader="只此一周", source=source),
    )


def no_rules() -> None:
    ApprovalRule.objects.all().delete()


def always_two_eyes(approvers: int = 1) -> None:
    no_rules()
    ApprovalRule.objects.create(kind="always", approvers=approvers)


def shop(*, good: int = 4, source: str = HTML) -> Shop:
    """Some of every kind: see the keys of ``people``."""
    no_rules()
    made = Shop(delivery.sender(), delivery.topic(), template(source))
    kinds = {
        "good": [person(city="上海") for _ in range(good)],
        "nameless": [person(given_name="", city="北京") for _ in range(2)],
        "no_address": [person(email="")],
        "no_consent": [person(consent=False) for _ in range(2)],
        "unsubscribed": [person()],
        "pending": [person(consent=False)],
        "suppressed": [person()],
    }
    unsubscribe(actor=SYSTEM, contact_id=kinds["unsubscribed"][0].pk, topic_key=None, evidence=Evidence(method="staff"))
    ask(kinds["pending"][0])
    bounce(kinds["suppressed"][0])
    made.people = kinds
    return made


def person(*, given_name: str = "小雨", city: str = "", **values: Any) -> Contact:
    made = delivery.contact(given_name=given_name, **values)
    Contact.objects.filter(pk=made.pk).update(filled=["given_name"] if given_name else [], city=city)
    made.refresh_from_db()
    return made


def ask(contact: Contact) -> None:
    consent_record(
        actor=SYSTEM,
        contact_id=contact.pk,
        channel=Channel.EMAIL,
        topic_key=delivery.topic().key,
        action=ConsentAction.REQUESTED,
        evidence=Evidence(method="form"),
    )


def bounce(contact: Contact) -> None:
    address = identities([contact.pk])[contact.pk].email
    suppress(actor=SYSTEM, kind="email", value=address, reason=SuppressionReason.HARD_BOUNCE)


def tagged(key: str, contacts: list[Contact]) -> str:
    made = tag(key, group(f"of-{key}"))
    ContactTag.objects.bulk_create(
        ContactTag(contact=contact, tag=made, group=made.group, exclusive=False, source="test", at=clock.now())
        for contact in contacts
    )
    return key

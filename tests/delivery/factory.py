"""People, content and senders to deliver to and with."""

import itertools
from typing import Any

from hongyan.accounts.types import system_actor
from hongyan.contacts.consent import consent_record
from hongyan.contacts.models import Contact, Identifier, Topic
from hongyan.contacts.sealing import seal
from hongyan.contacts.types import Channel, ConsentAction, Evidence, Identity
from hongyan.content.models import ContentVersion
from hongyan.content.services import content_version_create
from hongyan.content.types import MailDraft, SourceKind
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import SQL
from hongyan.delivery.models import Sender
from hongyan.delivery.senders import SenderValues, sender_create
from hongyan.delivery.types import DirectMail

ACTOR = system_actor("test")
HTML = """<!doctype html><html lang="zh"><head><title>x</title></head><body>
<p>{{ contact.full_name | default("朋友") }},你好</p><a href="https://shop.example.com/sale">看看</a>
<p><a href="{{ unsubscribe_url }}">退订</a></p></body></html>"""
_numbers = itertools.count(1)


def sender(**changes: Any) -> Sender:
    values = {
        "from_name": "鸿雁商店",
        "from_email": "shop@news.example.com",
        "company_name": "鸿雁商贸有限公司",
        "postal_address": "上海市示例路 1 号",
    }
    return sender_create(actor=ACTOR, values=SenderValues(**{**values, **changes}))


def topic(key: str = "promotion") -> Topic:
    found, _ = Topic.objects.get_or_create(
        key=key, defaults={"name_zh": "促销", "name_en": "Promotion", "legal_class": "commercial"}
    )
    return found


def contact(*, email: str | None = None, consent: bool = True, country: str = "CN", **values: Any) -> Contact:
    """Somebody who agreed to promotions, unless told otherwise. email "": none."""
    number = next(_numbers)
    address = f"person{number}@example.com" if email is None else email
    made = Contact.objects.create(country=country, has_email=bool(address))
    identity = Identity(email=address, full_name=values.pop("full_name", f"王{number}"), **values)
    made.sealed, made.seal_version = seal(identity, contact_id=made.pk)
    made.save()
    if address:
        Identifier.objects.create(contact=made, kind="email", blind=keyring().blind.index("email", address))
    if consent:
        agree(made)
    return made


def agree(person: Contact, channel: Channel = Channel.EMAIL) -> None:
    key = topic().key if channel is Channel.EMAIL else None
    consent_record(
        actor=ACTOR,
        contact_id=person.pk,
        channel=channel,
        topic_key=key,
        action=ConsentAction.GIVEN,
        evidence=Evidence(method="form"),
    )


def content(*, html: str = HTML, subject: str = "{{ contact.full_name | default('朋友') }},九月专享") -> ContentVersion:
    return content_version_create(actor=ACTOR, draft=MailDraft(subject=subject, kind=SourceKind.HTML, source=html))


def everybody() -> SQL:
    return SQL("SELECT id FROM contacts_contact", {})


def letter(subject: str = "Hello") -> DirectMail:
    return DirectMail(subject=subject, html="<p>你好</p>", text="你好")

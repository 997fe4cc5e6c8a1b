"""Contacts and templates of the page tests."""

from typing import Any

from django.test import Client

from hongyan.accounts.permissions import Role
from hongyan.accounts.types import system_actor
from hongyan.contacts.models import Contact
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.content.models import Template
from hongyan.content.ready import ready_template
from hongyan.content.services import template_create
from hongyan.content.types import SourceKind, TemplateContent
from tests.browser import staff

SYSTEM = system_actor("test")


def contact(**values: Any) -> Contact:
    return contact_create(actor=SYSTEM, values=ContactValues(values), source="test")


def ready(key: str = "newsletter", language: str = "zh-hans") -> Template:
    shelf = ready_template(key, language)
    return template_create(
        actor=SYSTEM,
        name=str(shelf.name),
        kind=SourceKind.MJML,
        mail_type=shelf.mail_type,
        language=language,
        content=shelf.content,
        ready_key=key,
    )


def html_template(source: str, *, subject: str = "News", **more: Any) -> Template:
    more.setdefault("mail_type", "promotion")
    return template_create(
        actor=SYSTEM, name="T", kind=SourceKind.HTML, content=TemplateContent(subject=subject, source=source), **more
    )


def signed_in(role: Role = Role.MARKETER, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(staff(role, language=language))
    return client

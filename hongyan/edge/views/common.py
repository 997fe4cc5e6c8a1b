"""What these pages share: who the link is for, the language, the look."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from hongyan.accounts.organisation import organisation
from hongyan.accounts.types import Actor, contact_actor
from hongyan.contacts.models import Contact, Topic
from hongyan.contacts.types import Evidence
from hongyan.core.proxies import client_ip, trusted_set
from hongyan.delivery.errors import LinkRefused
from hongyan.delivery.links import read_message_token
from hongyan.delivery.models import Message
from hongyan.delivery.types import MessageKey


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever holds the link. contact is None for test mails and for people who were erased since."""

    key: MessageKey
    message: Message
    contact: Contact | None
    topic: Topic | None


def reader_of(token: str) -> Reader | None:
    """None for a token that is not ours, or whose message is no longer kept."""
    try:
        key = read_message_token(token)
    except LinkRefused:
        return None
    message = Message.objects.filter(id=key.id, month=key.month).first()
    if message is None:
        return None
    contact = Contact.objects.filter(pk=message.contact_id).first() if message.contact_id else None
    topic = Topic.objects.filter(pk=message.topic_id).first() if message.topic_id else None
    return Reader(key, message, contact, topic)


def actor(request: HttpRequest) -> Actor:
    return contact_actor(ip=ip_of(request))


def ip_of(request: HttpRequest) -> str | None:
    trusted = trusted_set(settings.HONGYAN_TRUSTED_PROXIES)
    return client_ip(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For", ""), trusted)


def evidence(request: HttpRequest, *, method: str, wording: str = "") -> Evidence:
    return Evidence(
        method=method,
        wording=wording,
        ip=ip_of(request) or "",
        user_agent=request.headers.get("User-Agent", "")[:400],
    )


def speak(request: HttpRequest, contact: Contact | None) -> None:
    """The language chosen on these pages, else the contact's, else the browser's."""
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES or contact is None or not contact.language:
        return
    code = "zh-hans" if contact.language.lower().startswith("zh") else "en"
    translation.activate(code)
    request.LANGUAGE_CODE = code


def page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    filled = {"organisation": organisation().name or "Hongyan 鸿雁", "languages": settings.LANGUAGES, **context}
    response = render(request, f"edge/{name}.html", filled, status=status)
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def gone(request: HttpRequest) -> HttpResponse:
    return page(request, "gone", {}, status=410)


def topic_name(topic: Topic) -> str:
    return topic.name_zh if translation.get_language() == "zh-hans" else topic.name_en

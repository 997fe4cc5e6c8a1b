"""Unsubscribing: one click from the mail program (RFC 8058), or a page with one button.

The token is opaque, needs no cookie and no CSRF token: whoever holds the mail may stop it. A GET, also by a gateway
that follows every link, only shows the page.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from hongyan.contacts.consent import unsubscribe as contact_unsubscribe
from hongyan.core import clock
from hongyan.delivery.models import Message
from hongyan.edge.views.common import Reader, actor, evidence, gone, page, reader_of, speak, topic_name
from hongyan.events.names import EmailEvent
from hongyan.events.services import append
from hongyan.events.types import NewEvent


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    reader = reader_of(token)
    if reader is None:
        return gone(request)
    speak(request, reader.contact)
    if request.method != "POST":
        return page(request, "unsubscribe", _context(reader, token))
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    everything = request.POST.get("scope") == "all" or reader.topic is None
    _withdraw(request, reader, everything=everything, method="one_click" if one_click else "unsubscribe_page")
    if one_click:
        return HttpResponse("unsubscribed\n", content_type="text/plain")  # no redirect (RFC 8058 §3.1)
    return page(request, "unsubscribed", _context(reader, token) | {"everything": everything})


def _withdraw(request: HttpRequest, reader: Reader, *, everything: bool, method: str) -> None:
    if reader.contact is None:
        return
    topic_key = None if everything or reader.topic is None else reader.topic.key
    changed = contact_unsubscribe(
        actor=actor(request),
        contact_id=reader.contact.pk,
        topic_key=topic_key,
        evidence=evidence(request, method=method),
    )
    if changed:
        append([_event(reader.message, topic_key, method)])


def _event(message: Message, topic_key: str | None, method: str) -> NewEvent:
    return NewEvent(
        contact_id=message.contact_id,
        name=EmailEvent.UNSUBSCRIBED,
        occurred_at=clock.now(),
        source="edge",
        properties={
            "origin_kind": message.origin_kind,
            "origin_id": message.origin_id,
            "message_id": message.pk,
            "machine": None,
            "topic": topic_key,
            "method": method,
        },
        dedupe_key=f"unsubscribed:{message.pk}:{topic_key or 'all'}",
    )


def _context(reader: Reader, token: str) -> dict[str, object]:
    return {
        "token": token,
        "is_test": reader.contact is None,
        "topic": topic_name(reader.topic) if reader.topic else "",
        "preferences_url": reverse("edge:preferences", args=[token]),
        "unsubscribe_url": reverse("edge:unsubscribe", args=[token]),
    }

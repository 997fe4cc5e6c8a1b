"""A mail as this person got it: made again by the code that sent it, without tracking, in a sandboxed frame."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hongyan.accounts.permissions import Permission
from hongyan.contacts.models import Contact
from hongyan.content.errors import RenderRefused
from hongyan.content.models import ContentVersion
from hongyan.content.preview import preview_for
from hongyan.content.types import RenderedMail
from hongyan.delivery.models import Sender
from hongyan.delivery.selectors import MessageFacts, message_facts
from hongyan.delivery.types import MessageKey
from hongyan.web.contacts.common import actor_of, contact_or_404
from hongyan.web.contacts.page import person_title
from hongyan.web.contacts.words import MESSAGE_STATES
from hongyan.web.mails.common import mail_response


@require_safe
def mail(request: HttpRequest, public_id: UUID, month: str, message_id: int) -> HttpResponse:
    found, identity = contact_or_404(request, public_id)
    fact, version = _message(found, month, message_id)
    mail, problem = _rendered(request, found, fact, version)
    state = fact.state.name.lower()
    context: dict[str, Any] = {
        "contact": found,
        "title": person_title(identity),
        "masked": not actor_of(request).may(Permission.CONTACT_IDENTITY),
        "subject": mail.subject if mail is not None else "",
        "problem": problem,
        "state": state,
        "state_label": MESSAGE_STATES[state],
        "at": fact.finished_at,
        "month": month,
        "message_id": message_id,
    }
    return render(request, "contacts/mail.html", context)


@require_safe
def mail_body(request: HttpRequest, public_id: UUID, month: str, message_id: int) -> HttpResponse:
    """The mail itself, for the frame."""
    found, _identity = contact_or_404(request, public_id)
    mail, problem = _rendered(request, found, *_message(found, month, message_id))
    if mail is None:
        return mail_response(f"<p>{escape(problem)}</p>")
    return mail_response(mail.html or f"<pre>{escape(mail.text)}</pre>")


def _message(found: Contact, month: str, message_id: int) -> tuple[MessageFacts, ContentVersion]:
    try:
        key = MessageKey(message_id, date.fromisoformat(month))
    except ValueError:
        raise Http404 from None
    fact = message_facts([key]).get(key)
    if fact is None or fact.contact_id != found.pk or fact.content_version_id is None:
        raise Http404
    version = ContentVersion.objects.filter(pk=fact.content_version_id).first()
    if version is None:
        raise Http404
    return fact, version


def _rendered(
    request: HttpRequest, found: Contact, fact: MessageFacts, version: ContentVersion
) -> tuple[RenderedMail | None, str]:
    sender = Sender.objects.filter(pk=fact.sender_id).first()
    given = (
        {
            "name": sender.from_name,
            "email": sender.from_email,
            "company": sender.company_name,
            "address": sender.postal_address,
            "phone": sender.phone,
            "website": sender.website,
        }
        if sender is not None
        else {}
    )
    masked = not actor_of(request).may(Permission.CONTACT_IDENTITY)
    try:
        return preview_for(version, found.pk, sender=given, masked=masked), ""
    except RenderRefused:
        return None, _("With what is known of the person today this mail can no longer be made.")

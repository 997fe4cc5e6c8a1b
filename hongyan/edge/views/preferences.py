"""The preference centre: topics on and off, tracking on and off, all off."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from hongyan.contacts.consent import consent_record, states_of, tracking_allowed
from hongyan.contacts.consent import unsubscribe as contact_unsubscribe
from hongyan.contacts.models import Contact, Topic
from hongyan.contacts.types import Channel, ConsentAction
from hongyan.edge.views.common import Reader, actor, evidence, gone, page, reader_of, speak, topic_name

_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Choice:
    key: str
    name: str
    about: str
    on: bool
    pending: bool = False


@csrf_exempt  # the token in the address is the right to change; there is no session to ride on
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    reader = reader_of(token)
    if reader is None:
        return gone(request)
    speak(request, reader.contact)
    saved = False
    if request.method == "POST" and reader.contact is not None:
        _save(request, reader.contact)
        saved = True
    return page(request, "preferences", _context(request, reader, token) | {"saved": saved})


@csrf_exempt
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language of these pages; goes back to where the visitor was, on this host only."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = "/"
    response = HttpResponseRedirect(target)
    if request.POST.get("language") in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, request.POST["language"], max_age=_YEAR_S, samesite="Lax", httponly=True
        )
    return response


def _context(request: HttpRequest, reader: Reader, token: str) -> dict[str, object]:
    contact = reader.contact
    return {
        "token": token,
        "is_test": contact is None,
        "choices": _choices(request, contact) if contact else [],
        "tracking": bool(contact and _tracks(contact)),
        "unsubscribe_url": reverse("edge:unsubscribe", args=[token]),
    }


def _choices(request: HttpRequest, contact: Contact) -> list[Choice]:
    states = states_of(actor=actor(request), contact_id=contact.pk)
    zh = translation.get_language() == "zh-hans"
    found = []
    for topic in _topics():
        state, _since = states.get((Channel.EMAIL, topic.key), ("none", None))
        found.append(
            Choice(
                topic.key,
                topic_name(topic),
                topic.about_zh if zh else topic.about_en,
                on=state in {"given", "pending"},
                pending=state == "pending",
            )
        )
    return found


def _topics() -> list[Topic]:
    return list(Topic.objects.filter(active=True).exclude(legal_class="transactional").order_by("position", "id"))


def _tracks(contact: Contact) -> bool:
    return bool(tracking_allowed([contact.pk], channel=Channel.TRACKING_OPEN))


def _save(request: HttpRequest, contact: Contact) -> None:
    """Only what differs becomes a record; a topic ticked again after a withdrawal is a fresh consent."""
    who, proof = actor(request), evidence(request, method="preferences", wording=_("My preferences"))
    if request.POST.get("scope") == "all":
        contact_unsubscribe(actor=who, contact_id=contact.pk, topic_key=None, evidence=proof)
        return
    wanted = set(request.POST.getlist("topic"))
    for choice in _choices(request, contact):
        if (choice.key in wanted) != choice.on:
            action = ConsentAction.GIVEN if choice.key in wanted else ConsentAction.WITHDRAWN
            consent_record(
                actor=who,
                contact_id=contact.pk,
                channel=Channel.EMAIL,
                topic_key=choice.key,
                action=action,
                evidence=proof,
            )
    tracking = request.POST.get("tracking") == "on"
    if tracking != _tracks(contact):
        action = ConsentAction.GIVEN if tracking else ConsentAction.WITHDRAWN
        for channel in (Channel.TRACKING_OPEN, Channel.TRACKING_CLICK):
            consent_record(
                actor=who, contact_id=contact.pk, channel=channel, topic_key=None, action=action, evidence=proof
            )

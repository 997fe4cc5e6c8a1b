"""The preference centre: topics on and off, tracking on and off, all off."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from hongyan.contacts.models import Contact, Topic
from hongyan.contacts.preferences import preferences_change, preferences_of, unsubscribe_all
from hongyan.contacts.types import Preferences, TopicChoice
from hongyan.edge.views.common import Reader, actor, evidence, gone, page, reader_of, speak

_YEAR_S = 365 * 24 * 3600


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
    return page(request, "preferences", _context(reader, token) | {"saved": saved})


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


def _context(reader: Reader, token: str) -> dict[str, object]:
    found = _preferences(reader.contact) if reader.contact else None
    return {
        "token": token,
        "is_test": found is None,
        "choices": _offered(found) if found else [],
        "tracking": bool(found and found.tracking_open),
        "address": found.masked_email if found else "",
        "unsubscribe_url": reverse("edge:unsubscribe", args=[token]),
    }


def _preferences(contact: Contact) -> Preferences:
    return preferences_of(contact_id=contact.pk, language=translation.get_language())


def _offered(found: Preferences) -> list[TopicChoice]:
    """What an order or a contract needs is not on offer."""
    needed = set(Topic.objects.filter(legal_class="transactional").values_list("key", flat=True))
    return [choice for choice in found.topics if choice.key not in needed]


def _save(request: HttpRequest, contact: Contact) -> None:
    """Only what differs becomes a record; a topic ticked again after a withdrawal is a fresh consent."""
    who, proof = actor(request), evidence(request, method="preferences", wording=_("My preferences"))
    if request.POST.get("scope") == "all":
        unsubscribe_all(actor=who, contact_id=contact.pk, evidence=proof)
        return
    ticked = set(request.POST.getlist("topic"))
    tracking = request.POST.get("tracking") == "on"
    preferences_change(
        actor=who,
        contact_id=contact.pk,
        topics_wanted={choice.key: choice.key in ticked for choice in _offered(_preferences(contact))},
        evidence=proof,
        tracking_open=tracking,
        tracking_click=tracking,
    )

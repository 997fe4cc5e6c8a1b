"""One person on a page: who this is and what matters now, what happened, and everything kept about them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.selectors import lists_of_contact, tags_of_contacts
from hongyan.audience.tagging.rules import rule_tag_keys
from hongyan.commerce.models import ContactFacts
from hongyan.contacts.errors import ContactMerged, ContactNotFound
from hongyan.contacts.fields import definitions
from hongyan.contacts.listing import display_name, standing_of
from hongyan.contacts.merging import ids_of
from hongyan.contacts.models import Contact, MergedAway
from hongyan.contacts.selectors import contact_by_public_id
from hongyan.contacts.timeline import NEWEST
from hongyan.contacts.timeline_recent import recent_add
from hongyan.contacts.types import Identity
from hongyan.core import clock
from hongyan.web.contacts import page_tabs, words
from hongyan.web.contacts.common import actor_of, contact_or_404
from hongyan.web.contacts.object_undo import offered
from hongyan.web.contacts.page_facts import common_origin, facts_of
from hongyan.web.contacts.timeline import KINDS, Asked, before_day, read_position, timeline_page
from hongyan.web.contacts.timeline_events import events, money_text
from hongyan.web.contacts.timeline_mails import engagement, mails
from hongyan.web.contacts.timeline_others import beginnings, own, tags
from hongyan.web.contacts.timeline_standing import place_of

SOURCES = (events, mails, own, tags, beginnings)
TABS: dict[str, Callable[..., dict[str, Any]]] = {
    "timeline": lambda **_: {},
    "orders": page_tabs.orders,
    "objects": page_tabs.objects,
    "consent": page_tabs.consent,
    "identity": page_tabs.identity,
    "data": page_tabs.data,
}
WORDS_MOST = 5


@require_safe
def contact(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    try:
        found, identity = contact_by_public_id(actor=actor, public_id=public_id, audit=True)
    except ContactMerged as merged:
        return redirect("contacts:contact", merged.into)
    except ContactNotFound:
        raise Http404 from None
    recent_add(actor=actor, contact_id=found.pk)
    tab = request.GET.get("tab", "timeline")
    tab = tab if tab in TABS else "timeline"
    context = _head(request, found, identity) | {"tab": tab, "tabs": _tabs(tab)}
    if tab == "timeline":
        context |= _timeline_frame(request, found)
    else:
        context |= TABS[tab](actor=actor, contact=found, identity=identity)
        context["object_undo"] = offered(request, found) if tab == "objects" else ""
    return render(request, "contacts/contact.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def timeline(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: the first page of the timeline, or the next. What is searched for comes by POST: it may name people,
    and addresses of pages land in logs."""
    found, identity = contact_or_404(request, public_id)
    asked = _asked(request, found)
    page = timeline_page(asked, SOURCES)
    context = {
        "contact": found,
        "page": page,
        "first": asked.before == NEWEST or not request.POST.get("before"),
        "timeline_url": reverse("contacts:timeline", args=[public_id]),
        "filtered": bool(asked.kind or asked.words),
        "title": person_title(identity),
    }
    return render(request, "contacts/parts/timeline_items.html", context)


def person_title(identity: Identity) -> str:
    return display_name(identity) or identity.email or identity.phone or _("Without a name")


def _head(request: HttpRequest, found: Contact, identity: Identity) -> dict[str, Any]:
    actor = actor_of(request)
    clear = actor.may(Permission.CONTACT_IDENTITY)
    standing, suppressed = standing_of(found.pk)
    bought = ContactFacts.objects.filter(contact_id=found.pk).first()
    held = tags_of_contacts(actor=actor, contact_ids=[found.pk])[found.pk]
    facts = facts_of(found, identity, {definition.key: definition for definition in definitions()})
    common = common_origin(facts)
    return {
        "contact": found,
        "identity": identity,
        "title": person_title(identity),
        "masked": not clear,
        "country": words.country_name(found.country),
        "local_time": words.local_time(found.time_zone),
        "standing": standing,
        "suppressed": [str(words.SUPPRESSIONS.get(reason, reason)) for reason in suppressed],
        "bought": bought,
        "bought_total": money_text(bought.total_minor, bought.currency) if bought else "",
        "engagement": engagement(actor=actor, contact_id=found.pk),
        "facts": facts,
        "common_source": common[0],
        "common_at": common[1],
        "tags": [(tag.key, words.tag_name(tag), tag.colour) for tag in held],
        "rule_tags": rule_tag_keys(),
        "place": place_of(found.pk),
        "lists": lists_of_contact(actor=actor, contact_id=found.pk),
        "seen": found.updated_at.isoformat(),
        "notes_open": clear and actor.may(Permission.CONTACT_EDIT),
        "today": clock.now().date(),
    }


def _tabs(current: str) -> list[tuple[str, str, bool]]:
    labels = {
        "timeline": _("Timeline"),
        "orders": _("Orders"),
        "objects": _("Objects"),
        "consent": _("Consent"),
        "identity": _("Identity and devices"),
        "data": _("Copy and erase"),
    }
    return [(key, labels[key], key == current) for key in TABS]


def _timeline_frame(request: HttpRequest, found: Contact) -> dict[str, Any]:
    """The search and the chips; the items themselves come right after, so that the head never waits for them."""
    kind = request.GET.get("kind", "")
    return {
        "kinds": [(key, found_kind.label, found_kind.icon, key == kind) for key, found_kind in KINDS.items()],
        "asked_kind": kind if kind in KINDS else "",
        "timeline_url": reverse("contacts:timeline", args=[found.public_id]),
    }


def _asked(request: HttpRequest, found: Contact) -> Asked:
    actor = actor_of(request)
    given = request.POST if request.method == "POST" else request.GET
    kind = given.get("kind", "")
    ids = ids_of(found.pk)
    public_ids = [str(found.public_id)]
    if len(ids) > 1:
        merged = MergedAway.objects.filter(into_id=found.pk).values_list("public_id", flat=True)
        public_ids += [str(public_id) for public_id in merged]
    before = read_position(given["before"]) if given.get("before") else before_day(given.get("on", "")) or NEWEST
    text = given.get("q", "")[:200].casefold()
    return Asked(
        actor=actor,
        contact=found,
        contact_ids=ids,
        public_ids=public_ids,
        clear=actor.may(Permission.CONTACT_IDENTITY),
        before=before,
        kind=kind if kind in KINDS else "",
        words=tuple(text.split()[:WORDS_MOST]),
    )

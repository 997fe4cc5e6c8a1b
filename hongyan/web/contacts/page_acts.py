"""What staff do on the page of a person: tags, lists, consent, suppression, erasure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hongyan.accounts.permissions import Permission
from hongyan.audience.errors import Frozen, RuleDecides
from hongyan.audience.lists import list_add, list_remove
from hongyan.audience.models import ContactList, Tag
from hongyan.audience.tagging.tags import tag_contacts, untag_contacts
from hongyan.contacts.consent import consent_record, unsubscribe
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.errors import ErasureRefused
from hongyan.contacts.models import Topic
from hongyan.contacts.suppression import suppress, suppressions_of, unsuppress_row
from hongyan.contacts.types import Channel, ConsentAction, Evidence, SuppressionReason
from hongyan.core import clock
from hongyan.web.contacts.common import actor_of, contact_or_404
from hongyan.web.contacts.page_tabs import LIFTABLE

ACTS = {"given": ConsentAction.GIVEN, "refused": ConsentAction.REFUSED, "withdrawn": ConsentAction.WITHDRAWN}


@require_POST
def tags(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found, _identity = contact_or_404(request, public_id)
    tag = Tag.objects.select_related("group").filter(key=request.POST.get("tag", "")).first()
    if tag is None:
        messages.error(request, _("Choose a tag first."))
    else:
        try:
            _tag_or_untag(request, tag, found.pk)
        except RuleDecides as error:
            messages.error(request, error.message)
    return _back(public_id, "timeline")


def _tag_or_untag(request: HttpRequest, tag: Tag, contact_id: int) -> None:
    if request.POST.get("act") == "remove":
        untag_contacts(actor=actor_of(request), tag=tag, contact_ids=[contact_id])
        return
    outcome = tag_contacts(actor=actor_of(request), tag=tag, contact_ids=[contact_id])
    if outcome.replaced:
        messages.info(request, _("It took the place of another tag: a contact has one of this group."))


@require_POST
def lists(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found, _identity = contact_or_404(request, public_id)
    try:
        chosen = ContactList.objects.filter(public_id=UUID(request.POST.get("list", ""))).first()
    except ValueError:
        chosen = None
    if chosen is None:
        messages.error(request, _("Choose a list first."))
    else:
        act = list_remove if request.POST.get("act") == "remove" else list_add
        try:
            act(actor=actor_of(request), contact_list=chosen, contact_ids=[found.pk])
        except Frozen as error:
            messages.error(request, error.message)
    return _back(public_id, "timeline")


@require_POST
def consent(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record what the person said, with how it came about."""
    actor = actor_of(request)
    actor.require(Permission.CONSENT_EDIT)
    found, _identity = contact_or_404(request, public_id)
    channel, topic_key = request.POST.get("channel", ""), request.POST.get("topic", "")
    action = ACTS.get(request.POST.get("action", ""))
    wording = request.POST.get("wording", "").strip()
    at = _moment(request.POST.get("occurred_at", ""))
    problem = ""
    if action is None or channel not in {item.value for item in Channel} or not _known(channel, topic_key):
        problem = _("Choose what the person said, and about what.")
    elif not wording:
        problem = _("Write down how the person said it: the words, the place, the document.")
    elif at is not None and at > clock.now():
        problem = _("The time lies in the future.")
    if problem or action is None:
        messages.error(request, problem)
        return _back(public_id, "consent")
    evidence = Evidence(method="staff", legal_basis="consent", wording=wording[:4000], occurred_at=at)
    topic = topic_key if channel == Channel.EMAIL and topic_key else None
    if action is ConsentAction.WITHDRAWN and channel == Channel.EMAIL:
        unsubscribe(actor=actor, contact_id=found.pk, topic_key=topic, evidence=evidence)
    else:
        consent_record(
            actor=actor, contact_id=found.pk, channel=channel, topic_key=topic, action=action, evidence=evidence
        )
    messages.success(request, _("Recorded"))
    return _back(public_id, "consent")


@require_POST
def suppression(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Stop all mail to the address by hand, or take back a stop that did not come from the person."""
    actor = actor_of(request)
    actor.require(Permission.CONSENT_EDIT)
    actor.require(Permission.CONTACT_IDENTITY)  # a masked address must not be what is suppressed
    found, identity = contact_or_404(request, public_id)
    if request.POST.get("act") == "lift":
        wanted = request.POST.get("row", "")
        for row in suppressions_of(contact_id=found.pk):
            if str(row.pk) == wanted and row.reason in LIFTABLE:
                unsuppress_row(actor=actor, suppression_id=row.pk)
                messages.success(request, _("Mail to this address is possible again. Consent is not touched."))
    elif identity.email:
        suppress(actor=actor, kind="email", value=identity.email, reason=SuppressionReason.MANUAL)
        messages.success(request, _("Nothing will be sent to this address any more."))
    return _back(public_id, "consent")


@require_POST
def erase(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Needs the typed word, and that nothing changed since the page was read. Answers with the receipt."""
    actor = actor_of(request)
    actor.require(Permission.CONTACT_ERASE)
    found, _identity = contact_or_404(request, public_id)
    reason = request.POST.get("reason", "")
    if request.POST.get("typed", "").strip() != erase_word() or reason not in {"request", "staff"}:
        messages.error(request, _("Nothing was erased: the word to confirm was missing."))
        return _back(public_id, "data")
    try:
        seen = datetime.fromisoformat(request.POST.get("seen", ""))
    except ValueError:
        raise Http404 from None
    try:
        receipt = contact_erase(actor=actor, contact_id=found.pk, reason=reason, unchanged_since=seen)
    except ErasureRefused:
        messages.error(request, _("This person changed since you opened the page. Look again before erasing."))
        return _back(public_id, "data")
    return render(request, "contacts/erased.html", {"receipt": receipt, "lines": _receipt_lines(receipt.removed)})


def _back(public_id: UUID, tab: str) -> HttpResponse:
    url = reverse("contacts:contact", args=[public_id])
    return redirect(url if tab == "timeline" else f"{url}?tab={tab}")


def erase_word() -> str:
    """What one types to confirm, in one's own language."""
    return _("erase")


def _receipt_lines(removed: Mapping[str, int]) -> list[tuple[str, int]]:
    names = {
        "consent_shrunk": _("consent records reduced to a pseudonym"),
        "consent_states": _("consent in force"),
        "confirmations": _("open confirmations"),
        "identifiers": _("identifiers"),
        "contact_and_links": _("profile and what hung on it"),
        "events": _("events"),
        "delivery": _("sent mails untied from the person"),
        "audience": _("tags and list memberships"),
        "analytics": _("lines of statistics"),
        "objects_and_notes": _("objects, notes and traces of who looked"),
        "commerce": _("orders untied from the person"),
        "identity": _("merges and suggestions of merges"),
        "ingest": _("data waiting to be taken in"),
    }
    return [(names.get(key, key), count) for key, count in removed.items()]


def _known(channel: str, topic_key: str) -> bool:
    if channel != Channel.EMAIL or not topic_key:
        return True
    return Topic.objects.filter(key=topic_key).exists()


def _moment(text: str) -> datetime | None:
    """Of an <input type="datetime-local">, on the reader's clock."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return timezone.make_aware(at) if at.tzinfo is None else at

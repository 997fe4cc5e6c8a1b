"""The mail as somebody will get it, and test sends. Rendered by the code that sends."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hongyan.accounts.permissions import Permission
from hongyan.audience.errors import BadTree
from hongyan.campaigns import people
from hongyan.campaigns.draft import compile_campaign
from hongyan.campaigns.errors import NotComplete
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.persons import Person, persons
from hongyan.contacts.masking import masked_identity
from hongyan.contacts.models import Contact
from hongyan.contacts.selectors import identities
from hongyan.content.contexts import contexts
from hongyan.content.errors import ContentProblem, EmptyValue, RenderRefused
from hongyan.content.models import ContentVersion
from hongyan.content.rendering import prepare
from hongyan.content.types import RenderedMail
from hongyan.delivery.models import Sender
from hongyan.delivery.services import send_now
from hongyan.delivery.types import DirectMail
from hongyan.web.campaigns.common import actor_of, attempt, base_context, campaign_of, to

# The mail's own styles and remote pictures, and nothing that runs or calls home from our origin.
MAIL_POLICY = (
    "sandbox; default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; font-src https: data:"
)


@dataclass
class PreviewLinks:
    """Links lead where the mail says, but nothing is counted and nobody can be unsubscribed from a preview."""

    tracks_clicks: bool = field(default=False)

    def click_start(self) -> str:
        return "#link-"

    def dynamic_click_url(self, url: str) -> str:
        return url

    def open_pixel_url(self) -> str | None:
        return None

    def unsubscribe_url(self) -> str:
        return "#unsubscribe"

    def preferences_url(self) -> str:
        return "#preferences"

    def view_url(self) -> str:
        return "#view"


@require_safe
def preview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment: whose mail this is, subject and frame; flips to the next real recipient or to the riskiest."""
    campaign = campaign_of(request, public_id)
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    person, problem = _person(request, campaign)
    rendered, refusal = None, problem
    if person is not None:
        try:
            rendered = render_for(campaign, person.id, clear=actor.may(Permission.CONTACT_IDENTITY))
        except (ContentProblem, RenderRefused, NotComplete) as refused:
            refusal = refusal_words(refused)
    context = base_context(campaign) | {
        "person": person,
        "subject": rendered.subject if rendered is not None else "",
        "refusal": refusal,
        "width": "narrow" if request.GET.get("width") == "narrow" else "wide",
        "which": request.GET.get("which", "next"),
    }
    return render(request, "campaigns/parts/preview.html", context)


@require_safe
def body(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The mail itself, for the sandboxed frame."""
    campaign = campaign_of(request, public_id)
    actor = actor_of(request)
    actor.require(Permission.CONTACT_VIEW)
    contact_id = _contact_id(request.GET.get("contact", ""))
    clear = actor.may(Permission.CONTACT_IDENTITY)
    try:
        mail = render_for(campaign, contact_id, clear=clear) if contact_id else render_example(campaign)
        markup = mail.html or f"<pre>{escape(mail.text)}</pre>"
        if request.GET.get("part") == "text":
            markup = f"<pre>{escape(mail.text)}</pre>"
    except (ContentProblem, RenderRefused, NotComplete) as refused:
        markup = f"<p>{escape(refusal_words(refused))}</p>"
    response = HttpResponse(markup)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
def test_send(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """To the person who asks, with the data of a real recipient; the subject says that it is a test."""
    campaign = campaign_of(request, public_id)
    actor = actor_of(request)
    actor.require(Permission.CAMPAIGN_EDIT)
    address = getattr(request.user, "email", "")
    contact_id = _contact_id(request.POST.get("contact", ""))

    def send() -> None:
        clear = actor.may(Permission.CONTACT_IDENTITY)
        mail = render_for(campaign, contact_id, clear=clear) if contact_id else render_example(campaign)
        marked = DirectMail(f"[{_('TEST')}] {mail.subject}", mail.html or None, mail.text)
        number = secrets.randbits(62)
        send_now(kind="test", origin_id=number, to=address, mail=marked, sender_id=campaign.sender_id)

    try:
        attempt(request, send, done=_("A test mail is on its way to %(address)s.") % {"address": address})
    except (ContentProblem, RenderRefused) as refused:
        from django.contrib import messages

        messages.error(request, refusal_words(refused))
    return to("review", campaign)


def render_for(campaign: Campaign, contact_id: int, *, clear: bool) -> RenderedMail:
    """Exactly as delivery would; without the right to see identities the personal values are masked."""
    version = _version(campaign)
    context = contexts([contact_id], version.variables, language=version.language).get(contact_id, {})
    if not clear:
        context = _masked(context, contact_id)
    return prepare(version).render(context | {"sender": sender_context(campaign.sender)}, PreviewLinks())


def render_example(campaign: Campaign) -> RenderedMail:
    """With the catalogue's examples, where no contact is chosen."""
    from hongyan.content.catalogue import catalogue

    version = _version(campaign)
    context: dict[str, Any] = {"sender": sender_context(campaign.sender)}
    for path, merge in catalogue().items():
        group, _dot, rest = path.partition(".")
        if group in {"contact", "today"}:
            holder = context.setdefault(group, {})
            if rest.startswith("fields."):
                holder.setdefault("fields", {})[rest.removeprefix("fields.")] = merge.example
            else:
                holder[rest] = merge.example
    return prepare(version).render(context, PreviewLinks())


def sender_context(sender: Sender | None) -> dict[str, str]:
    if sender is None:
        return {}
    return {
        "name": sender.from_name,
        "email": sender.from_email,
        "company": sender.company_name,
        "address": sender.postal_address,
        "phone": sender.phone,
        "website": sender.website,
    }


def refusal_words(refused: Exception) -> str:
    match refused:
        case ContentProblem():
            return refused.message
        case EmptyValue():
            return _("This person has no “%(field)s”, and the mail prints it without a fallback.") % {
                "field": refused.field
            }
        case NotComplete():
            return _("No mail is chosen yet.")
        case _:
            return _("The mail cannot be made for this person.")


def _masked(context: dict[str, Any], contact_id: int) -> dict[str, Any]:
    """The same fields filled, with what a masked identity shows."""
    identity = identities([contact_id]).get(contact_id)
    if identity is None:
        return context
    shown = masked_identity(identity)
    contact = dict(context.get("contact", {}))
    for name in ("given_name", "family_name", "full_name", "email", "phone", "street", "postal_code"):
        if contact.get(name):
            contact[name] = getattr(shown, name) or "***"
    return context | {"contact": contact}


def _version(campaign: Campaign) -> ContentVersion:
    return campaign.content_version or compile_campaign(campaign)


def _person(request: HttpRequest, campaign: Campaign) -> tuple[Person | None, str]:
    """The contact asked for; else the next recipient after a random or given place, or the next with an empty field."""
    chosen = _contact_id(request.GET.get("contact", ""))
    try:
        found = people.plan(campaign)
        if not chosen:
            after = request.GET.get("after", "")
            start = int(after) if after.isdigit() else _somewhere()
            ids = _next(found, start, risky=request.GET.get("which") == "risky")
            chosen = ids[0] if ids else 0
    except (BadTree, NotComplete):
        return None, _("Choose an audience first: then you can flip through its people.")
    if not chosen:
        return None, _("Nobody in this audience would get it.")
    known = persons(actor=actor_of(request), contact_ids=[chosen], subject_id=str(campaign.public_id))
    return known.get(chosen), ""


def _next(found: people.Plan, start: int, *, risky: bool) -> list[int]:
    if risky:
        ids = people.riskiest_ids(found, after=start, limit=1) or people.riskiest_ids(found, limit=1)
        if ids:
            return ids
    return people.receiving_ids(found, after=start, limit=1) or people.receiving_ids(found, limit=1)


def _somewhere() -> int:
    highest = Contact.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return secrets.randbelow(highest + 1)


def _contact_id(text: str) -> int:
    try:
        public_id = UUID(text)
    except ValueError:
        return 0
    found = Contact.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    if found is None:
        raise Http404
    return found

"""Sender identities, and the facts of the sending domain."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hongyan.accounts.errors import NotFound
from hongyan.accounts.organisation import organisation
from hongyan.accounts.permissions import Permission
from hongyan.delivery.models import Sender
from hongyan.delivery.selectors import senders
from hongyan.delivery.senders import SenderRefused, SenderValues, sender_archive, sender_create, sender_update
from hongyan.web.settings.common import acting, needs
from hongyan.web.settings.forms import SenderForm

_FIELDS = ("from_name", "from_email", "reply_to", "company_name", "postal_address", "phone", "website")


@require_safe
@needs(Permission.SETTINGS_EDIT)
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "settings/senders.html", {"rows": senders()})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SETTINGS_EDIT)
def edit(request: HttpRequest, public_id: UUID | None = None) -> HttpResponse:
    sender = _sender(public_id) if public_id is not None else None
    form = SenderForm(request.POST or None, initial=_initial(sender))
    if request.method == "POST" and form.is_valid():
        values = SenderValues(**{field: form.cleaned_data[field] for field in _FIELDS})
        default = form.cleaned_data["is_default"]
        try:
            if sender is None:
                sender_create(actor=acting(request), values=values, make_default=default)
            else:
                sender_update(actor=acting(request), sender=sender, values=values, make_default=default)
        except SenderRefused as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, _("Saved"))
            return redirect("settings:senders")
    return render(request, "settings/sender.html", {"form": form, "sender": sender})


@require_POST
@needs(Permission.SETTINGS_EDIT)
def archiving(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        sender_archive(actor=acting(request), sender=_sender(public_id))
    except SenderRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Archived. Mails already queued keep it."))
    return redirect("settings:senders")


def _initial(sender: Sender | None) -> dict[str, object]:
    if sender is None:
        house = organisation()
        return {"company_name": house.name, "postal_address": house.postal_address, "is_default": not senders()}
    return {field: getattr(sender, field) for field in (*_FIELDS, "is_default")}


def _sender(public_id: UUID) -> Sender:
    sender = next((row for row in senders() if row.public_id == public_id), None)
    if sender is None:
        raise NotFound
    return sender


@dataclass(frozen=True, slots=True)
class Relay:
    """The relay as configured; never its password."""

    host: str
    port: int
    encryption: str  # tls | starttls | catcher
    signs_in: bool


@require_safe
def mail(request: HttpRequest) -> HttpResponse:
    """How mail leaves, and whether the envelope's domain stands beside each sender's for SPF and DMARC."""
    actor = acting(request)
    if not actor.may(Permission.SETTINGS_EDIT):
        actor.require(Permission.SYSTEM_VIEW)
    bounce = settings.HONGYAN_BOUNCE_DOMAIN.lower()
    domains = sorted({sender.domain for sender in senders()})
    context = {
        "relay": _relay(settings.HONGYAN_SMTP_URL),
        "connections": settings.HONGYAN_SMTP_CONNECTIONS,
        "mail_domain": settings.HONGYAN_MAIL_DOMAIN,
        "bounce_domain": bounce,
        "base_url": settings.HONGYAN_BASE_URL,
        "https": settings.HONGYAN_BASE_URL.startswith("https://"),
        "domains": [(domain, bounce == domain or bounce.endswith("." + domain)) for domain in domains],
    }
    return render(request, "settings/mail.html", context)


def _relay(url: str) -> Relay:
    if not url:
        return Relay("127.0.0.1", settings.HONGYAN_CATCHER_PORT, "catcher", signs_in=False)
    parts = urlsplit(url)
    secure = parts.scheme == "smtps"
    return Relay(
        parts.hostname or "",
        parts.port or (465 if secure else 587 if parts.username else 25),
        "tls" if secure else "starttls",
        signs_in=bool(parts.username),
    )

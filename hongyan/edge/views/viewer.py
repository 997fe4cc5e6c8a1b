"""A mail as a web page: made again for its recipient by the code that sent it, without tracking."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from hongyan.content.contexts import contexts
from hongyan.content.errors import RenderRefused
from hongyan.content.models import ContentVersion
from hongyan.content.rendering import prepare
from hongyan.content.types import RenderedMail
from hongyan.delivery.links import MessageLinks
from hongyan.delivery.models import Sender
from hongyan.edge.views.common import Reader, gone, reader_of

# The mail's own styles and pictures, nothing that runs.
_POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; font-src https:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@require_safe
def view_mail(request: HttpRequest, token: str) -> HttpResponse:
    reader = reader_of(token)
    if reader is None or reader.contact is None:
        return gone(request)
    mail = _rendered(reader)
    if mail is None:
        return gone(request)
    plain = "<!doctype html><meta charset=utf-8><title>{}</title><pre>{}</pre>"
    body = mail.html or format_html(plain, mail.subject, mail.text)
    response = HttpResponse(body)
    response["Content-Security-Policy"] = _POLICY
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _rendered(reader: Reader) -> RenderedMail | None:
    version_id = reader.message.content_version_id
    version = ContentVersion.objects.filter(pk=version_id).first() if version_id is not None else None
    if version is None:
        return None
    contact_id = int(reader.message.contact_id or 0)
    context = contexts([contact_id], version.variables, language=version.language).get(contact_id)
    if context is None:
        return None
    sender = Sender.objects.filter(pk=reader.message.sender_id).first()
    if sender is not None:
        context["sender"] = {
            "name": sender.from_name,
            "email": sender.from_email,
            "company": sender.company_name,
            "address": sender.postal_address,
            "phone": sender.phone,
            "website": sender.website,
        }
    links = MessageLinks(reader.key, base_url=settings.HONGYAN_BASE_URL, tracks_clicks=False, tracks_opens=False)
    try:
        return prepare(version).render(context, links)
    except RenderRefused:
        return None

"""What every view of this area does first and last."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.content.errors import NotFound
from hongyan.content.models import Snippet, Template
from hongyan.content.preview import example_sender
from hongyan.content.selectors import snippet_by_id, template_by_id
from hongyan.delivery.errors import UnknownSender
from hongyan.delivery.outbox import default_sender

P = Permission
READERS = (P.CONTENT_EDIT, P.CAMPAIGN_EDIT, P.CAMPAIGN_APPROVE)

# A mail's own styles and remote pictures; nothing that runs, submits or reaches our origin.
MAIL_POLICY = (
    "sandbox; default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; font-src https:; "
    "frame-ancestors 'self'"
)


def actor_of(request: HttpRequest) -> Actor:
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


def reading(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For everybody who works with mails: writers, campaign makers, approvers."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        actor = actor_of(request)
        if not any(actor.may(permission) for permission in READERS):
            raise PermissionRefused(P.CONTENT_EDIT)
        return view(request, *args, **kwargs)

    return checked


def editing(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        actor_of(request).require(P.CONTENT_EDIT)
        return view(request, *args, **kwargs)

    return checked


def template_of(public_id: UUID) -> Template:
    try:
        return template_by_id(public_id)
    except NotFound:
        raise Http404 from None


def snippet_of(public_id: UUID) -> Snippet:
    try:
        return snippet_by_id(public_id)
    except NotFound:
        raise Http404 from None


def sender_values(language: str) -> dict[str, str]:
    """The default sender as mails print it; an invented one before any is set up."""
    try:
        sender = default_sender()
    except UnknownSender:
        return example_sender(language)
    return {
        "name": sender.from_name,
        "email": sender.from_email,
        "company": sender.company_name,
        "address": sender.postal_address,
        "phone": sender.phone,
        "website": sender.website,
    }


def mail_response(markup: str) -> HttpResponse:
    """A mail for a sandboxed frame."""
    response = HttpResponse(markup)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response

"""Staff pages are for signed-in staff: everything else must say that it is public.

``SecurityHeadersMiddleware`` stands first and speaks for every answer, also errors. ``StaffMiddleware`` stands last: it
knows the user, attaches ``request.actor``, and turns a refused permission into a page that names it.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import resolve_url
from django.utils import timezone, translation

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.models import User
from hongyan.accounts.types import Actor, contact_actor
from hongyan.contacts.errors import ContactMerged
from hongyan.core.proxies import client_ip, trusted_set
from hongyan.web.refusals import bad_request, contact_moved, method_refused, permission_refused

logger = logging.getLogger(__name__)
Handler = Callable[[HttpRequest], HttpResponseBase]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])

# Nothing inline, nothing from elsewhere. Views that need another policy (the sandboxed preview of a mail, a form that
# may be embedded) set their own header, which is kept.
CONTENT_SECURITY_POLICY = "; ".join(  # noqa: FLY002  one directive a line reads and diffs better
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), usb=(), publickey-credentials-get=(self), "
        "publickey-credentials-create=(self)"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}
PUBLIC_APPS = frozenset({"edge", "ninja"})  # ninja is the API; they know their own callers: signed links and keys
PUBLIC_PREFIXES = ("/account/", "/static/")  # allauth guards its own pages


class StaffRequest(Protocol):
    """What a staff view may rely on besides Django's request."""

    user: User
    actor: Actor


def public_page(view: View) -> View:
    """Marks a view of a staff area that anybody may open (switching the language on the sign-in page)."""
    cast("Any", view).hongyan_public = True
    return view


class SecurityHeadersMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class SessionActivityMiddleware:
    """Keeps the list of sessions: since when, from where, last used. What was noted within the last minute is not
    written again, so most pages read and write nothing for it; a new address or browser is noted at once."""

    _every_s = 60
    _kept = 10_000

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self._noted: dict[tuple[str, str, str], float] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.session.session_key
        if key and request.user.is_authenticated:
            self._note((key, request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_USER_AGENT", "")), request)
        return self.get_response(request)

    def _note(self, seen: tuple[str, str, str], request: HttpRequest) -> None:
        now = time.monotonic()
        if now - self._noted.get(seen, -self._every_s) < self._every_s:
            return
        if len(self._noted) >= self._kept:
            self._noted.clear()
        UserSession.objects.create_from_request(request)
        self._noted[seen] = now


class StaffMiddleware:
    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.trusted = trusted_set(settings.HONGYAN_TRUSTED_PROXIES)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        ip = client_ip(request.META.get("REMOTE_ADDR"), request.META.get("HTTP_X_FORWARDED_FOR", ""), self.trusted)
        if not isinstance(user, User):
            cast("Any", request).actor = contact_actor(ip=ip)
            with timezone.override(settings.HONGYAN_TIME_ZONE):
                return self._answer(request)
        cast("Any", request).actor = Actor(
            kind="user", id=user.pk, label=user.email, permissions=user.permissions, ip=ip
        )
        if user.language and user.language != translation.get_language():
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(user.time_zone or settings.HONGYAN_TIME_ZONE):
            return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and request.method == "GET" and not _is_public(request):
            response = method_refused(request, response)
        if not _keeps_for_itself(request):
            # Pages, files and JSON hold personal data: neither proxies nor the browser's disk may keep them.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        del args, kwargs
        if request.user.is_authenticated or _is_public(request) or getattr(view, "hongyan_public", False):
            return None
        if request.headers.get("HX-Request"):
            # A fragment cannot show the sign-in page; the whole window goes there.
            answer = HttpResponse(status=401)
            answer.headers["HX-Redirect"] = resolve_url(settings.LOGIN_URL)
            return answer
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, PermissionRefused) and not _is_public(request):
            return permission_refused(request, exception.permission)
        if isinstance(exception, ContactMerged) and not _is_public(request):
            return contact_moved(request, exception.into)
        if isinstance(exception, (DataError, UnicodeEncodeError)) and not _is_public(request):
            # A text with NUL, half a character, a year no database has: whoever made it up did not use our pages.
            logger.warning("value_refused", exc_info=exception, extra={"view": _view_name(request)})
            return bad_request(request, exception)
        return None


def _view_name(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match is not None else ""


def _keeps_for_itself(request: HttpRequest) -> bool:
    """Pages of customers say themselves what may be kept."""
    match = request.resolver_match
    return match is not None and bool(match.app_names) and match.app_names[0] == "edge"


def _is_public(request: HttpRequest) -> bool:
    match = request.resolver_match
    if match is not None and match.app_names and match.app_names[0] in PUBLIC_APPS:
        return True
    return request.path_info.startswith(PUBLIC_PREFIXES)

"""Refusals as pages: what happened, what would help, and the way back."""

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import ROLE_PERMISSIONS, Permission
from hongyan.web.figures import chinese
from hongyan.web.words import permission_label, role_label


def permission_refused(request: HttpRequest, permission: Permission) -> HttpResponse:
    label = permission_label(permission)
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=403)
        answer.headers["HX-Reswap"] = "none"
        text = _("This needs the permission “%(permission)s”.") % {"permission": label}
        # ASCII-escaped: header values carry Latin-1 only.
        answer.headers["HX-Trigger"] = json.dumps({"hy:toast": {"text": text, "tone": "bad"}})
        return answer
    roles = [role_label(role) for role, granted in ROLE_PERMISSIONS.items() if permission in granted]
    names = ("、" if chinese() else ", ").join(roles)
    return render(request, "403.html", {"permission": label, "roles": names}, status=403)


def contact_moved(request: HttpRequest, into: UUID) -> HttpResponse:
    """The record was merged into another: its pages are that one's. A form meant for it is not sent on unseen, the
    person looks first. Never cached, since a merge can be undone."""
    old = next((str(value) for value in (request.resolver_match.kwargs if request.resolver_match else {}).values()), "")
    if request.method in {"GET", "HEAD"} and old:
        target = request.get_full_path().replace(old, str(into))
        answer = HttpResponse(status=301, headers={"Location": target})
    else:
        messages.info(request, _("This record was merged into another one, shown here. Nothing was changed."))
        answer = HttpResponse(status=303, headers={"Location": reverse("contacts:contact", args=[into])})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception  # its text may quote what was sent
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception
    return render(request, "404.html", status=404)


def method_refused(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Somebody's browser opened an address that only forms are sent to; Django answers that with an empty page."""
    page = render(request, "405.html", status=405)
    page.headers["Allow"] = answer.headers["Allow"]
    return page


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: nearly always a page left open over a sign-out, so the remedy is to reload it."""
    del reason
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Renders without database and session: they may be what failed."""
    from django.template.loader import render_to_string

    return HttpResponse(
        render_to_string("500.html", {"theme": request.COOKIES.get("hongyan_theme", "auto")}), status=500
    )

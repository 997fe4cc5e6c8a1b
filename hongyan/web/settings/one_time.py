"""One-time links: opening shows a button, pressing it signs in. Scanners and previews only open."""

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from hongyan.accounts.errors import LinkRefused
from hongyan.accounts.links import one_time_link_peek, one_time_link_use
from hongyan.accounts.models import OneTimeLink
from hongyan.web.middleware import public_page


@public_page
@never_cache
@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def one_time_link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        if request.method == "POST":
            return _sign_in(request, one_time_link_use(token=token))
        link = one_time_link_peek(token=token)
    except LinkRefused:
        return render(request, "settings/one_time_refused.html", status=410)
    return render(request, "settings/one_time.html", {"link": link, "invited": link.purpose == "invite"})


def _sign_in(request: HttpRequest, link: OneTimeLink) -> HttpResponse:
    """Through allauth, so that a second factor is still asked for. Who has no password yet is asked to choose one."""
    target = "/" if link.user.has_usable_password() else reverse("account_set_password")
    if link.purpose == OneTimeLink.Purpose.SIGN_IN:
        target = "/"  # made on the server's console, for whoever stands there
    response: HttpResponse = perform_login(request, link.user, redirect_url=target)
    return response if response is not None else HttpResponseRedirect(target)

"""Language and theme: ordinary forms, so they also work on the sign-in page and without scripts."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from hongyan.accounts.models import User
from hongyan.web.context import THEME_COOKIE, THEMES
from hongyan.web.middleware import public_page

YEAR_S = 365 * 24 * 3600


@public_page
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Sets the cookie, and the preference of whoever is signed in, so that both agree."""
    chosen = request.POST.get("language", "")
    response = HttpResponseRedirect(_back(request))
    if chosen not in dict(settings.LANGUAGES):
        return response
    _remember(response, settings.LANGUAGE_COOKIE_NAME, chosen)
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    return response


@public_page
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect(_back(request))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        _remember(response, THEME_COOKIE, chosen)
    return response


def _remember(response: HttpResponse, name: str, value: str) -> None:
    # Not HttpOnly: the theme switch writes it without a round trip. It holds no secret.
    response.set_cookie(name, value, max_age=YEAR_S, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return target
    return "/"

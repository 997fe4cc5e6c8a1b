"""API keys: ``Authorization: Bearer <key>``."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from hongyan.accounts.api_keys import authenticate
from hongyan.accounts.types import Actor
from hongyan.api.problems import Problem
from hongyan.core.proxies import client_ip, trusted_set


class KeyAuth(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        return actor_of_key(request, token)


def actor_of_key(request: HttpRequest, token: str) -> Actor | None:
    trusted = trusted_set(settings.HONGYAN_TRUSTED_PROXIES)
    ip = client_ip(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For", ""), trusted)
    return authenticate(token, ip=ip)


def actor(request: HttpRequest) -> Actor:
    """Of a request that passed ``KeyAuth``. Refuses query texts that no database can hold."""
    if "%00" in request.META.get("QUERY_STRING", ""):
        raise Problem(422, "values", _("The address holds a NUL character, which no text can have."))
    return cast("Actor", request.auth)  # type: ignore[attr-defined]  # set by django-ninja

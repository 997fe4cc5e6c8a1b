"""API keys: ``Authorization: Bearer <key>``."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer

from hongyan.accounts.api_keys import authenticate
from hongyan.accounts.types import Actor
from hongyan.core.proxies import client_ip, trusted_set


class KeyAuth(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        return actor_of_key(request, token)


def actor_of_key(request: HttpRequest, token: str) -> Actor | None:
    trusted = trusted_set(settings.HONGYAN_TRUSTED_PROXIES)
    ip = client_ip(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For", ""), trusted)
    return authenticate(token, ip=ip)


def actor(request: HttpRequest) -> Actor:
    """Of a request that passed ``KeyAuth``."""
    return cast("Actor", request.auth)  # type: ignore[attr-defined]  # set by django-ninja

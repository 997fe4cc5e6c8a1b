"""Sign-in rules on top of django-allauth: nobody signs up by themselves; administrators invite."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from hongyan.core.proxies import client_ip, trusted_set

NO_ADDRESS = "0.0.0.0"  # noqa: S104  the peer has none (a Unix socket); a session row wants one


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        del request
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Throttling and session lists must not believe a header that anybody can write."""
        trusted = trusted_set(settings.HONGYAN_TRUSTED_PROXIES)
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        return client_ip(request.META.get("REMOTE_ADDR"), forwarded, trusted) or NO_ADDRESS

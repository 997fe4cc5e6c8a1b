"""Sign-in rules on top of django-allauth: nobody signs up by themselves; administrators invite."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from hongyan.core.proxies import client_ip, trusted_set

NO_ADDRESS = "0.0.0.0"  # noqa: S104  the peer has none (a Unix socket); a session row wants one


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        del request
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """From the settings: whoever asks for the mail must not choose the host of the link by a header."""
        uid, _, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return f"{settings.HONGYAN_BASE_URL}{path}"

    def get_client_ip(self, request: HttpRequest) -> str:
        """Throttling and session lists must not believe a header that anybody can write."""
        trusted = trusted_set(settings.HONGYAN_TRUSTED_PROXIES)
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        return client_ip(request.META.get("REMOTE_ADDR"), forwarded, trusted) or NO_ADDRESS

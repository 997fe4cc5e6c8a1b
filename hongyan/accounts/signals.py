"""Sign-ins and changes of credentials go to the audit log. Connected when the app is ready."""

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.adapter import get_adapter
from allauth.mfa import signals as mfa_signals
from django.contrib.auth import signals as auth_signals
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest

from hongyan.accounts.actors import actor_of
from hongyan.accounts.adapter import NO_ADDRESS
from hongyan.accounts.models import User
from hongyan.accounts.types import Actor
from hongyan.audit.services import record

# A guessing machine must not fill the log: one entry a minute for each address and account.
_FAILURE_QUIET_S = 60


@receiver(auth_signals.user_logged_in)
def signed_in(sender: object, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    del sender, kwargs
    _record("user.signed_in", user, request)


@receiver(auth_signals.user_logged_out)
def signed_out(sender: object, request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    del sender, kwargs
    if user is not None:
        _record("user.signed_out", user, request)


@receiver(auth_signals.user_login_failed)
def sign_in_failed(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """What was typed is not kept: people type passwords into the wrong field."""
    del sender, kwargs
    typed = str(credentials.get("email") or credentials.get("username") or "").strip().lower()
    user = User.objects.filter(email=typed).first() if typed else None
    _failure(user, request, "password")


@receiver(mfa_signals.authentication_failed)
def second_factor_failed(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    del sender, kwargs
    _failure(user, request, "second_factor")


@receiver(account_signals.password_changed)
@receiver(account_signals.password_set)
@receiver(account_signals.password_reset)
def password_changed(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    del sender, kwargs
    _record("user.password_changed", user, request)


@receiver(mfa_signals.authenticator_added)
def factor_added(sender: object, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    del sender, kwargs
    _record("user.second_factor_added", user, request, type=str(authenticator.type))


@receiver(mfa_signals.authenticator_removed)
def factor_removed(sender: object, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    del sender, kwargs
    _record("user.second_factor_removed", user, request, type=str(authenticator.type))


@receiver(mfa_signals.authenticator_reset)
def factor_reset(sender: object, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    del sender, kwargs
    _record("user.second_factor_reset", user, request, type=str(authenticator.type))


def _failure(user: User | None, request: HttpRequest | None, step: str) -> None:
    ip = _ip(request)
    if not cache.add(f"sign-in-failed:{ip}:{user.pk if user else 0}:{step}", 1, _FAILURE_QUIET_S):
        return
    record(
        actor=Actor(kind="anonymous", id=None, label="", ip=ip),
        action="user.sign_in_failed",
        subject_kind="user",
        subject_id=str(user.public_id) if user else "",
        data={"step": step},
    )


def _record(action: str, user: User, request: HttpRequest | None, **data: object) -> None:
    record(
        actor=actor_of(user, _ip(request)),
        action=action,
        subject_kind="user",
        subject_id=str(user.public_id),
        data=data,
    )


def _ip(request: HttpRequest | None) -> str | None:
    if request is None:
        return None
    ip: str = get_adapter(request).get_client_ip(request)
    return None if ip == NO_ADDRESS else ip

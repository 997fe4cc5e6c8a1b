"""Acts on users: invite, change, deactivate, give and take roles. One-time links are in ``links``."""

import zoneinfo
from collections.abc import Iterable

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction

from hongyan.accounts.errors import BadValue, EmailTaken, LastAdministrator
from hongyan.accounts.links import one_time_link_create
from hongyan.accounts.models import OneTimeLink, RoleGrant, User
from hongyan.accounts.permissions import Permission, Role
from hongyan.accounts.types import Actor
from hongyan.audit.services import record

__all__ = [
    "one_time_link_create",
    "profile_change",
    "user_change",
    "user_deactivate",
    "user_invite",
    "user_link_renew",
    "user_reactivate",
]

_ROLES_LOCK = 7_105_003  # advisory lock: two administrators taking each other's role at once must not both succeed


def user_invite(*, actor: Actor, email: str, name: str, roles: Iterable[Role], language: str = "") -> tuple[User, str]:
    """A new user and the path of their invitation, good for seven days, once. Raises EmailTaken, BadValue."""
    actor.require(Permission.USERS_EDIT)
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise BadValue("email") from error
    granted = frozenset(roles)
    if not granted:
        raise BadValue("roles")
    with transaction.atomic():
        if User.objects.filter(email=address).exists():
            raise EmailTaken
        user = User.objects.create_user(address, name=name.strip()[:120])
        user.language = _language(language)
        user.save(update_fields=["language"])
        _grant(actor, user, granted)
        _audit(actor, "user.invited", user, roles=sorted(granted))
        return user, one_time_link_create(user=user, purpose=OneTimeLink.Purpose.INVITE, created_by_id=actor.id)


def user_link_renew(*, actor: Actor, user: User) -> str:
    """A new invitation for somebody who has no password yet, or lost it; earlier links stop working. Recorded: whoever
    has the link can come in as that person."""
    actor.require(Permission.USERS_EDIT)
    with transaction.atomic():
        _audit(actor, "user.link_made", user)
        return one_time_link_create(user=user, purpose=OneTimeLink.Purpose.INVITE, created_by_id=actor.id)


def user_change(*, actor: Actor, user: User, name: str, roles: Iterable[Role]) -> User:
    """Name and roles of somebody. Raises LastAdministrator, BadValue."""
    actor.require(Permission.USERS_EDIT)
    wanted = frozenset(roles)
    if not wanted:
        raise BadValue("roles")
    with transaction.atomic():
        _lock_roles()
        present = frozenset(Role(grant.role) for grant in RoleGrant.objects.filter(user=user))
        if Role.ADMINISTRATOR in present - wanted:
            _keep_an_administrator(without=user)
        user.name = name.strip()[:120]
        user.save(update_fields=["name"])
        RoleGrant.objects.filter(user=user, role__in=present - wanted).delete()
        _grant(actor, user, wanted - present)
        if present != wanted:
            _audit(actor, "user.roles_changed", user, given=sorted(wanted - present), taken=sorted(present - wanted))
    return user


def user_deactivate(*, actor: Actor, user: User) -> None:
    """They can no longer sign in, their sessions end now and their API keys answer to nobody."""
    actor.require(Permission.USERS_EDIT)
    with transaction.atomic():
        _lock_roles()
        if user.grants.filter(role=Role.ADMINISTRATOR).exists():
            _keep_an_administrator(without=user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        OneTimeLink.objects.filter(user=user, used_at=None).delete()
        _audit(actor, "user.deactivated", user)
    sessions_end(user=user)


def user_reactivate(*, actor: Actor, user: User) -> None:
    actor.require(Permission.USERS_EDIT)
    with transaction.atomic():
        user.is_active = True
        user.save(update_fields=["is_active"])
        _audit(actor, "user.reactivated", user)


def profile_change(*, actor: Actor, user: User, name: str, language: str, time_zone: str) -> User:
    """One's own name, language and time zone; empty means the organisation's. Raises BadValue."""
    if actor.kind != "user" or actor.id != user.pk:
        actor.require(Permission.USERS_EDIT)
    user.name, user.language, user.time_zone = name.strip()[:120], _language(language), zone_checked(time_zone)
    user.save(update_fields=["name", "language", "time_zone"])
    return user


def sessions_end(*, user: User, but_session_key: str = "") -> int:
    """Sign the user out everywhere, or everywhere else. Returns how many sessions ended."""
    sessions = list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=but_session_key))
    for session in sessions:
        session.end()
    return len(sessions)


def zone_checked(name: str) -> str:
    """Empty, or an IANA zone. Raises BadValue."""
    if name and name not in zoneinfo.available_timezones():
        raise BadValue("time_zone")
    return name


def _language(code: str) -> str:
    if code and code not in dict(settings.LANGUAGES):
        raise BadValue("language")
    return code


def _grant(actor: Actor, user: User, roles: Iterable[Role]) -> None:
    by = actor.id if actor.kind == "user" else None
    RoleGrant.objects.bulk_create([RoleGrant(user=user, role=role, granted_by_id=by) for role in sorted(roles)])


def _keep_an_administrator(*, without: User) -> None:
    others = RoleGrant.objects.filter(role=Role.ADMINISTRATOR, user__is_active=True).exclude(user=without)
    if not others.exists():
        raise LastAdministrator


def _lock_roles() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ROLES_LOCK])


def _audit(actor: Actor, action: str, user: User, **data: object) -> None:
    record(actor=actor, action=action, subject_kind="user", subject_id=str(user.public_id), data=data)

"""Reads about users. Staff data: names and addresses of colleagues, for those who manage users."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef

from hongyan.accounts.errors import NotFound
from hongyan.accounts.models import OneTimeLink, OrganisationSettings, User
from hongyan.accounts.organisation import organisation
from hongyan.accounts.permissions import Permission, Role
from hongyan.accounts.types import Actor
from hongyan.core.clock import now

# Whose account would do most harm in wrong hands: administrators and data-protection officers have this.
PRIVILEGED = Permission.AUDIT_VIEW


@dataclass(frozen=True, slots=True)
class UserRow:
    public_id: UUID
    email: str
    name: str
    roles: tuple[Role, ...]
    state: str  # active | invited | expired (invitation) | uninvited | inactive
    second_factor: bool
    last_login: datetime | None
    created_at: datetime

    @property
    def label(self) -> str:
        return self.name or self.email


def users(*, actor: Actor) -> list[UserRow]:
    """Everybody, active first, by name. Two queries."""
    actor.require(Permission.USERS_EDIT)
    factor = Authenticator.objects.filter(user_id=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    links = OneTimeLink.objects.filter(user_id=OuterRef("pk"))
    rows = User.objects.annotate(
        has_factor=Exists(factor),
        had_link=Exists(links),
        has_link=Exists(links.filter(used_at=None, expires_at__gt=now())),
    ).prefetch_related("grants")
    found = [
        UserRow(
            user.public_id,
            user.email,
            user.name,
            tuple(role for role in Role if role in user.roles),
            _state(user, had_link=user.had_link, has_link=user.has_link),
            user.has_factor,
            user.last_login,
            user.created_at,
        )
        for user in rows
    ]
    return sorted(found, key=lambda row: (row.state == "inactive", row.label.lower()))


def _state(user: User, *, had_link: bool, has_link: bool) -> str:
    if not user.is_active:
        return "inactive"
    if user.last_login is not None or user.has_usable_password():
        return "active"
    if not had_link:
        return "uninvited"
    return "invited" if has_link else "expired"


def user_by_public_id(*, actor: Actor, public_id: UUID) -> User:
    """Raises NotFound."""
    actor.require(Permission.USERS_EDIT)
    user = User.objects.prefetch_related("grants").filter(public_id=public_id).first()
    if user is None:
        raise NotFound
    return user


def user_labels(user_ids: set[int]) -> dict[int, str]:
    """Names of colleagues for "by whom" columns; staff may know each other's names."""
    return {user.pk: user.label for user in User.objects.filter(pk__in=user_ids)}


def second_factor_missing(*, actor: Actor) -> str:
    """ "" | remind | require: what the organisation asks of a privileged user without a second factor.

    No query for others, one or two for the privileged: it is asked on every request.
    """
    if actor.kind != "user" or not actor.may(PRIVILEGED):
        return ""
    policy = organisation().second_factor
    if policy == OrganisationSettings.SecondFactor.OFF:
        return ""
    has = Authenticator.objects.filter(user_id=actor.id).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
    return "" if has else policy

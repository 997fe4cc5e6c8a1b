"""Who acts: built once per request or key, from rows."""

from hongyan.accounts.models import User
from hongyan.accounts.types import Actor


def actor_of(user: User, ip: str | None = None) -> Actor:
    """A signed-in member of staff; a deactivated one may do nothing."""
    return Actor(kind="user", id=user.pk, label=user.email, permissions=user.permissions, ip=ip)

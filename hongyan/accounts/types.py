from dataclasses import dataclass, field

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import Permission


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a user, an API key, the system, or a contact acting for themselves on a public page.

    label: shown in the audit log; never personal data of a contact. ip: the address the request came from, if any.
    """

    kind: str  # user | api_key | system | contact
    id: int | None
    label: str
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    ip: str | None = None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises PermissionRefused. Services call this first, so that no page or API can forget it."""
        if permission not in self.permissions:
            raise PermissionRefused(permission)


def system_actor(label: str) -> Actor:
    """A job or command of the product itself; may do everything, and is named in the audit log."""
    return Actor(kind="system", id=None, label=label, permissions=frozenset(Permission))


def contact_actor(*, ip: str | None = None) -> Actor:
    """A contact on a public page (unsubscribe, preferences, form): may only what those services allow by themselves."""
    return Actor(kind="contact", id=None, label="contact", ip=ip)

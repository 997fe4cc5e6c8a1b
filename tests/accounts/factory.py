"""The cast: Ada administers, Mei and Tom market, Guo and Rosa approve, Dao guards privacy, Sam supports."""

from dataclasses import dataclass

from hongyan.accounts.models import RoleGrant, User
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor

ROLES = {
    "ada": Role.ADMINISTRATOR,
    "mei": Role.MARKETER,
    "tom": Role.MARKETER,
    "guo": Role.APPROVER,
    "rosa": Role.APPROVER,
    "dao": Role.PRIVACY_OFFICER,
    "sam": Role.SUPPORT,
    "lin": Role.SALES,
    "ivo": Role.ANALYST,
}
PASSWORD = "correct-horse-9"


@dataclass(frozen=True)
class Person:
    user: User
    actor: Actor


def person(name: str, role: Role | None = None) -> Person:
    role = role or ROLES[name]
    user = User.objects.create_user(f"{name}@staff.example", PASSWORD, name=name.title())
    RoleGrant.objects.create(user=user, role=role)
    actor = Actor("user", user.pk, user.label, ROLE_PERMISSIONS[role], "203.0.113.9")
    return Person(user, actor)

from hongyan.accounts.models import User
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor


def person(name: str, role: Role) -> Actor:
    user = User.objects.create_user(f"{name}@staff.example", name=name)
    return Actor(kind="user", id=user.pk, label=name, permissions=ROLE_PERMISSIONS[role])

"""``hongyan user …``"""

import sys

from django.conf import settings
from rich.console import Console
from rich.table import Table

from hongyan.accounts.models import RoleGrant, User
from hongyan.accounts.permissions import Role
from hongyan.accounts.services import one_time_link_create
from hongyan.accounts.types import system_actor
from hongyan.audit.services import record

console = Console()


def add(*, email: str, roles: list[str], name: str) -> None:
    unknown = [role for role in roles if role not in list(Role)]
    if unknown:
        console.print(f"[red]✗[/] There is no role {', '.join(unknown)}; choose from: {', '.join(Role)}")
        sys.exit(1)
    if User.objects.filter(email=email.lower()).exists():
        console.print("[red]✗[/] There is a user with this address already; see: hongyan user link")
        sys.exit(1)
    user = User.objects.create_user(email, name=name)
    for role in dict.fromkeys(roles):
        RoleGrant.objects.create(user=user, role=role)
    _on_record("user.added", user, roles=sorted(set(roles)))
    print_link(user)


def link(*, email: str) -> None:
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    if user is None:
        console.print("[red]✗[/] There is no active user with this address; see: hongyan user list")
        sys.exit(1)
    print_link(user)


def show() -> None:
    table = Table("e-mail", "name", "roles", "active", "last sign-in")
    for user in User.objects.order_by("email").prefetch_related("grants"):
        seen = user.last_login.isoformat(timespec="minutes") if user.last_login else "never"
        table.add_row(user.email, user.name, ", ".join(sorted(user.roles)), "yes" if user.is_active else "no", seen)
    console.print(table)


def _on_record(action: str, user: User, **data: object) -> None:
    """Whoever holds the machine makes users past every role; the log says so."""
    record(
        actor=system_actor("hongyan user"),
        action=action,
        subject_kind="user",
        subject_id=str(user.public_id),
        data=data,
    )


def print_link(user: User) -> None:
    _on_record("user.link_printed", user)
    console.print("One-time sign-in link (15 minutes):")
    console.print(f"{settings.HONGYAN_BASE_URL}{one_time_link_create(user=user)}", soft_wrap=True)

"""``hongyan up``: everything an installation needs, under one supervisor."""

import contextlib
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from django.conf import settings
from rich.console import Console
from rich.panel import Panel

from hongyan.config import boot
from hongyan.config.supervisor import Child, Supervisor, on_end, port_is_free
from hongyan.core import embedded

if TYPE_CHECKING:
    from hongyan.accounts.models import User

console = Console()


def run(*, demo: bool, demo_contacts: int) -> None:
    on_end(signal.default_int_handler)  # while there are no children yet: the database stops all the same
    boot.point_at_settings()
    warn_about_root()
    embedded.check_folder(boot.data_dir())  # before the settings, which keep their secret there
    refuse_busy_ports()
    with console.status("Starting the database …"), boot.database():
        boot.setup_django()
        boot.migrate()
        if demo:
            load_demo_once(demo_contacts)
        supervisor = Supervisor(children(), say=console.print)
        try:
            supervisor.start()
            wait_until_healthy(supervisor, settings.HONGYAN_PORT)
            if not supervisor.stop_requested():
                announce()
            supervisor.watch()
        finally:  # children end before their database does, whatever went wrong here
            supervisor.stop()
    with contextlib.suppress(OSError):  # nobody may be there to read it
        console.print("Stopped. The data stays; the same command continues.")


def warn_about_root() -> None:
    if os.geteuid() == 0:
        console.print(
            "[yellow]Running as root.[/] It works (the embedded database changes to a user of its own), but a mistake "
            "then reaches the whole machine. Better: [bold]useradd -m hongyan[/] and start it as that user."
        )


def refuse_busy_ports() -> None:
    wanted = [("HONGYAN_PORT", settings.HONGYAN_HOST, settings.HONGYAN_PORT)]
    if not settings.HONGYAN_SMTP_URL:
        wanted.append(("HONGYAN_CATCHER_PORT", "127.0.0.1", settings.HONGYAN_CATCHER_PORT))
    for name, host, port in wanted:
        if not port_is_free(host, port):
            console.print(
                f"[bold red]✗[/] Port {port} on {host} is in use. Stop what uses it (perhaps Hongyan runs already), "
                f"or choose another: [bold]{name}={port + 1} make run[/]"
            )
            sys.exit(1)


def load_demo_once(contacts: int) -> None:
    from hongyan.config.demo.load import demo_is_loaded, demo_load

    if not demo_is_loaded():
        console.print("Loading the demo shop …")
        demo_load(contacts=contacts)


def children() -> list[Child]:
    python = sys.executable
    host, port = settings.HONGYAN_HOST, str(settings.HONGYAN_PORT)
    web = [python, "-m", "granian", "--interface", "asgi", "hongyan.config.asgi:application"]
    web += ["--host", host, "--port", port, "--workers", str(settings.HONGYAN_WEB_WORKERS)]
    web += ["--loop", "uvloop", "--no-ws", "--log-level", "warning", "--respawn-failed-workers"]
    # A request to end that meets a process of it still starting is lost; it is not waited for without end.
    web += ["--workers-kill-timeout", "8"]
    found = [Child("web", web)]
    found += [
        Child(f"worker-{number}", [python, "-m", "hongyan.config.worker"], environment={"HONGYAN_WORKER": str(number)})
        for number in range(1, settings.HONGYAN_WORKERS + 1)
    ]
    if not settings.HONGYAN_SMTP_URL:
        found.append(Child("catcher", [python, "-m", "hongyan.delivery.catcher"]))
    return found


def wait_until_healthy(supervisor: Supervisor, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not supervisor.stop_requested():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=2):
                return
        except urllib.error.HTTPError:
            return  # it answers; what it says is on the system page
        except OSError:
            time.sleep(0.15)


def announce() -> None:
    base = settings.HONGYAN_BASE_URL
    user = first_administrator()
    from hongyan.accounts.services import one_time_link_create

    path = one_time_link_create(user=user)
    console.print(Panel(f"[bold]Hongyan 鸿雁[/] is ready:  {base}", expand=False, border_style="cyan"))
    console.print("Sign in with this link, once, within 15 minutes:")
    console.print(f"{base}{path}", soft_wrap=True, style="bold")  # never broken, so that it can be copied whole
    console.print("Ctrl-C stops everything; the data stays.")


def first_administrator() -> "User":
    from hongyan.accounts.models import RoleGrant, User
    from hongyan.accounts.permissions import Role

    grant = RoleGrant.objects.filter(role=Role.ADMINISTRATOR, user__is_active=True).order_by("user_id").first()
    if grant is not None:
        return grant.user
    user = User.objects.create_user("admin@hongyan.example", name="Admin")
    RoleGrant.objects.create(user=user, role=Role.ADMINISTRATOR)
    return user

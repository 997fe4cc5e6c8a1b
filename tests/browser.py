"""A real browser against the real application: fixtures for every room's page tests.

    @pytest.mark.browser
    def test_something(site: Site, open_page: OpenPage) -> None:
        page = open_page("/contacts/", role=Role.MARKETER, language="en", theme="dark", width=390)
        axe_check(page)

A page that writes an error to the console, breaks the content policy or meets a 5xx fails its test.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from hongyan.accounts.permissions import Role

FORGET = "/__forget__"  # of tests/asgi.py
CHROMIUM = os.environ.get("HONGYAN_TEST_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
]


@dataclass
class Site:
    url: str


class OpenPage(Protocol):
    def __call__(
        self,
        path: str = "/",
        *,
        role: Role | None = Role.MARKETER,
        language: str = "zh-hans",
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
        user: Any = None,
    ) -> Page:
        """role None: not signed in. user: this one instead of a fresh one with the role."""
        ...


@dataclass
class _Complaints:
    found: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        # The browser reports refused requests (403, 404) itself; tests provoke those on purpose.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.found.append(message.text)

    def response(self, response: Response) -> None:
        if response.status >= 500:
            self.found.append(f"{response.status} at {response.url}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # Playwright's loop lives in this thread, which Django takes for asynchronous code; the tests are not.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _application(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The application under Granian in a process of its own, on the test database."""
    port = _free_port()
    log = tmp_path_factory.mktemp("site") / "log.txt"
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "tests.asgi:application"], env=_environment(), stdout=out, stderr=out)
        try:
            _wait_until_up(process, port, log)
            yield Site(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture
def site(_application: Site, transactional_db: None) -> Site:
    with urlopen(_application.url + FORGET, timeout=5):
        return _application


@pytest.fixture
def open_page(site: Site, chromium: Browser) -> Iterator[OpenPage]:
    contexts: list[BrowserContext] = []
    complaints = _Complaints()

    def open_(
        path: str = "/",
        *,
        role: Role | None = Role.MARKETER,
        language: str = "zh-hans",
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
        user: Any = None,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN" if language.startswith("zh") else "en-GB",
            reduced_motion="reduce",
        )
        contexts.append(context)
        _cookie(context, site, "hongyan_language", language)
        _cookie(context, site, "hongyan_theme", theme)
        if user is not None or role is not None:
            _sign_in(context, site, user or staff(role or Role.MARKETER, language=language))
        page = context.new_page()
        page.on("console", complaints.console)
        page.on("pageerror", lambda error: complaints.found.append(str(error)))
        page.on("response", complaints.response)
        page.goto(site.url + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    if complaints.found:
        pytest.fail("the pages complained:\n" + "\n".join(complaints.found))


def staff(*roles: Role, language: str = "", email: str = "") -> Any:
    """A user with these roles."""
    from hongyan.accounts.models import RoleGrant, User
    from hongyan.core.ids import uuid7

    user = User.objects.create_user(email or f"{roles[0].value}-{uuid7().hex[-8:]}@example.com", "correct horse")
    user.name = "测试员" if language.startswith("zh") else "Test Person"
    user.language = language
    user.save()
    for role in roles:
        RoleGrant.objects.create(user=user, role=role.value)
    return user


def axe_check(page: Page, *, ignore: tuple[str, ...] = ()) -> None:
    """No violation of WCAG 2.2 A and AA. ignore: rule ids, each with a reason where it is passed."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    result = Axe().run(page, options=options)
    problems = [
        f"{violation['id']}: {violation['help']}: " + " | ".join(node["html"][:160] for node in violation["nodes"][:4])
        for violation in result.response["violations"]
        if violation["id"] not in ignore
    ]
    if problems:
        pytest.fail("not accessible:\n" + "\n".join(problems))


def _cookie(context: BrowserContext, site: Site, name: str, value: str) -> None:
    context.add_cookies([{"name": name, "value": value, "url": site.url}])


def _sign_in(context: BrowserContext, site: Site, user: Any) -> None:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    _cookie(context, site, settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)


def _environment() -> dict[str, str]:
    from django.db import connection

    parts = urlsplit(os.environ["HONGYAN_DATABASE_URL"])
    database = parts._replace(path="/" + str(connection.settings_dict["NAME"]))
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "HONGYAN_DATABASE_URL": urlunsplit(database),
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: Path, patience_s: float = 40.0) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}{FORGET}", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the site did not start:\n" + log.read_text(encoding="utf-8", errors="replace")[-4000:])

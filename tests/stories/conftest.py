"""The machinery behind the pages: a real worker with all its lanes and a real mail catcher, each a process."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connection
from playwright.sync_api import expect

from tests.browser import Site, _environment, _free_port

T = TypeVar("T")


@dataclass
class Machinery:
    log: Path

    def until(self, found: Callable[[], T], what: str, patience_s: float = 25.0) -> T:
        """Ask again until there is something; the worker's last words come with the complaint."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            value = found()
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"waited in vain for {what}; the worker said:\n{self.log.read_text('utf-8')[-4000:]}")


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """Browser, site, worker and catcher share the machine here."""
    expect.set_options(timeout=15_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def machinery(site: Site, tmp_path: Path) -> Iterator[Machinery]:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_periodic_defers, procrastinate_workers CASCADE")
    port = _free_port()
    environment = {
        **_environment(),
        "HONGYAN_BASE_URL": site.url,
        "HONGYAN_CATCHER_PORT": str(port),
        "HONGYAN_SMTP_CONNECTIONS": "2",
    }
    log = tmp_path / "machinery.log"
    with log.open("wb") as out:
        processes = [
            subprocess.Popen([sys.executable, "-m", module], env=environment, stdout=out, stderr=out)
            for module in ("hongyan.delivery.catcher", "hongyan.config.worker")
        ]
        try:
            machinery = Machinery(log)
            machinery.until(lambda: _answers(port), "the catcher")
            yield machinery
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            codes = [process.wait(timeout=25) for process in processes]
    assert codes == [0, 0], log.read_text("utf-8")[-4000:]
    assert "Traceback" not in log.read_text("utf-8"), log.read_text("utf-8")[-6000:]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def picture(page: object, name: str) -> None:
    """Kept where HONGYAN_TEST_PICTURES says, for people to look at."""
    folder = os.environ.get("HONGYAN_TEST_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"story-{name}.png"), full_page=True)  # type: ignore[attr-defined]

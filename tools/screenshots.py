"""Makes the README's pictures: starts the product on a throw-away demo and photographs it with headless Chromium."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode
from urllib.request import urlopen

from playwright.sync_api import Browser, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
CONTACTS = 5000
AUDIENCE = {  # what the builder is photographed with: each part leaves some people
    "all": [
        {
            "event": "order_completed",
            "measure": "sum",
            "property": "total",
            "op": ">=",
            "value": 500,
            "within_days": 365,
        },
        {
            "sequence": [{"event": "email_opened"}, {"not_event": "order_completed", "within": {"days": 7}}],
            "within_days": 90,
        },
        {"any": [{"tag": "vip"}, {"field": "city", "op": "in", "value": ["上海", "杭州", "北京"]}]},
    ]
}
SHOTS = (  # file, page, language, theme, width, height
    ("home-en-light", "/", "en", "light", 1440, 900),
    ("home-zh-light", "/", "zh-hans", "light", 1440, 900),
    ("report-en-dark", "report", "en", "dark", 1440, 900),
    ("report-zh-dark", "report", "zh-hans", "dark", 1440, 900),
    ("review-zh-light", "review", "zh-hans", "light", 1440, 900),
    ("mail-en-light", "mail", "en", "light", 1440, 900),
    ("builder-en-light", "builder", "en", "light", 1440, 1000),
    ("builder-zh-light", "builder", "zh-hans", "light", 1440, 1000),
    ("contact-zh-phone", "contact", "zh-hans", "light", 390, 844),
)


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hongyan-pictures-") as folder, running(Path(folder)) as base:
        link = sign_in_link(Path(folder), base)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
            state = sign_in(browser, link)
            places = find_places(browser, base, state)
            for name, page, language, theme, width, height in SHOTS:
                place = base + places.get(page, page)
                size = ViewportSize(width=width, height=height)
                shoot(browser, state, place, PICTURES / f"{name}.png", language=language, theme=theme, size=size)
            browser.close()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    ports = [free_port(), free_port()]
    base = f"http://localhost:{ports[0]}"
    os.environ |= {
        "HONGYAN_DATA_DIR": str(folder),
        "HONGYAN_PORT": str(ports[0]),
        "HONGYAN_CATCHER_PORT": str(ports[1]),
        "HONGYAN_BASE_URL": base,
    }
    command = [sys.executable, "-m", "hongyan.config.cli", "up", "--demo", "--demo-contacts", str(CONTACTS)]
    process = subprocess.Popen(command, cwd=ROOT)  # noqa: S603  our own interpreter
    try:
        for _ in range(600):
            try:
                urlopen(f"{base}/health/", timeout=2).close()  # noqa: S310  our own address
                break
            except OSError:
                time.sleep(0.5)
        yield base
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def sign_in_link(folder: Path, base: str) -> str:
    del folder
    command = [sys.executable, "-m", "hongyan.config.cli", "user", "link", "admin@hongyan.example"]
    for _ in range(30):  # the administrator is made when the address is announced
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout  # noqa: S603
        found = [line for line in said.splitlines() if line.startswith(base)]
        if found:
            return found[0]
        time.sleep(1)
    raise SystemExit("no sign-in link was made")


def sign_in(browser: Browser, link: str) -> str:
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.click("button.btn-primary")
    page.wait_for_load_state()
    state = str(Path(os.environ["HONGYAN_DATA_DIR"]) / "pictures.json")
    context.storage_state(path=state)
    context.close()
    return state


def find_places(browser: Browser, base: str, state: str) -> dict[str, str]:
    context = browser.new_context(storage_state=state)
    page = context.new_page()

    def first(path: str, start: str, tail: str = "", text: str = "") -> str:
        page.goto(base + path)
        links = page.eval_on_selector_all("main a", "list => list.map(a => [a.getAttribute('href'), a.textContent])")
        for href, words in links:
            if href and href.startswith(start) and len(href) > len(start) + 30 and text in (words or ""):
                return str(href) + tail
        raise SystemExit(f"nothing to photograph on {path}")

    places = {
        "report": first("/reports/", "/reports/campaigns/"),
        "review": first("/campaigns/", "/campaigns/", "/review", "年末答谢"),
        "mail": first("/mails/", "/mails/"),
        "contact": first("/contacts/", "/contacts/"),
        "builder": "/audiences/new/?" + urlencode({"tree": json.dumps(AUDIENCE, ensure_ascii=False)}),
    }
    context.close()
    return places


def shoot(
    browser: Browser, state: str, place: str, target: Path, *, language: str, theme: str, size: ViewportSize
) -> None:
    scheme: Literal["dark", "light"] = "dark" if theme == "dark" else "light"
    context = browser.new_context(storage_state=state, viewport=size, color_scheme=scheme)
    context.add_cookies(
        [
            {"name": "hongyan_language", "value": language, "url": place},
            {"name": "hongyan_theme", "value": theme, "url": place},
        ]
    )
    page = context.new_page()
    page.goto(place)
    page.wait_for_timeout(1500)
    page.screenshot(path=str(target))
    context.close()


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise SystemExit("Chromium is missing; run: make screenshots")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()

"""The product on a PostgreSQL of the company's own, in which its user owns one database and is nobody else."""

import json
import re
import signal
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

import pytest

from hongyan.config.own_database import DatabaseProblem, check_own
from tests.config.test_command_line import CSV, Installation, processes_of, wait_until_healthy
from tests.own_server import PASSWORD, OldServer, OwnServer

TEXT = "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"
MJML = f"<mjml><mj-body>{TEXT}</mj-body></mjml>"


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    """Of the oldest version that will do."""
    server = OwnServer(16)
    try:
        server.make_user()
        yield server
    finally:
        server.stop()


class Visitor:
    """A person with a browser that keeps cookies."""

    def __init__(self, installation: Installation) -> None:
        self.base = f"http://localhost:{installation.port}"
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        with self._opener.open(self.base + path, timeout=30) as answer:
            return str(answer.read().decode())

    def post(self, path: str, *, seen: str = "", **values: str) -> str:
        """seen: the page on which the form stands, when it is another."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(seen or path))
        assert token
        body = urlencode({**values, "csrfmiddlewaretoken": token[1]}).encode()
        request = Request(self.base + path, body, {"Referer": self.base + path})
        with self._opener.open(request, timeout=30) as answer:
            return str(answer.read().decode())


def on(url: str) -> Installation:
    installation = Installation()
    installation.environment["HONGYAN_DATABASE_URL"] = url
    return installation


@contextmanager
def running(installation: Installation, *arguments: str) -> Iterator[list[str]]:
    """Until Ctrl-C at the end of the block; what it printed is in the list then."""
    process = installation.popen("up", *arguments)
    told: list[str] = []
    wait_until_healthy(installation, process, patience_s=240)  # the demo's history is read and told
    try:
        yield told
    finally:
        process.send_signal(signal.SIGINT)
        told += [process.communicate(timeout=60)[0]]
    assert process.returncode == 0, told
    assert "Traceback" not in told[0]
    assert processes_of(installation) == []


def signed_in(installation: Installation) -> Visitor:
    link = re.search(r"/account/one-time/\S+", installation("user", "link", "admin@hongyan.example"))
    assert link
    visitor = Visitor(installation)
    visitor.post(link[0])
    return visitor


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_a_day_on_a_server_of_ones_own(own: OwnServer, tmp_path: Path) -> None:
    shop = on(own.make_database("a_day"))
    began = own.started_at()
    file, backup = tmp_path / "people.csv", tmp_path / "backup.tar"
    file.write_text(CSV, encoding="utf-8")
    with running(shop, "--demo", "--demo-contacts", "200") as told:
        admin = signed_in(shop)
        identify(shop, write_key(admin), "chen@example.com")  # taken at the edge, digested by the worker
        until(lambda: "chen@example.com" in admin.get("/contacts/?q=chen%40example.com"))
        send_test_mail(admin, "mei@example.com")
        until(lambda: "mei@example.com" in admin.get("/caught/"))
        assert re.search(r"created\D+1\b", shop("import", file, "--topic", "newsletter", "--consent-source", "fair"))
        assert "✗" not in shop("check")
        shop("backup", backup, "--with-key")
        assert "the chain is whole" in shop("audit", "verify")
    assert "Loading the demo shop" in told[0]
    assert re.search(rf"http://localhost:{shop.port}/account/one-time/\S+", told[0])
    until(lambda: own.connections_to("a_day") == 0)
    assert own.started_at() == began  # theirs, and left running
    assert not (shop.folder / "postgres").exists()

    with running(shop, "--demo", "--demo-contacts", "200") as told:
        admin = signed_in(shop)
        for email in ("chen", "wang"):
            assert f"{email}@example.com" in admin.get(f"/contacts/?q={email}%40example.com")
    assert "Loading the demo shop" not in told[0]

    moved = on(own.make_database("moved"))
    assert "Restored" in moved("restore", backup, "--yes")
    out = tmp_path / "out.csv"
    moved("export", out, "--reason", "look")
    assert "wang@example.com" in out.read_text("utf-8-sig")


def write_key(admin: Visitor) -> str:
    page = admin.post("/events/keys/new/", name="Shop server", kind="server", origins="")
    found = re.search(r"hyw_[A-Za-z0-9_-]{16,}", page)
    assert found, re.sub(r"\s+", " ", page)[:2000]
    return found[0]


def identify(shop: Installation, key: str, email: str) -> None:
    body = json.dumps({"userId": "u-1", "messageId": "m-1", "traits": {"email": email}}).encode()
    headers = {
        "Authorization": "Basic " + b64encode(f"{key}:".encode()).decode(),
        "Content-Type": "application/json",
    }
    with urlopen(Request(f"http://127.0.0.1:{shop.port}/v1/identify", body, headers), timeout=10) as answer:
        assert answer.status == 200


def send_test_mail(admin: Visitor, to: str) -> None:
    found = re.search(r'href="(/mails/[0-9a-f-]{36})"', admin.get("/mails/"))
    assert found
    admin.post(found[1] + "/test", seen=found[1], to=to, subject="Hello", source=MJML)


@pytest.fixture(scope="module")
def new_home(own: OwnServer, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """From the embedded server to an older one of one's own. A dump of a newer server names settings that an older one
    does not know; and the administrator of this one put things into it that only he may make."""
    folder = tmp_path_factory.mktemp("moving")
    shop, backup, file = Installation(), folder / "backup.tar", folder / "people.csv"
    file.write_text(CSV, encoding="utf-8")
    shop("migrate")
    shop("import", file, "--no-consent")
    shop("user", "add", "mei@example.com", "--role", "marketer")
    shop("backup", backup, "--with-key")

    url = own.make_database("new_home")
    with own.superuser("new_home") as connection:
        connection.execute("CREATE ROLE analyst")
        connection.execute("ALTER DEFAULT PRIVILEGES FOR ROLE hongyan_app GRANT SELECT ON TABLES TO analyst")
        connection.execute("COMMENT ON SCHEMA public IS 'of the administrator'")
    home = on(url)
    assert "Restored" in home("restore", backup, "--yes")
    return home


def test_from_the_embedded_server_to_an_older_one_of_ones_own(
    own: OwnServer, new_home: Installation, tmp_path: Path
) -> None:
    home, out, again = new_home, tmp_path / "out.csv", tmp_path / "again.tar"
    assert "✗" not in home("check")
    home("export", out, "--reason", "look")
    assert "wang@example.com" in out.read_text("utf-8-sig")
    with own.superuser("new_home") as connection:  # what its owner allowed others outlives the restoring
        row = connection.execute("SELECT has_table_privilege('analyst', 'contacts_contact', 'SELECT')").fetchone()
    assert row == (True,)
    home("backup", again)
    assert "Restored" in home("restore", again, "--yes")


def test_a_broken_dump_leaves_everything_as_it_was(own: OwnServer, new_home: Installation, tmp_path: Path) -> None:
    import tarfile

    good, bad = tmp_path / "good.tar", tmp_path / "bad.tar"
    new_home("backup", good)
    with tarfile.open(good) as archive, tarfile.open(bad, "w") as broken:
        for name, missing in (("manifest.json", 0), ("database.dump", 20_000)):
            part = archive.getmember(name)
            part.size -= missing  # the list of contents stands in front and is whole
            broken.addfile(part, archive.extractfile(name))
    with own.superuser("new_home") as connection:
        connection.execute("CREATE TABLE public.later AS SELECT 1 AS one; ALTER TABLE later OWNER TO hongyan_app")
        assert "failed" in new_home("restore", bad, "--yes", code=1)
        assert connection.execute("SELECT count(*) FROM contacts_contact").fetchone() == (1,)
        assert connection.execute("SELECT one FROM later").fetchone() == (1,)


def test_refusals_name_the_remedy(own: OwnServer) -> None:
    own.make_user("guest")
    url = own.make_database("others")
    refused(own.address("others", user="guest"), 'GRANT USAGE, CREATE ON SCHEMA public TO "guest"')
    refused(own.address("nowhere"), r"createdb --encoding=UTF8 hongyan")
    refused(url.replace("hongyan_app:", "hongyan_app:x"), "Check address, user and password")
    refused("postgresql://li:secret%@host/x", "%40 %3A %2F")
    with own.superuser("others") as connection:
        connection.execute("REVOKE TEMPORARY ON DATABASE others FROM PUBLIC, hongyan_app")
        refused(url, "GRANT TEMPORARY ON DATABASE")
        connection.execute("GRANT TEMPORARY ON DATABASE others TO PUBLIC")
        connection.execute("ALTER ROLE hongyan_app IN DATABASE others SET default_transaction_read_only = on")
        refused(url, "SET default_transaction_read_only = off")
        connection.execute("ALTER ROLE hongyan_app IN DATABASE others RESET ALL")
        connection.execute("CREATE TABLE invoices (id int)")
        refused(url, "already holds 1 tables that are not Hongyan's")
        connection.execute("DROP SCHEMA public CASCADE")
    refused(url, "CREATE SCHEMA public AUTHORIZATION")


def test_an_address_may_lie_in_a_file(own: OwnServer, new_home: Installation, tmp_path: Path) -> None:
    del new_home  # its database is copied
    shop = Installation()
    secret = tmp_path / "url"
    secret.write_text(own.make_database("from_a_file", like="new_home") + "\n")
    shop.environment["HONGYAN_DATABASE_URL_FILE"] = str(secret)
    assert "mei@example.com" in shop("user", "list")
    assert not (shop.folder / "postgres").exists()


def test_a_server_that_is_too_old() -> None:
    server = OldServer("15.18 (Debian 15.18-0+deb12u1)")
    answering = threading.Thread(target=server.serve_once)
    answering.start()
    try:
        refused(
            f"postgresql://li:secret@127.0.0.1:{server.port}/hongyan", "is PostgreSQL 15; Hongyan needs 16 or newer"
        )
    finally:
        answering.join(10)
        server.close()


def refused(url: str, remedy: str) -> None:
    with pytest.raises(DatabaseProblem) as caught:
        check_own(url)
    assert remedy in str(caught.value), str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert "secret" not in str(caught.value)

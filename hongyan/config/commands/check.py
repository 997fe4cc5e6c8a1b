"""``hongyan check``: is everything as it should be, and if not, what to do."""

import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from rich.console import Console

from hongyan.config import boot

console = Console()


@dataclass(frozen=True, slots=True)
class Finding:
    level: str  # ok | warn | bad
    what: str
    remedy: str = ""


_CONNECTIONS = 60  # of one web and one worker process at their busiest, with some left for commands
Check = Callable[[], list[Finding]]
_MARK = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "bad": "[red]✗[/]"}


def run() -> int:
    """Print every finding; 1 when something must be mended."""
    worst = 0
    with boot.product():
        for check in (configuration, disk, database, backups, keys, history, lanes, mail):
            for finding in check():
                console.print(f"{_MARK[finding.level]} {finding.what}", highlight=False)
                if finding.remedy:
                    console.print(f"    → {finding.remedy}", highlight=False)
                worst = max(worst, int(finding.level == "bad"))
    return worst


def configuration() -> list[Finding]:
    found = [Finding("ok", f"Pages at {settings.HONGYAN_BASE_URL}, data in {settings.HONGYAN_DATA_DIR}")]
    base = urlsplit(settings.HONGYAN_BASE_URL)
    if base.scheme != "https" and base.hostname not in {"localhost", "127.0.0.1"}:
        found.append(
            Finding(
                "bad",
                "The public address is not https: links, sessions and forms travel in clear",
                "put a TLS-terminating proxy in front and set HONGYAN_BASE_URL=https://…",
            )
        )
    if settings.HONGYAN_MAIL_DOMAIN.endswith(".example"):
        level = "warn" if not settings.HONGYAN_SMTP_URL else "bad"
        found.append(
            Finding(level, "The mail domain is still an example", "set HONGYAN_MAIL_DOMAIN and HONGYAN_BOUNCE_DOMAIN")
        )
    return found


def disk() -> list[Finding]:
    free_mb = shutil.disk_usage(settings.HONGYAN_DATA_DIR).free // 2**20
    if free_mb < settings.HONGYAN_MIN_FREE_MB:
        return [
            Finding(
                "bad",
                f"{free_mb} MiB free: imports and new sends are refused below {settings.HONGYAN_MIN_FREE_MB} MiB",
                "free some space, or move the data folder to a larger disk",
            )
        ]
    return [Finding("ok", f"{free_mb:,} MiB free")]


def database() -> list[Finding]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), "
            "current_setting('synchronous_commit'), current_setting('fsync'), current_setting('max_connections')::int, "
            "current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"
        )
        row = cursor.fetchone()
    version, encoding, commit, fsync, connections, statement_timeout, idle_timeout = row or (0, "", "", "", 0, "0", "0")
    found = [Finding("ok", f"PostgreSQL {version // 10000}.{version % 10000}")]
    if version < 160000:
        found.append(Finding("bad", "PostgreSQL is older than 16", "upgrade it"))
    if encoding != "UTF8":
        found.append(Finding("bad", f"The database is {encoding}", "create it with ENCODING 'UTF8'"))
    if commit == "off" or fsync == "off":
        found.append(
            Finding(
                "bad",
                "The database does not commit durably: a crash may lose consent",
                "set fsync and synchronous_commit on",
            )
        )
    if connections < _CONNECTIONS:
        found.append(
            Finding(
                "warn",
                f"The server takes {connections} connections; web and worker together use up to {_CONNECTIONS}",
                f"ALTER SYSTEM SET max_connections = {2 * _CONNECTIONS}, then restart the server",
            )
        )
    for name, value in (
        ("statement_timeout", statement_timeout),
        ("idle_in_transaction_session_timeout", idle_timeout),
    ):
        if value != "0":
            found.append(
                Finding(
                    "warn",
                    f"{name} is {value}: long imports, reports and migrations are cut off by it",
                    f'as an administrator: ALTER ROLE "{connection.settings_dict["USER"]}" SET {name} = 0',
                )
            )
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        found.append(Finding("bad", f"{waiting} migrations wait", "hongyan migrate"))
    return found


def backups() -> list[Finding]:
    from django.db import connection

    from hongyan.config.commands.programs import ProgramProblem, programs_for

    with connection.cursor():
        server = connection.connection.info.server_version // 10_000
    try:
        found = programs_for(server)
    except ProgramProblem as problem:
        return [Finding("warn", "hongyan backup cannot work here", str(problem))]
    return [Finding("ok", f"hongyan backup uses pg_dump {found.version}")]


def keys() -> list[Finding]:
    from hongyan.core.crypto.keyring import keyring
    from hongyan.core.crypto.master import MasterKeyProblem

    try:
        ring = keyring()
    except MasterKeyProblem as problem:
        return [Finding("bad", str(problem))]
    found = [Finding("ok", f"The master key opens the key ring (data key version {ring.seal_version})")]
    if not settings.HONGYAN_MASTER_KEY:
        found.append(
            Finding(
                "warn",
                "The master key lies in the data folder, beside what it protects",
                "keep a copy elsewhere; for more safety set HONGYAN_MASTER_KEY_FILE to a file on another volume",
            )
        )
    return found


def history() -> list[Finding]:
    """The columnar copy of events; questions are answered exactly at any lag, only not as fast."""
    from hongyan.events.history.errors import HistoryProblem
    from hongyan.events.history.selectors import status
    from hongyan.events.history.store import open_store

    try:
        open_store().probe()
        found = status()
    except HistoryProblem as problem:
        return [Finding("bad", f"The place of the history cannot be used: {problem}", "see HONGYAN_HISTORY_URL")]
    if not found.built:
        if not found.waiting:
            return [Finding("ok", f"The history in {found.place} waits for the first event")]
        return [Finding("warn", "The history is not built yet", "start a worker, or run hongyan history rebuild")]
    return [Finding("ok", f"The history in {found.place}: {found.events:,} events in {found.files:,} files")]


def lanes() -> list[Finding]:
    """What the parts of the work have before them, each that is behind by itself."""
    from django.utils import translation

    from hongyan.jobs.selectors import workers_alive
    from hongyan.web.settings.lanes import lanes as all_lanes

    with translation.override("en"):
        late = [lane for lane in all_lanes() if lane.late]
    found = [Finding("warn", f"{lane.title}: {lane.sentence}", lane.remedy) for lane in late]
    if not workers_alive():
        found.append(Finding("warn", "No worker is running", "start everything with: hongyan up"))
    return found or [Finding("ok", "Every part of the work is up to date")]


def mail() -> list[Finding]:
    if not settings.HONGYAN_SMTP_URL:
        return [
            Finding("warn", "Mail goes to the catcher, not to people", "set HONGYAN_SMTP_URL=smtp://user:password@host")
        ]
    url = urlsplit(settings.HONGYAN_SMTP_URL)
    port = url.port or (465 if url.scheme == "smtps" else 587)
    try:
        with socket.create_connection((url.hostname or "", port), timeout=5) as link:
            link.settimeout(5)
            if url.scheme != "smtps" and not link.recv(512).startswith(b"220"):
                return [Finding("bad", f"{url.hostname}:{port} does not greet like a mail server", "check the port")]
    except OSError as error:
        return [
            Finding(
                "bad",
                f"The relay {url.hostname}:{port} cannot be reached ({error.strerror})",
                "check host, port, firewall",
            )
        ]
    return [Finding("ok", f"The relay {url.hostname}:{port} answers")]

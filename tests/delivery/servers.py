"""SMTP servers to test against: a well-behaved one, Postfix's smtp-sink, and scripted bad ones."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hongyan.delivery.transports.relay import Relay

SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Handler:
    """Keeps what arrives; ``answers``: reply to RCPT by recipient."""

    def __init__(self, answers: dict[str, str] | None = None) -> None:
        self.mails: list[Envelope] = []
        self.sessions: set[int] = set()
        self.answers = answers or {}

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],  # noqa: ARG002
    ) -> str:
        if answer := self.answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002
        self.sessions.add(id(session))
        self.mails.append(envelope)
        return "250 2.0.0 kept"


@contextlib.asynccontextmanager
async def good_server(handler: Handler, **options: object) -> AsyncIterator[int]:
    """Yields the port. options: of aiosmtpd's SMTP."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop, **options), "127.0.0.1", 0)  # type: ignore[arg-type]
    async with server:
        yield server.sockets[0].getsockname()[1]


@contextlib.asynccontextmanager
async def scripted_server(script: Script) -> AsyncIterator[int]:
    """A server that does with each connection what the script says."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in tasks:
            task.cancel()


async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *steps: tuple[bytes, bytes]) -> None:
    """Greets, then answers: each step is (what a line must start with, the reply)."""
    writer.write(b"220 test\r\n")
    for expected, answer in steps:
        line = await reader.readline()
        while not line.upper().startswith(expected):
            if not line:
                return
            line = await reader.readline()
        writer.write(answer)
        await writer.drain()


@contextlib.contextmanager
def sink(folder: Path, *options: str):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Postfix's smtp-sink on a free port; yields the port."""
    assert SINK is not None
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([SINK, "-u", "nobody", *options, f"127.0.0.1:{port}", "256"], cwd=folder)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            subprocess.run(["sleep", "0.02"], check=True)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def certificate(folder: Path, *, name: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """A server context for ``name`` and the file of the authority (itself) to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(tz=dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority, private = folder / "ca.pem", folder / "key.pem"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, private)
    return context, authority


def authenticator(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and data == LoginPassword(b"mailer", b"p\xc3\xa4ss")
    return AuthResult(success=good, handled=False)


def relay(port: int, **options: object) -> Relay:
    values = {"host": "127.0.0.1", "port": port, "tls": "none", "command_timeout_s": 5.0, "data_timeout_s": 5.0}
    return Relay(**{**values, "connect_timeout_s": 5.0, **options})  # type: ignore[arg-type]

"""An SMTP connection: asyncio, pipelined (RFC 2920), TLS checked, one recipient a mail.

The final dot is the caller's to give: ``offer`` brings a mail up to the 354, then the caller journals, then ``finish``
sends the body with its dot, and with it, in the same write, the next mail's envelope. So a mail costs one round trip.
"""

import asyncio
import base64
import contextlib
import ssl
from collections import deque
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, cast

from hongyan.delivery.errors import TransportProblem
from hongyan.delivery.transports.relay import Relay
from hongyan.delivery.transports.wire import (
    Capabilities,
    Reply,
    ReplyGarbled,
    ReplyParser,
    mail_command,
    rcpt_command,
)


class ConnectionCut(TransportProblem):
    """The connection ended, timed out or was answered with garbage while we waited for a reply."""


class Stage(Enum):
    """What a reply was given to: only RCPT speaks of the recipient."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


class Envelope(NamedTuple):
    mail_from: str
    rcpt_to: str
    size: int
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    stage: Stage
    reply: Reply


@dataclass(frozen=True, slots=True)
class Peer:
    """Who took the mail, for the send log."""

    host: str
    remote_ip: str | None
    sending_ip: str | None
    tls: str


_peer = lru_cache(maxsize=256)(Peer)  # equal peers are one object: results are grouped by it


class SMTPConnection(asyncio.Protocol):
    """Open with ``connect``. Not for use by several tasks at once."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.capabilities = Capabilities()
        self.peer = Peer(relay.host, None, None, "")
        self.mails = 0
        self.closed = False
        self.goodbye: Reply | None = None  # an unasked 421: why the server hung up
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = ReplyParser()
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._problem: Exception | None = None
        self._deadline = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._replies.extend(self._parser.feed(data))
        except ReplyGarbled as error:
            self._fail(error)
            return
        if self._waiter is not None and self._replies and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._replies and self._waiter is None:
            self.goodbye = self._replies[-1]
        self._fail(exc or ConnectionResetError("closed by the server"))

    def _fail(self, problem: Exception) -> None:
        self.closed = True
        self._problem = self._problem or problem
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._transport is not None:
            self._transport.abort()

    # -- opening

    @classmethod
    async def connect(cls, relay: Relay) -> "SMTPConnection":
        """Greeted, encrypted and signed in as the relay's rules ask. Raises TransportProblem."""
        loop = asyncio.get_running_loop()
        context = relay.tls_context() if relay.tls == "implicit" else None
        connection = cls(relay)
        try:
            async with asyncio.timeout(relay.connect_timeout_s):
                await loop.create_connection(
                    lambda: connection,
                    relay.host,
                    relay.port,
                    ssl=context,
                    server_hostname=relay.host if context else None,
                )
                await connection._begin()
        except ssl.SSLCertVerificationError as error:
            connection.abort()
            raise TransportProblem("the relay's certificate cannot be trusted", permanent=True) from error
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            connection.abort()
            raise TransportProblem(f"no connection to the relay ({type(error).__name__})") from error
        except TransportProblem:
            connection.abort()
            raise
        return connection

    async def _begin(self) -> None:
        greeting = (await self._read(1, self.relay.connect_timeout_s))[0]
        if greeting.code != 220:
            raise TransportProblem(f"the relay greets with {greeting.code} {greeting.enhanced}".strip())
        await self._ehlo()
        if self.relay.tls == "required" and not self.capabilities.starttls:
            raise TransportProblem("the relay does not offer STARTTLS", permanent=True)
        if self.relay.tls in {"offered", "required"} and self.capabilities.starttls:
            await self._starttls()
            await self._ehlo()
        self._note_peer()
        if self.relay.username:
            await self._sign_in()

    async def _ehlo(self) -> None:
        reply = await self._ask(f"EHLO {self.relay.ehlo_name}")
        if reply.positive:
            self.capabilities = Capabilities.of(reply)
            return
        reply = await self._ask(f"HELO {self.relay.ehlo_name}")
        self.capabilities = Capabilities()
        if not reply.positive:
            raise TransportProblem(f"the relay refuses to talk: {reply.code} {reply.enhanced}".strip())

    async def _starttls(self) -> None:
        reply = await self._ask("STARTTLS")
        if reply.code != 220:
            raise TransportProblem(f"STARTTLS was announced and refused: {reply.code}")
        if self._parser.pending or self._replies:
            # Plain text behind the 220 would be read as if it had come encrypted (CVE-2011-0411 and its cousins).
            raise TransportProblem("the relay sent text between STARTTLS and TLS", permanent=True)
        transport = await self._loop.start_tls(
            self._wire(), self, self.relay.tls_context(), server_hostname=self.relay.host
        )
        if transport is None:
            raise TransportProblem("the connection ended during STARTTLS")
        self._transport = transport

    async def _sign_in(self) -> None:
        if not self.peer.tls:
            raise TransportProblem("a password is only sent over TLS; use smtps:// or ?tls=required", permanent=True)
        user, password = self.relay.username.encode(), self.relay.password.encode()
        if "PLAIN" in self.capabilities.auth:
            reply = await self._ask("AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password).decode())
        elif "LOGIN" in self.capabilities.auth:
            reply = await self._ask("AUTH LOGIN")
            for part in (user, password):
                if reply.code == 334:
                    reply = await self._ask(base64.b64encode(part).decode())
        else:
            raise TransportProblem("the relay offers neither AUTH PLAIN nor LOGIN", permanent=True)
        if reply.code != 235:
            raise TransportProblem(f"the relay refused the sign-in: {reply.code}", permanent=reply.code >= 500)

    def _note_peer(self) -> None:
        wire = self._wire()
        remote, local = wire.get_extra_info("peername"), wire.get_extra_info("sockname")
        secured = wire.get_extra_info("ssl_object")
        self.peer = _peer(
            self.relay.host,
            remote[0] if remote else None,
            local[0] if local else None,
            (secured.version() or "") if secured is not None else "",
        )

    # -- mails

    async def offer(self, envelope: Envelope) -> Refusal | None:
        """MAIL, RCPT, DATA. None: the server waits for the body."""
        if self.capabilities.pipelining:
            self.write(self.envelope_bytes(envelope))
            return await self.offered()
        for stage, command in self._commands(envelope):
            self.write(command)
            reply = (await self._read(1, self.relay.command_timeout_s))[0]
            if not reply.positive or (stage is Stage.DATA and reply.code != 354):
                await self._reset(reply, stage)
                return Refusal(stage, reply)
        return None

    async def offered(self) -> Refusal | None:
        """The answers to an envelope that was written in one piece (``envelope_bytes``)."""
        mail, rcpt, data = await self._read(3, self.relay.command_timeout_s)
        if mail.positive and rcpt.positive and data.code == 354:
            return None
        if data.code == 354:
            # Refused and yet asked for the body (RFC 2920 §3.1 allows it): give an empty one, nobody will get it.
            self.write(b".\r\n")
            await self._read(1, self.relay.command_timeout_s)
        for stage, reply in ((Stage.MAIL, mail), (Stage.RCPT, rcpt)):
            if not reply.positive:
                await self._reset(reply, stage)
                return Refusal(stage, reply)
        await self._reset(data, Stage.DATA)
        return Refusal(Stage.DATA, data)

    async def finish(self, *body: bytes, following: bytes = b"") -> Reply:
        """Body with its dot, in pieces; ``following``: the next envelope, in the same write. The answer to the dot.

        Raises ConnectionCut: then nobody knows whether the mail was taken.
        """
        if self.closed:
            raise ConnectionCut("the connection is closed")
        self.mails += 1
        self._wire().writelines((*body, following) if following else body)
        return (await self._read(1, self.relay.data_timeout_s))[0]

    def envelope_bytes(self, envelope: Envelope) -> bytes:
        (_, mail), (_, rcpt), (_, data) = self._commands(envelope)
        return mail + rcpt + data

    @property
    def worn(self) -> bool:
        """Has carried as many mails as one connection should."""
        return self.closed or self.mails >= self.relay.mails_per_connection

    async def quit(self) -> None:
        """Polite end; problems are no matter any more."""
        if not self.closed:
            with contextlib.suppress(TransportProblem):
                self.write(b"QUIT\r\n")
                await self._read(1, 5)
        self.abort()

    def abort(self) -> None:
        self._fail(ConnectionAbortedError("closed by us"))

    def _commands(self, envelope: Envelope) -> tuple[tuple[Stage, bytes], ...]:
        mail = mail_command(
            envelope.mail_from, size=envelope.size, smtputf8=envelope.smtputf8, capabilities=self.capabilities
        )
        return (Stage.MAIL, mail), (Stage.RCPT, rcpt_command(envelope.rcpt_to)), (Stage.DATA, b"DATA\r\n")

    async def _reset(self, reply: Reply, stage: Stage) -> None:
        """Clear the half-made transaction; a server that is closing the connection (421) is left alone."""
        if reply.code == 421:
            self.abort()
        elif stage is not Stage.MAIL:
            self.write(b"RSET\r\n")
            await self._read(1, self.relay.command_timeout_s)

    # -- reading and writing

    def write(self, data: bytes) -> None:
        if self.closed:
            raise ConnectionCut("the connection is closed")
        self._wire().write(data)

    async def _ask(self, command: str) -> Reply:
        self.write(command.encode() + b"\r\n")
        return (await self._read(1, self.relay.command_timeout_s))[0]

    async def _read(self, count: int, timeout_s: float) -> list[Reply]:
        self._deadline = self._loop.time() + timeout_s
        if not self.closed and (self._alarm is None or self._alarm.when() > self._deadline):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._loop.call_at(self._deadline, self._on_alarm)
        while len(self._replies) < count:
            if self.closed:
                raise ConnectionCut(f"the connection ended ({type(self._problem).__name__})") from self._problem
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._deadline = float("inf")
        return [self._replies.popleft() for _ in range(count)]

    def _on_alarm(self) -> None:
        """One timer a connection, set again when it comes too early: cheaper than one a reply."""
        self._alarm = None
        if self._loop.time() >= self._deadline:
            self._fail(TimeoutError("the server does not answer"))
        elif self._deadline != float("inf"):
            self._alarm = self._loop.call_at(self._deadline, self._on_alarm)

    def _wire(self) -> asyncio.Transport:
        if self._transport is None:
            raise ConnectionCut("not connected")
        return self._transport

import asyncio
import ssl
from pathlib import Path

import pytest

from hongyan.delivery.errors import TransportProblem
from hongyan.delivery.transports.relay import Relay
from hongyan.delivery.transports.smtp import ConnectionCut, Envelope, SMTPConnection, Stage
from hongyan.delivery.transports.wire import Reply, body_of
from tests.delivery.servers import (
    Handler,
    authenticator,
    certificate,
    good_server,
    play,
    relay,
    scripted_server,
    sink,
)

RAW = b"Subject: hi\r\n\r\n.dot first\r\nbody\r\n"
ENVELOPE = Envelope("bounce@x.test", "a@y.test", len(RAW))
OK_EHLO = (b"EHLO", b"250-x\r\n250 PIPELINING\r\n")


async def send(connection: SMTPConnection, to: str = "a@y.test") -> Reply:
    assert await connection.offer(Envelope("bounce@x.test", to, len(RAW))) is None
    return await connection.finish(body_of(RAW))


async def test_mail_arrives_byte_for_byte() -> None:
    handler = Handler()
    async with good_server(handler) as port:
        connection = await SMTPConnection.connect(relay(port))
        reply = await send(connection)
        await send(connection, "b@y.test")
        await connection.quit()
    assert reply.code == 250
    assert [mail.rcpt_tos for mail in handler.mails] == [["a@y.test"], ["b@y.test"]]
    assert handler.mails[0].mail_from == "bounce@x.test"
    assert handler.mails[0].original_content == RAW
    assert connection.peer.remote_ip == "127.0.0.1"


async def test_refused_recipient_leaves_the_connection_usable() -> None:
    handler = Handler({"gone@y.test": "550 5.1.1 no such user"})
    async with good_server(handler) as port:
        connection = await SMTPConnection.connect(relay(port))
        refusal = await connection.offer(Envelope("b@x.test", "gone@y.test", 1))
        assert refusal is not None
        assert (refusal.stage, refusal.reply.code, refusal.reply.enhanced) == (Stage.RCPT, 550, "5.1.1")
        assert (await send(connection)).code == 250
        await connection.quit()
    assert len(handler.mails) == 1


@pytest.mark.parametrize("options", [(), ("-e",), ("-p",)], ids=["esmtp", "helo-only", "without-pipelining"])
async def test_against_smtp_sink(tmp_path: Path, options: tuple[str, ...]) -> None:
    with sink(tmp_path, *options) as port:
        connection = await SMTPConnection.connect(relay(port))
        assert connection.capabilities.pipelining == (options == ())
        for number in range(20):
            assert (await send(connection, f"u{number}@y.test")).code == 250
        await connection.quit()


@pytest.mark.parametrize(("flag", "stage"), [("rcpt", Stage.RCPT), ("mail", Stage.MAIL), ("data", Stage.DATA)], ids=str)
async def test_smtp_sink_refuses(tmp_path: Path, flag: str, stage: Stage) -> None:
    with sink(tmp_path, "-f", flag) as port:
        connection = await SMTPConnection.connect(relay(port))
        refusal = await connection.offer(ENVELOPE)
        assert refusal is not None
        assert refusal.stage is stage
        assert refusal.reply.code == 500
        connection.abort()


async def test_next_envelope_rides_with_the_body() -> None:
    handler = Handler()
    async with good_server(handler) as port:
        connection = await SMTPConnection.connect(relay(port))
        connection.capabilities = type(connection.capabilities)(pipelining=True)
        assert await connection.offer(ENVELOPE) is None
        second = Envelope("bounce@x.test", "b@y.test", len(RAW))
        assert (await connection.finish(body_of(RAW), following=connection.envelope_bytes(second))).code == 250
        assert await connection.offered() is None
        assert (await connection.finish(body_of(RAW))).code == 250
        await connection.quit()
    assert [mail.rcpt_tos for mail in handler.mails] == [["a@y.test"], ["b@y.test"]]


@pytest.mark.parametrize("mode", ["required", "implicit"])
async def test_tls_is_checked_and_noted(tmp_path: Path, mode: str) -> None:
    context, authority = certificate(tmp_path)
    handler, loop = Handler(), asyncio.get_running_loop()
    if mode == "implicit":
        from aiosmtpd.smtp import SMTP

        server = await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", 0, ssl=context)
        async with server:
            await _over_tls(server.sockets[0].getsockname()[1], mode, authority, handler)
    else:
        async with good_server(handler, tls_context=context) as port:
            await _over_tls(port, mode, authority, handler)


async def _over_tls(port: int, mode: str, authority: Path, handler: Handler) -> None:
    connection = await SMTPConnection.connect(relay(port, tls=mode, ca_file=str(authority)))
    assert connection.peer.tls in {"TLSv1.2", "TLSv1.3"}
    assert (await send(connection)).code == 250
    await connection.quit()
    assert len(handler.mails) == 1
    with pytest.raises(TransportProblem) as problem:  # the system's authorities do not know it
        await SMTPConnection.connect(relay(port, tls=mode))
    assert problem.value.permanent


async def test_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path, name="other.test")
    async with good_server(Handler(), tls_context=context) as port:
        with pytest.raises(TransportProblem) as problem:
            await SMTPConnection.connect(relay(port, tls="required", ca_file=str(authority)))
    assert problem.value.permanent


async def test_old_tls_is_refused(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with good_server(Handler(), tls_context=context) as port:
        with pytest.raises(TransportProblem):
            await SMTPConnection.connect(relay(port, tls="required", ca_file=str(authority)))


async def test_required_tls_that_is_not_offered_is_a_refusal() -> None:
    async with good_server(Handler()) as port:
        with pytest.raises(TransportProblem) as problem:
            await SMTPConnection.connect(relay(port, tls="required"))
    assert problem.value.permanent


async def test_text_between_starttls_and_tls_is_refused(tmp_path: Path) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await play(
            reader, writer, (b"EHLO", b"250-x\r\n250 STARTTLS\r\n"), (b"STARTTLS", b"220 go\r\n250 injected\r\n")
        )
        await reader.read()

    async with scripted_server(script) as port:
        with pytest.raises(TransportProblem, match="between STARTTLS and TLS"):
            await SMTPConnection.connect(relay(port, tls="offered"))


@pytest.mark.parametrize(("password", "excluded"), [("päss", []), ("päss", ["PLAIN"]), ("wrong", [])])
async def test_sign_in(tmp_path: Path, password: str, excluded: list[str]) -> None:
    context, authority = certificate(tmp_path)
    handler = Handler()
    options = {"tls_context": context, "authenticator": authenticator, "auth_required": True}
    async with good_server(handler, auth_exclude_mechanism=excluded, **options) as port:
        target = relay(port, tls="required", ca_file=str(authority), username="mailer", password=password)
        if password == "wrong":
            with pytest.raises(TransportProblem) as problem:
                await SMTPConnection.connect(target)
            assert problem.value.permanent
            return
        connection = await SMTPConnection.connect(target)
        assert (await send(connection)).code == 250
        await connection.quit()


async def test_password_never_goes_over_plain_text() -> None:
    async with good_server(Handler(), authenticator=authenticator, auth_require_tls=False) as port:
        with pytest.raises(TransportProblem, match="only sent over TLS"):
            await SMTPConnection.connect(relay(port, username="mailer", password="päss"))


GREETINGS = [b"554 go away\r\n", b"HTTP/1.1 400\r\n\r\n", b"\x00" * 100 + b"\n", b"", b"220-" + b"x" * 20_000]


@pytest.mark.parametrize("greeting", GREETINGS, ids=["554", "http", "nul", "closed", "endless"])
async def test_bad_greeting_is_a_problem_not_a_crash(greeting: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()

    async with scripted_server(script) as port:
        with pytest.raises(TransportProblem):
            await SMTPConnection.connect(relay(port))


async def test_silent_server_times_out() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with scripted_server(script) as port:
        with pytest.raises(TransportProblem):
            await SMTPConnection.connect(relay(port, connect_timeout_s=0.2))


@pytest.mark.parametrize("ending", ["cut", "garbage", "silence"])
async def test_answer_to_the_dot_is_lost(ending: str) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await play(reader, writer, OK_EHLO, (b"DATA", b"250 ok\r\n250 ok\r\n354 go\r\n"))
        await reader.readuntil(b"\r\n.\r\n")
        if ending == "garbage":
            writer.write(b"\xff\xfe what?\r\n")
        elif ending == "silence":
            await reader.read()

    async with scripted_server(script) as port:
        connection = await SMTPConnection.connect(relay(port, data_timeout_s=0.3))
        assert await connection.offer(ENVELOPE) is None
        with pytest.raises(ConnectionCut):
            await connection.finish(body_of(RAW))
        assert connection.closed


async def test_server_that_refuses_and_still_wants_the_body_gets_an_empty_one() -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await play(reader, writer, OK_EHLO, (b"DATA", b"250 ok\r\n550 5.1.1 no\r\n354 go\r\n"))
        seen.append(await reader.readline())
        writer.write(b"554 no recipients\r\n")
        seen.append(await reader.readline())
        writer.write(b"250 reset\r\n")
        await reader.read()

    async with scripted_server(script) as port:
        connection = await SMTPConnection.connect(relay(port))
        refusal = await connection.offer(ENVELOPE)
        assert refusal is not None
        assert refusal.reply.enhanced == "5.1.1"
        connection.abort()
    assert seen == [b".\r\n", b"RSET\r\n"]


async def test_unasked_goodbye_closes_the_connection() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await play(reader, writer, OK_EHLO, (b"MAIL", b"421 4.7.0 too much\r\n"))

    async with scripted_server(script) as port:
        connection = await SMTPConnection.connect(relay(port))
        with pytest.raises(ConnectionCut):
            await connection.offer(ENVELOPE)
        assert connection.worn


async def test_reply_in_single_bytes_is_understood() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in b"220-hello\r\n220 there\r\n":
            writer.write(bytes([number]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.readline()
        writer.write(b"250 x\r\n")
        await reader.read()

    async with scripted_server(script) as port:
        connection = await SMTPConnection.connect(relay(port))
        connection.abort()


def test_relay_addresses() -> None:
    found = Relay.from_url("smtp://us%40er:p%2Fw@mx.test:587?tls=required", ehlo_name="me.test")
    assert (found.host, found.port, found.username, found.password, found.tls) == (
        "mx.test", 587, "us@er", "p/w", "required",
    )  # fmt: skip
    assert Relay.from_url("smtps://mx.test", ehlo_name="x").port == 465
    assert "p/w" not in repr(found)
    for bad in ("http://x", "smtp://", "smtp://x?tls=maybe"):
        with pytest.raises(TransportProblem):
            Relay.from_url(bad, ehlo_name="x")

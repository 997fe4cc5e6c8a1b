"""The local catcher: an SMTP server that keeps what it gets, so that the product is alive before it has a relay.

Listens on the loopback address only. Mails are written in groups, one insert for all that arrived meanwhile, and the
sender's 250 comes after the commit.
"""

import asyncio
import email
import email.policy
import logging
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django
from aiosmtpd.smtp import SMTP, Envelope, Session

log = logging.getLogger("hongyan.catcher")
KEEP = 20_000
MAX_SIZE = 32 * 2**20
_PRUNE_EVERY = 500


@dataclass(slots=True)
class _Arrived:
    mail_from: str
    rcpt_to: str
    raw: bytes
    at: datetime
    kept: "asyncio.Future[bool]"


class CatcherHandler:
    """aiosmtpd's handler: hands mails to the writer and answers when they are kept."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[_Arrived] = asyncio.Queue()
        self.database = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catcher-database")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        from hongyan.core import clock

        raw = envelope.original_content or b""
        kept = asyncio.get_running_loop().create_future()
        recipients = ", ".join(envelope.rcpt_tos)
        await self.arrived.put(_Arrived(envelope.mail_from or "", recipients, raw, clock.now(), kept))
        return "250 2.0.0 kept" if await kept else "451 4.3.0 could not be kept"

    async def write(self) -> None:
        """Forever: everything that waits, in one insert."""
        written, loop = 0, asyncio.get_running_loop()
        while True:
            group = [await self.arrived.get()]
            while not self.arrived.empty() and len(group) < 200:
                group.append(self.arrived.get_nowait())
            try:
                await loop.run_in_executor(self.database, _keep, group)
                ok = True
            except Exception:  # the sender tries again
                log.exception("mails could not be kept")
                ok = False
            for arrived in group:
                if not arrived.kept.done():
                    arrived.kept.set_result(ok)
            written += len(group)
            if written >= _PRUNE_EVERY:
                written = 0
                await loop.run_in_executor(self.database, _prune)


async def run_catcher(
    stop: asyncio.Event, *, port: int | None = None, listening: "asyncio.Future[int] | None" = None
) -> None:
    """Serve until ``stop``. port: none takes HONGYAN_CATCHER_PORT, 0 any; ``listening`` is told which."""
    from django.conf import settings

    handler = CatcherHandler()
    loop = asyncio.get_running_loop()
    writer = asyncio.create_task(handler.write())
    server = await loop.create_server(
        lambda: SMTP(handler, loop=loop, enable_SMTPUTF8=True, data_size_limit=MAX_SIZE, ident="Hongyan catcher"),
        "127.0.0.1",
        settings.HONGYAN_CATCHER_PORT if port is None else port,
    )
    bound: int = server.sockets[0].getsockname()[1]
    log.info("catcher listens", extra={"port": bound})
    if listening is not None:
        listening.set_result(bound)
    async with server:
        await stop.wait()
    writer.cancel()
    await loop.run_in_executor(handler.database, _close_connections)
    handler.database.shutdown()


def header_of(raw: bytes) -> tuple[str, str]:
    """Subject and From, decoded; whatever the mail holds, this does not raise."""
    try:
        head = raw.split(b"\r\n\r\n", 1)[0][:64_000] + b"\r\n\r\n"
        read = email.message_from_bytes(head, policy=email.policy.default)
        return _plain(read.get("Subject")), _plain(read.get("From"))
    except Exception:  # noqa: BLE001  the parser of the standard library raises many things on hostile headers
        return "", ""


def _plain(value: Any) -> str:
    text = "" if value is None else str(value)
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:1000]


def _keep(group: list[_Arrived]) -> None:
    from django.db import close_old_connections

    from hongyan.delivery.models import CaughtMail

    close_old_connections()
    rows = []
    for arrived in group:
        subject, sender = header_of(arrived.raw)
        rows.append(
            CaughtMail(
                received_at=arrived.at,
                mail_from=_plain(arrived.mail_from),
                rcpt_to=_plain(arrived.rcpt_to),
                subject=subject,
                from_header=sender,
                size=len(arrived.raw),
                raw=arrived.raw,
            )
        )
    CaughtMail.objects.bulk_create(rows)


def _prune() -> None:
    """Only the newest are kept."""
    from hongyan.delivery.models import CaughtMail

    edge = CaughtMail.objects.order_by("-id").values_list("id", flat=True)[KEEP : KEEP + 1].first()
    if edge is not None:
        CaughtMail.objects.filter(id__lte=edge).delete()


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()


async def _main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_catcher(stop)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hongyan.config.settings")
    django.setup()
    import uvloop

    uvloop.run(_main())

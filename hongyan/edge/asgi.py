"""The slim path in front of Django: opens, clicks and events come in great numbers; each is answered when committed."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from asgiref.sync import sync_to_async

from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.delivery.errors import LinkRefused
from hongyan.delivery.links import read_dynamic_token, read_message_token
from hongyan.delivery.types import MessageKey
from hongyan.edge.hits import HitFound, HitsRefused, HitWriter
from hongyan.edge.intake.application import IntakeApplication
from hongyan.edge.intake.keys import KeysAway
from hongyan.edge.models import Hit
from hongyan.ingest.intake.visits import with_token
from hongyan.ingest.intake.write_keys import origin_allowed

log = logging.getLogger("hongyan.edge")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
_COMMON = [
    (b"cache-control", b"no-store, private"),
    (b"x-robots-tag", b"noindex"),
    (b"x-content-type-options", b"nosniff"),
]
_PIXEL_HEADERS = [(b"content-type", b"image/gif"), (b"content-length", str(len(_PIXEL)).encode()), *_COMMON]
_AGENT_LENGTH = 300
_CACHED_VERSIONS = 5_000


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""


class EdgeApplication:
    def __init__(self, *, fallback: Application) -> None:
        self._fallback = fallback
        self.intake = IntakeApplication()
        self._writer: HitWriter | None = None
        self._links: OrderedDict[int, tuple[str, ...]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            path: str = scope["path"]
            handler = self._handler(path[:3])
            if handler is not None:
                await _answer(send, await handler(path, scope), head=scope["method"] == "HEAD")
                return
        if scope["type"] == "http" and self.intake.handles(scope["path"]):
            await self.intake(scope, receive, send)
            return
        await self._fallback(scope, receive, send)

    def _handler(self, start: str) -> Callable[[str, Scope], Awaitable[Answer]] | None:
        if start == "/o/":
            return self._open
        if start == "/c/":
            return self._click
        if start == "/d/":
            return self._dynamic_click
        return None

    async def _open(self, path: str, scope: Scope) -> Answer:
        """Always a picture: a broken one in an old mail helps nobody."""
        pixel = Answer(200, _PIXEL_HEADERS, _PIXEL)
        try:
            key = read_message_token(path[3:].removesuffix(".gif"))
        except LinkRefused:
            return pixel
        if scope["method"] == "GET":
            try:
                await self._record(scope, Hit.Kind.OPEN, key, None)
            except HitsRefused:
                return pixel
        return pixel

    async def _click(self, path: str, scope: Scope) -> Answer:
        token, _, number = path[3:].partition("/")
        try:
            key = read_message_token(token)
        except LinkRefused:
            return _gone(scope)
        if not (number.isascii() and number.isdigit() and len(number) <= 4):
            return _gone(scope)
        index = int(number)
        try:
            found = await self._record(scope, Hit.Kind.CLICK, key, index)
            urls = await self._urls(found.version) if found is not None else ()
        except HitsRefused:
            return Answer(503, [(b"retry-after", b"5"), (b"content-length", b"0"), *_COMMON])
        if found is None or index >= len(urls):
            return _gone(scope)
        return _redirect(await self._recognisable(urls[index], found.contact_id, scope))

    async def _dynamic_click(self, path: str, scope: Scope) -> Answer:
        try:
            key, url = read_dynamic_token(path[3:])
        except LinkRefused:
            return _gone(scope)
        try:
            found = await self._record(scope, Hit.Kind.CLICK, key, None)
        except HitsRefused:
            log.warning("click not counted: the database is away")
            return _redirect(url)
        return _redirect(await self._recognisable(url, found.contact_id if found else None, scope))

    async def _recognisable(self, url: str, contact_id: int | None, scope: Scope) -> str:
        """On the way to a website that sends us events, the visitor brings along whose mail it was; nowhere else.
        Whether that may be used is asked when the website tells, by the consent that holds then."""
        if contact_id is None or scope["method"] != "GET":
            return url
        _, keys = await self.intake.started()
        parts = urlsplit(url)
        try:
            if not origin_allowed(f"{parts.scheme}://{parts.netloc}".lower(), await keys.origins()):
                return url
        except KeysAway:
            return url
        return with_token(url, contact_id=contact_id, at=clock.now())

    async def _record(self, scope: Scope, kind: Hit.Kind, key: MessageKey, link: int | None) -> HitFound | None:
        """What the message was. A HEAD is asked by programs that look ahead: answered, not counted."""
        writer = await self._started()
        agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
        return await writer.record(
            at=clock.now(),
            kind=int(kind) if scope["method"] == "GET" else 0,
            message_id=key.id,
            month=key.month,
            link=link,
            user_agent=agent[:_AGENT_LENGTH].decode("utf-8", "replace").replace("\x00", ""),
        )

    async def _urls(self, version: int) -> tuple[str, ...]:
        found = self._links.get(version)
        if found is None:
            writer = await self._started()
            found = await writer.link_urls(version)
            self._links[version] = found
            if len(self._links) > _CACHED_VERSIONS:
                self._links.popitem(last=False)
        return found

    async def _started(self) -> HitWriter:
        if self._writer is None:
            await sync_to_async(keyring)()
            writer = HitWriter()
            await writer.start()
            if self._writer is None:  # another request may have been first while we waited
                self._writer = writer
            else:
                await writer.stop()
        return self._writer

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._started()
                await self.intake.started()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._writer is not None:
                    await self._writer.stop()
                await self.intake.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _redirect(url: str) -> Answer:
    if not url.startswith(("https://", "http://")):
        return Answer(404, [(b"content-length", b"0"), *_COMMON])
    location = quote(url, safe="%/:=&?~#+!$,;'@()*[]").encode("ascii")
    return Answer(302, [(b"location", location), (b"content-length", b"0"), *_COMMON])


def _gone(scope: Scope) -> Answer:
    """Short and honest, in the reader's language; nothing about who the link was for."""
    language = next((value for name, value in scope["headers"] if name == b"accept-language"), b"").lower()
    zh = language.startswith(b"zh") or b"zh" in language.split(b",", 1)[0]
    text = "这个链接已经失效，或在复制时不完整。" if zh else "This link no longer works, or was cut when copied."
    body = f'<!doctype html><html lang="{"zh-Hans" if zh else "en"}"><meta charset="utf-8"><title>410</title><p>{text}'
    data = body.encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(data)).encode()), *_COMMON]
    return Answer(410, headers, data)


async def _answer(send: Send, answer: Answer, *, head: bool) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})

"""Segment's HTTP API. Answered with 200 only after the commit; every refusal says why, in the reader's language."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.utils import translation

from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.edge.intake import browsers
from hongyan.edge.intake.inbox import InboxRefused, InboxWriter
from hongyan.edge.intake.keys import Keys, KeysAway
from hongyan.edge.intake.rates import Rates
from hongyan.ingest.intake import limits, wire
from hongyan.ingest.intake.calls import fault
from hongyan.ingest.intake.reserved import reserved
from hongyan.ingest.intake.wire import PATHS, WireRefused
from hongyan.ingest.intake.words import sentence
from hongyan.ingest.intake.write_keys import KnownKey, origin_allowed
from hongyan.ingest.models_intake import WriteKey
from hongyan.ingest.quarantine import Trouble

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PREFIX = "/v1/"
_BODY_WITHIN_S = 30  # a client that sends more slowly holds a connection for nothing
_RETRY_AFTER_S = 5
_OK = b'{"success":true}'
_JSON = (b"content-type", b"application/json; charset=utf-8")
_COMMON = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_OK_HEADERS = [_JSON, (b"content-length", str(len(_OK)).encode()), *_COMMON]
_SETTINGS_HEADERS = [_JSON, (b"cache-control", b"private, max-age=300"), (b"x-content-type-options", b"nosniff")]
_CORS = [(b"access-control-allow-methods", b"POST, GET, OPTIONS"), (b"access-control-max-age", b"7200")]
# Libraries add headers of their own with every version, and none of them is a secret or opens anything.
_ASKED_HEADERS = re.compile(rb"[a-zA-Z0-9, -]{1,500}")
_USUAL_HEADERS = b"authorization, content-type, content-encoding, anonymousid, sentat, x-retry-count"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""


@dataclass(slots=True)
class Headers:
    """The few that matter here."""

    authorization: bytes = b""
    origin: bytes = b""
    language: bytes = b""
    length: bytes = b""
    host: bytes = b""
    asked: bytes = b""  # Access-Control-Request-Headers


class Refused(Exception):
    def __init__(self, code: str, status: int, place: str = "", after_s: int = 0) -> None:
        super().__init__(code)
        self.code, self.status, self.place, self.after_s = code, status, place, after_s


class IntakeApplication:
    def __init__(self) -> None:
        self._open: tuple[InboxWriter, Keys] | None = None
        self._rates = Rates()

    async def started(self) -> tuple[InboxWriter, Keys]:
        """Inside the running loop; the first request or the server's start, whichever comes first."""
        if self._open is None:
            await sync_to_async(keyring)()
            writer = InboxWriter()
            await writer.start()
            if self._open is None:  # another request may have been first while we waited
                self._open = writer, Keys(writer.pool, self._rates.refused)
            else:
                await writer.stop()
        return self._open

    async def stop(self) -> None:
        if self._open is not None:
            await self._open[0].stop()
            self._open = None

    @staticmethod
    def handles(path: str) -> bool:
        return (path.startswith(PREFIX) and path[len(PREFIX) :].rstrip("/") in PATHS) or browsers.handles(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        if scope["method"] == "OPTIONS":
            answer = _preflight(headers)
        else:
            try:
                answer = await self._answer(scope, headers, receive)
            except Refused as error:
                answer = _problem(error.code, error.status, headers, place=error.place, after_s=error.after_s)
            except WireRefused as error:
                answer = _problem(error.code, error.status, headers)
            except InboxRefused as error:
                answer = _problem(error.code, 503, headers)
            except KeysAway:
                answer = _problem("database_away", 503, headers)
        if headers.origin:
            # Whether a website may use a key is decided by the key; what it may read of the answer is no secret.
            answer.headers.extend(
                (
                    (b"access-control-allow-origin", headers.origin),
                    (b"access-control-expose-headers", b"retry-after"),
                    (b"vary", b"Origin"),
                )
            )
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive) -> Answer:
        path: str = scope["path"]
        kind = PATHS.get(path[len(PREFIX) :].rstrip("/")) if path.startswith(PREFIX) else None
        if kind is None and path != browsers.METRICS and not path.startswith(browsers.BEACON):
            return await self._settings(scope, headers)
        if scope["method"] != "POST":
            raise Refused("method_refused", 405)
        if path == browsers.METRICS:
            return Answer(200, _OK_HEADERS.copy(), _OK)
        body = await _body(headers, receive)
        kind = kind or ""  # the beacon brings batches
        request = wire.read(kind, body)
        writer, keys = self._open or await self.started()
        secret = wire.write_key(headers.authorization, request) or browsers.key_in_query(scope["query_string"])
        key = await _key(headers, secret, keys)
        if wait_s := self._rates.wait_s(key, len(request.calls)):
            raise Refused("rate_limited", 429, after_s=wait_s)
        troubles = _troubles(kind, request, key)
        if troubles and kind:
            raise Refused(troubles[0][1].reason, 422, troubles[0][1].place)
        if request.calls:
            await writer.accept(
                key_id=key.id,
                at=clock.now(),
                kind=kind,
                calls=len(request.calls),
                content=request.content,
                checked=not troubles,
            )
        return _partly(troubles, headers) if troubles else Answer(200, _OK_HEADERS.copy(), _OK)

    async def _settings(self, scope: Scope, headers: Headers) -> Answer:
        """What browser libraries ask before they send."""
        if scope["method"] not in {"GET", "HEAD"}:
            raise Refused("method_refused", 405)
        _, keys = await self.started()
        secret = browsers.key_in_path(scope["path"])
        segment = bool(secret)
        secret = secret or wire.basic_user(headers.authorization) or browsers.key_in_query(scope["query_string"])
        await _key(headers, secret, keys)
        found = browsers.segment_settings(secret, headers.host) if segment else browsers.source_config(secret)
        body = orjson.dumps(found)
        length = (b"content-length", str(len(body)).encode())
        return Answer(200, [*_SETTINGS_HEADERS, length], b"" if scope["method"] == "HEAD" else body)


async def _key(headers: Headers, secret: str, keys: Keys) -> KnownKey:
    if not secret:
        raise Refused("key_missing", 401)
    key = await keys.find(secret)
    if key is None:
        raise Refused("key_unknown", 401)
    if headers.origin:
        if key.kind == WriteKey.Kind.SERVER:
            raise Refused("server_key_in_browser", 403)
        if key.kind == WriteKey.Kind.BROWSER and not origin_allowed(headers.origin.decode("latin-1"), key.origins):
            raise Refused("origin_refused", 403)
    return key


def _troubles(kind: str, request: wire.Request, key: KnownKey) -> list[tuple[int, Trouble]]:
    """Calls that will go to quarantine, by their place in the batch. The lane finds the same again."""
    measure = len(request.content) > limits.CALL_BYTES
    return [
        (place, trouble)
        for place, call in enumerate(request.calls)
        if (trouble := fault(call, kind, measure=measure) or reserved(call, key.kind)) is not None
    ]


def _headers(scope: Scope) -> Headers:
    found = Headers()
    for name, value in scope["headers"]:
        if name == b"authorization":
            found.authorization = value
        elif name == b"origin":
            found.origin = value
        elif name == b"accept-language":
            found.language = value
        elif name == b"content-length":
            found.length = value
        elif name == b"host":
            found.host = value
        elif name == b"access-control-request-headers":
            found.asked = value
    return found


def _preflight(headers: Headers) -> Answer:
    asked = headers.asked if _ASKED_HEADERS.fullmatch(headers.asked) else _USUAL_HEADERS
    return Answer(204, [(b"content-length", b"0"), (b"access-control-allow-headers", asked), *_CORS])


async def _body(headers: Headers, receive: Receive) -> bytes:
    if headers.length.isdigit() and int(headers.length) > limits.BODY_BYTES:
        raise WireRefused("body_too_large", 413)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        try:
            async with asyncio.timeout(_BODY_WITHIN_S):
                body = await _rest(body, receive)
        except TimeoutError as error:
            raise WireRefused("body_slow", 408) from error
    if len(body) > limits.BODY_BYTES:
        raise WireRefused("body_too_large", 413)
    return body


async def _rest(body: bytes, receive: Receive) -> bytes:
    parts, size, more = [body], len(body), True
    while more and size <= limits.BODY_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise WireRefused("not_json", 400)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    return b"".join(parts)


def _partly(troubles: list[tuple[int, Trouble]], headers: Headers) -> Answer:
    """Everything is kept; these wait in quarantine. 200, or official clients would send the good ones again."""
    with translation.override(_language(headers)):
        told = [
            {"index": place, "code": trouble.reason, "pointer": trouble.place, "message": sentence(trouble.reason)}
            for place, trouble in troubles[:100]
        ]
    body = orjson.dumps({"success": True, "quarantined": len(troubles), "problems": told})
    return Answer(200, [_JSON, (b"content-length", str(len(body)).encode()), *_COMMON], body)


def _problem(code: str, status: int, headers: Headers, *, place: str = "", after_s: int = 0) -> Answer:
    """RFC 9457; ``code`` and ``message`` besides, which the official clients read."""
    with translation.override(_language(headers)):
        text = sentence(code)
    problem = {
        "type": f"urn:hongyan:problem:{code}",
        "title": text,
        "status": status,
        "code": code,
        "message": text,
        "success": False,
    }
    if place:
        problem["pointer"] = place
    body = orjson.dumps(problem)
    answer = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode()), *_COMMON]
    if after_s or status == 503:
        answer.append((b"retry-after", str(after_s or _RETRY_AFTER_S).encode()))
    elif status == 401:
        answer.append((b"www-authenticate", b'Basic realm="write key"'))
    elif status == 405:
        answer.append((b"allow", b"POST, OPTIONS"))
    return Answer(status, answer, body)


def _language(headers: Headers) -> str:
    return "zh-hans" if b"zh" in headers.language.lower().split(b",", 1)[0] else "en"

"""From the bytes of a request to calls. Pure; content decides, because clients label it wrongly (RudderStack's Node
client sends gzip under a form's content type)."""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

import orjson

from hongyan.ingest.intake import limits

# Path → type of the call; "" is a batch. The short forms are those of analytics.js.
PATHS: Final = {
    "identify": "identify", "i": "identify",
    "track": "track", "t": "track",
    "page": "page", "p": "page",
    "screen": "screen", "s": "screen",
    "group": "group", "g": "group",
    "alias": "alias", "a": "alias",
    "batch": "", "b": "", "import": "",
}  # fmt: skip
_GZIP = b"\x1f\x8b"


class WireRefused(Exception):
    """The request as a whole cannot be read; nothing of it was kept. ``code`` is stable, ``status`` is HTTP's."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(frozen=True, slots=True)
class Request:
    """content: the JSON, unpacked. calls: as sent, unchecked. shared: fields of a batch that hold for all of it."""

    content: bytes
    calls: list[Any]
    shared: dict[str, Any]


def read(kind: str, body: bytes) -> Request:
    """kind: a value of ``PATHS``. Raises WireRefused."""
    content = unpack(body)
    try:
        parsed = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise WireRefused("not_json", 400) from error
    if not isinstance(parsed, dict):
        raise WireRefused("not_an_object", 400)
    if _repeats_a_key(content, parsed):
        raise WireRefused("repeated_key", 422)
    return split(kind, content, parsed)


def split(kind: str, content: bytes, parsed: dict[str, Any]) -> Request:
    if kind:
        return Request(content, [parsed], {})
    calls = parsed.get("batch")
    if not isinstance(calls, list):
        raise WireRefused("batch_missing", 422)
    if len(calls) > limits.BATCH_CALLS:
        raise WireRefused("batch_too_long", 422)
    return Request(content, calls, parsed)


def unpack(body: bytes) -> bytes:
    if body.startswith(_GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            content = unpacker.decompress(body, limits.UNPACKED_BYTES + 1)
        except zlib.error as error:
            raise WireRefused("not_gzip", 400) from error
        if len(content) > limits.UNPACKED_BYTES:
            raise WireRefused("body_too_large", 413)
        if not unpacker.eof:
            raise WireRefused("not_gzip", 400)
        body = content
    return body.removeprefix(b"\xef\xbb\xbf")


def write_key(authorization: bytes, request: Request) -> str:
    """The user name of Basic authorisation, or ``writeKey`` in the body, where browsers' beacons put it. "" if none."""
    if authorization[:6].lower() == b"basic ":
        return basic_user(authorization)
    key = request.shared.get("writeKey")
    if key is None and request.calls and isinstance(request.calls[0], dict):
        key = request.calls[0].get("writeKey")
    return key if isinstance(key, str) else ""


def basic_user(authorization: bytes) -> str:
    """The user name of Basic authorisation; "" where there is none that can be read."""
    try:
        return base64.b64decode(authorization[6:], validate=True).partition(b":")[0].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _repeats_a_key(content: bytes, parsed: dict[str, Any]) -> bool:
    """Whether an object names a key twice: readers disagree on which counts, so it is refused rather than guessed.

    JSON without spaces and escapes is written back as long as it came unless a key was lost; only other texts are read
    a second time, slowly.
    """
    if len(orjson.dumps(parsed)) == len(content):
        return False
    try:
        json.loads(content, object_pairs_hook=_no_repeats)
    except _Repeated:
        return True
    return False


class _Repeated(Exception):
    pass


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found

"""Assembling a message: what is the same for everybody is written once (``Frame``), the rest joined per person.

Bodies are base64: one C call, lines of 76, never a line that starts with a dot, one size for Chinese and English.
"""

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

import pybase64

from hongyan.delivery.mime.address import Address, parse_address
from hongyan.delivery.mime.headers import list_unsubscribe, literal_header, mailbox_header, text_header

# "=_" cannot occur in base64, so no body can contain the boundary.
_BOUNDARY = "=_hongyan_alternative"
_PART = "--" + _BOUNDARY + "\r\nContent-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
_TEXT_PART = _PART.format("plain").encode()
_HTML_PART = _PART.format("html").encode()
_CLOSE = f"--{_BOUNDARY}--\r\n".encode()
_MULTIPART = f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\r\n\r\n'.encode()
_PLAIN = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """Header lines that all messages of one content, sender and topic share, and what per-person lines need."""

    head: bytes
    marketing: bool


class Built(NamedTuple):
    """raw never has a bare CR or LF nor a line that starts with a dot: header lines start with a name or a blank,
    bodies are base64. So it goes on the wire as it is, followed by the lone dot."""

    raw: bytes
    sha256: bytes
    needs_smtputf8: bool


def make_frame(
    *,
    from_name: str,
    from_address: str,
    reply_to: str,
    marketing: bool,
    list_id: str | None,
    feedback_id: str | None,
) -> Frame:
    """list_id: ``topic-3.mail.example``, without brackets. Raises HeaderRefused, AddressRefused."""
    lines = [mailbox_header("From", from_name, parse_address(from_address))]
    if reply_to:
        lines.append(mailbox_header("Reply-To", "", parse_address(reply_to)))
    if marketing and list_id:
        lines.append(literal_header("List-ID", f"<{list_id}>"))
    if feedback_id:
        lines.append(literal_header("Feedback-ID", feedback_id))
    # RFC 3834: told only about mail that answers an act; bulk mail says so, so that auto-responders stay silent.
    lines.append("Precedence: bulk\r\n" if marketing else "Auto-Submitted: auto-generated\r\n")
    lines.append("MIME-Version: 1.0\r\n")
    return Frame("".join(lines).encode(), marketing)


def build(
    frame: Frame,
    *,
    to: Address,
    subject: str,
    html: bytes | None,
    text: bytes,
    message_id: str,
    at: datetime,
    unsubscribe_url: str | None,
    extra: dict[str, str] | None = None,
) -> Built:
    """html, text: canonical (``core.text.crlf``). unsubscribe_url: makes List-Unsubscribe and its one-click
    companion. extra: literal values.

    Raises HeaderRefused.
    """
    lines = [
        f"Date: {_date(int(at.timestamp()))}\r\n",
        f"Message-ID: <{message_id}>\r\n",
        f"To: {to.as_text}\r\n",
        text_header("Subject", subject),
    ]
    if unsubscribe_url:
        lines.append(list_unsubscribe(unsubscribe_url))
    if extra:
        lines.extend(literal_header(name, value) for name, value in extra.items())
    personal = "".join(lines).encode()
    if html:
        parts = [frame.head, personal, _MULTIPART, _TEXT_PART, _body(text), _HTML_PART, _body(html), _CLOSE]
    else:
        parts = [frame.head, personal, _PLAIN, _body(text)]
    raw = b"".join(parts)
    return Built(raw, hashlib.sha256(raw).digest(), to.needs_smtputf8)


def _body(raw: bytes) -> bytes:
    """In base64, ending with CRLF."""
    encoded = pybase64.b64encode(raw)
    # Encoded by vector instructions, then one unpack and one join: twice as fast as any encoder that makes lines.
    count, rest = divmod(len(encoded), 76)
    return b"\r\n".join((*_lines(count).unpack_from(encoded), encoded[count * 76 :])) + (b"\r\n" if rest else b"")


@lru_cache(maxsize=4096)
def _lines(count: int) -> struct.Struct:
    return struct.Struct("76s" * count)


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, tz=UTC))

"""SMTP as bytes and values, without sockets: replies in, commands out (RFC 5321, 2920, 1870, 6531).

Parsing is lenient where servers are sloppy (bare LF, 8-bit text, a missing code on a middle line) and strict where
leniency would be dangerous (a reply without a code, lines without end).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_LINE = re.compile(rb"([2-5][0-9]{2})([ -]?)(.*)\Z", re.DOTALL)
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b[ :]?\s*")
MAX_LINE = 8192  # RFC 5321 §4.5.3.1.5 says 512; some filters explain themselves at length
MAX_LINES = 128
_USUAL = 64
END_OF_DATA = b".\r\n"  # behind a body that ends with CRLF


class ReplyGarbled(Exception):
    """The peer does not speak SMTP, or stopped speaking it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """code: 200..599. enhanced: RFC 3463 status or "". text: lines joined by a space, decoded whatever they hold."""

    code: int
    enhanced: str
    text: str
    lines: tuple[str, ...] = ()

    @property
    def positive(self) -> bool:
        return self.code < 400

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500


class ReplyParser:
    """Feed what arrives in any cuts; get whole replies."""

    def __init__(self) -> None:
        self._buffer = b""
        self._code = 0
        self._lines: list[str] = []

    @property
    def pending(self) -> bytes:
        """Bytes of a line that has not ended, and whether a reply is under way, for checks before STARTTLS."""
        return self._buffer or (b"-" if self._lines else b"")

    def feed(self, data: bytes) -> list[Reply]:
        """Raises ReplyGarbled."""
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > MAX_LINE:
            raise ReplyGarbled("a reply line does not end")
        return [reply for line in lines if (reply := self._take(line.rstrip(b"\r"))) is not None]

    def _take(self, line: bytes) -> Reply | None:
        if not self._lines and len(line) <= _USUAL and (usual := _whole(line)) is not None:
            return usual
        if len(line) > MAX_LINE or len(self._lines) >= MAX_LINES:
            raise ReplyGarbled("a reply is too long")
        match = _LINE.match(line)
        if match is None or (self._lines and int(match[1]) != self._code):
            if not self._lines:
                raise ReplyGarbled("a reply without a code")
            self._lines.append(_decode(line))  # a middle line without its code: text
            return None
        self._code = int(match[1])
        self._lines.append(_decode(match[3]))
        if match[2] == b"-":
            return None
        lines, self._lines = self._lines, []
        return _reply(self._code, lines)


@lru_cache(maxsize=256)
def _whole(line: bytes) -> Reply | None:
    """A reply of one line. A server gives the same few answers to most commands: read once each."""
    match = _LINE.match(line)
    return None if match is None or match[2] == b"-" else _reply(int(match[1]), [_decode(match[3])])


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        try:
            return raw.decode("gb18030")  # the mailbox providers of China
        except UnicodeDecodeError:
            return raw.decode("latin-1")


def _reply(code: int, lines: list[str]) -> Reply:
    match = _ENHANCED.match(lines[0])
    if match is None:
        return Reply(code, "", " ".join(lines).strip(), tuple(lines))
    status = match[1]
    texts = [line.removeprefix(status).strip(" :") for line in lines]
    return Reply(code, status, " ".join(texts).strip(), tuple(lines))


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What EHLO announced. size: 0 means no limit told."""

    pipelining: bool = False
    starttls: bool = False
    eightbit: bool = False
    smtputf8: bool = False
    announces_size: bool = False
    size: int = 0
    auth: frozenset[str] = frozenset()

    @classmethod
    def of(cls, reply: Reply) -> "Capabilities":
        words = [line.upper().replace("=", " ", 1).split() for line in reply.lines[1:]]
        table = {parts[0]: parts[1:] for parts in words if parts}
        size = table.get("SIZE", [])
        return cls(
            pipelining="PIPELINING" in table,
            starttls="STARTTLS" in table,
            eightbit="8BITMIME" in table,
            smtputf8="SMTPUTF8" in table,
            announces_size="SIZE" in table,
            size=int(size[0]) if size and size[0].isdecimal() else 0,
            auth=frozenset(table.get("AUTH", [])),
        )


def mail_command(sender: str, *, size: int, smtputf8: bool, capabilities: Capabilities) -> bytes:
    """Only what the server announced is asked of it."""
    parameters = ""
    if capabilities.announces_size:
        parameters += f" SIZE={size}"
    if smtputf8:
        parameters += " SMTPUTF8"
    return _command(f"MAIL FROM:<{sender}>{parameters}")


def rcpt_command(recipient: str) -> bytes:
    return _command(f"RCPT TO:<{recipient}>")


def _command(text: str) -> bytes:
    """One line. The addresses were parsed; this is the last wall against a line of one's own."""
    if "\r" in text or "\n" in text or "\x00" in text:
        raise ValueError("a command is one line")
    return text.encode() + b"\r\n"


def body_of(raw: bytes) -> bytes:
    """The message as DATA carries it: CRLF only, dots doubled, ended by CRLF and the lone dot (RFC 5321 §4.5.2).

    Raises ValueError for bare CR or LF: relays disagree about them, which is how mail is smuggled.
    """
    ends = raw.count(b"\r\n")
    if raw.count(b"\n") != ends or raw.count(b"\r") != ends:
        raise ValueError("bare CR or LF in a message")
    if b"\r\n." in raw:
        raw = raw.replace(b"\r\n.", b"\r\n..")
    if raw.startswith(b"."):
        raw = b"." + raw
    return raw + b".\r\n" if raw.endswith(b"\r\n") else raw + b"\r\n.\r\n"

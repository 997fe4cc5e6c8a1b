"""Writing header fields: RFC 5322 folding, RFC 2047 encoded-words. Values have passed the gate.

Every function returns complete lines with CRLF. Lines are at most 76 characters where folding is possible at all; no
field begins with an empty first line, and literal values are never encoded.
"""

import re

from pybase64 import b64encode_as_string

from hongyan.delivery.errors import HeaderRefused
from hongyan.delivery.mime.address import Address
from hongyan.delivery.mime.gate import clean_text, literal

_WIDTH = 76
_WORD_OVERHEAD = len("=?utf-8?b??=")
_WORD_MAX = 75
_ATOM_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")


def text_header(name: str, value: str) -> str:
    """Subject and the like: readable when it is ASCII and folds well, else encoded-words."""
    value = clean_text(value)
    if value.isascii() and "=?" not in value:
        folded = _fold_words(name, value)
        if folded is not None:
            return folded
    return f"{name}: {_encoded_words(value, first=len(name) + 2)}\r\n"


def mailbox_header(name: str, display: str, address: Address) -> str:
    """From, Reply-To, To: one mailbox. The address stands on a line of its own when the name is long."""
    display = clean_text(display)
    if not display:
        return f"{name}: {address.as_text}\r\n"
    if display.isascii() and "=?" not in display and len(display) < 60:
        phrase = display if _ATOM_PHRASE.match(display) else _quoted(display)
    else:
        phrase = _encoded_words(display, first=len(name) + 2)
    last = len(phrase.rpartition("\r\n")[2]) + (len(name) + 2 if "\r\n" not in phrase else 0)
    gap = " " if last + len(address.as_text) + 3 <= _WIDTH else "\r\n "
    return f"{name}: {phrase}{gap}<{address.as_text}>\r\n"


def literal_header(name: str, value: str) -> str:
    """Message-ID, List-*, Feedback-ID …: never encoded. Raises HeaderRefused, also above 998 characters."""
    line = f"{name}: {literal(name, value)}"
    if len(line) > 998:
        raise HeaderRefused(f"the value of {name!r} is too long")
    return line + "\r\n"


def list_unsubscribe(https_url: str, mailto: str | None = None) -> str:
    """RFC 8058: the one https address first and unfolded within; one-click needs exactly the second header."""
    uris = [f"<{literal('List-Unsubscribe', https_url)}>"]
    if mailto:
        uris.append(f"<mailto:{literal('List-Unsubscribe', mailto)}>")
    value = ",\r\n ".join(uris)
    return f"List-Unsubscribe: {value}\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _fold_words(name: str, value: str) -> str | None:
    """ASCII text over several lines, broken at spaces; None when a word is too long for that."""
    lines: list[str] = []
    line = f"{name}:"
    for word in value.split(" "):
        if len(word) > _WIDTH - 2 - (len(name) + 1 if not lines else 0):
            return None
        if len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]) + "\r\n"


def _encoded_words(value: str, *, first: int) -> str:
    """Words of whole characters, one a line; ``first`` is what already stands on the first line."""
    raw = value.encode()
    words: list[str] = []
    start = 0
    while start < len(raw) or not words:
        room = min(_WORD_MAX, _WIDTH - (first if not words else 1)) - _WORD_OVERHEAD
        end = min(start + room // 4 * 3, len(raw))
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end -= 1
        words.append(f"=?utf-8?b?{b64encode_as_string(raw[start:end])}?=")
        start = end
    return "\r\n ".join(words)

"""Small things about text."""


def crlf(raw: bytes) -> bytes:
    """Canonical text as mail carries it: CRLF line ends, no NUL."""
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\x00" in raw:
        raw = raw.replace(b"\x00", b"")
    return raw.replace(b"\n", b"\r\n")

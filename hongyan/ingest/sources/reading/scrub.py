"""Error texts of drivers and servers without secrets and without people. Pure."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

_CREDENTIALS = re.compile(r"(\w[\w+.-]*://)[^/\s@]*@")
_EMAIL = re.compile(r"[^\s\"'<>()=,;]+@[^\s\"'<>()=,;]+\.[^\s\"'<>()=,;]+")
_NUMBER = re.compile(r"\d{7,}")
_TOKENISH = re.compile(r"((?:token|secret|password|passwd|pwd|key|signature)\s*[=:]\s*)[^\s&,;]+", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """One line of at most 300 characters.

    >>> scrub("cannot reach mysql://shop:p%40ss@db/x as li@example.cn", ["p@ss"])
    'cannot reach mysql://…@db/x as …'
    """
    for secret in sorted(
        {form for value in secrets if len(value) > 2 for form in _forms(value)}, key=len, reverse=True
    ):
        text = text.replace(secret, "…")
    text = _CREDENTIALS.sub(r"\1…@", text)
    for pattern, by in ((_TOKENISH, r"\1…"), (_EMAIL, "…"), (_NUMBER, "…"), (_CONTROLS, " ")):
        text = pattern.sub(by, text)
    return text.strip()[:300]


def _forms(secret: str) -> tuple[str, ...]:
    return secret, quote(secret, safe=""), quote_plus(secret), unquote(secret), repr(secret)[1:-1]

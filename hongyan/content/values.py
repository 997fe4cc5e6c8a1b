"""What may come into a mail from a person's record, and what counts as empty."""

import re
import unicodedata
from typing import Any

# Joiners inside emoji and scripts that need them stay; everything else that is invisible or turns text around goes.
_KEPT_INVISIBLE = frozenset("\u200c\u200d")
MAX_LENGTH = 2000
_BLANKS = re.compile(r"\s+")


def clean(value: Any) -> Any:
    """None for an empty value: missing, blank, or only invisible characters. Control and direction characters are taken
    out of texts (a name must not end a header or reverse a line); runs of blanks become one.

    >>> clean("  \\u200b ") is None, clean("a\\x0bb"), clean(0)
    (True, 'a b', 0)
    """
    if not isinstance(value, str):
        return value
    if value.isprintable():
        value = value.strip()
        return (value if len(value) <= MAX_LENGTH else value[:MAX_LENGTH]) or None
    kept = "".join(" " if _separates(c) else c for c in value[: 4 * MAX_LENGTH] if _separates(c) or _shows(c))
    kept = _BLANKS.sub(" ", kept).strip()[:MAX_LENGTH]
    return kept if any(c not in _KEPT_INVISIBLE for c in kept) else None


def _separates(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Cc", "Zl", "Zp", "Zs"}


def _shows(character: str) -> bool:
    return character in _KEPT_INVISIBLE or unicodedata.category(character) not in {"Cf", "Cs", "Cn"}

"""Characters: what is tidy silently and what is refused."""

import re
import unicodedata

from hongyan.contacts.errors import NormaliseProblem

# Marks that are invisible and only travel along from spreadsheets and web pages: BOM, zero-width space and joiners at
# the borders, soft hyphen, direction marks and overrides.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"\s+")


def tidy(text: str) -> str:
    """Without invisible marks, NFC, one space for each run of white space. Refuses control characters."""
    if text.isascii() and text.isprintable():
        return text.strip() if "  " not in text else _SPACES.sub(" ", text).strip()
    text = _INVISIBLE.sub("", text)
    if _CONTROLS.search(text):
        raise NormaliseProblem("control_characters")
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def tidy_lines(text: str) -> str:
    """As ``tidy``, but line ends stay (as LF)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "\n".join(tidy(part) for part in text.split("\n")).strip()


def folded(text: str) -> str:
    """For looking words up: compatibility forms joined (full-width letters), case folded."""
    if text.isascii():
        return tidy(text).lower()
    return unicodedata.normalize("NFKC", tidy(text)).casefold()

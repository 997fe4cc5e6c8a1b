"""Common cleaning of cell texts."""

import re
import unicodedata

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"\s+")


def tidy(text: str) -> str:
    """Without control and invisible characters, white space (also NBSP and full-width) folded to single spaces."""
    if text.isascii() and text.isalnum():
        return text
    return _SPACE.sub(" ", _CONTROL.sub("", _INVISIBLE.sub("", text))).strip()


def folded(text: str) -> str:
    """For looking words up: compatibility forms (full-width letters and digits), case folded, tidy."""
    return tidy(unicodedata.normalize("NFKC", text)).casefold()

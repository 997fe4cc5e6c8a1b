"""The gate every header value passes. One rule for all callers, so that nothing can break out of its header."""

import re

from django.utils.translation import gettext as _

from hongyan.delivery.errors import HeaderRefused

# C0, DEL, C1 and the Unicode line ends: some library somewhere takes each of them for a newline.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Marks that turn or hide text, and what cannot be encoded: deception or damage, never content.
_DECEPTIVE = re.compile(r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]+")
_STAND_IN = re.compile("[\ufffc\ufffd]")
_SPACES = re.compile(r" {2,}")
_LITERAL = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*\Z")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}\Z")
_ADDRESS_LIKE = re.compile(r"\S@\S|https?://|www\.", re.IGNORECASE)


def clean_text(value: str) -> str:
    """Text for Subject or a display name: controls become a space, deceptive marks go, spaces are single.

    >>> clean_text("Hello" + chr(11) + "Bcc: x" + chr(0x202E))
    'Hello Bcc: x'
    """
    # What is printable to Python has no controls and no marks but the two stand-ins for what is no text (U+FFFC, FFFD).
    if value.isprintable() and "  " not in value and (value.isascii() or not _STAND_IN.search(value)):
        return value.strip()
    value = _DECEPTIVE.sub("", _CONTROLS.sub(" ", value))
    return _SPACES.sub(" ", value).strip()


def literal(name: str, value: str) -> str:
    """A value that must go out as it is: printable ASCII, single spaces. Raises HeaderRefused."""
    if not _NAME.match(name) or not _LITERAL.match(value):
        raise HeaderRefused(f"the value of {name[:60]!r} cannot stand in a header")
    return value


def display_name_problem(name: str) -> str | None:
    """Why a sender name cannot be used, in the active language, or None."""
    if not name.strip():
        return _("Enter the name people will see.")
    if clean_text(name) != name:
        return _("The name contains characters that cannot be seen.")
    if _ADDRESS_LIKE.search(name):
        return _("The name must not look like an address or a link.")
    return None

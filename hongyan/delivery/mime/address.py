"""Addresses as they go on the wire (RFC 5321 §4.1.2, RFC 6531, IDNA 2008 with UTS 46)."""

import re
from dataclasses import dataclass
from functools import lru_cache

import idna

# Dot-atom only: quoted local parts are legal, seen nowhere but in attacks, and mishandled everywhere.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LOCAL_ASCII = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*\Z")
# Outside ASCII any character that shows: no controls, spaces, separators, bidi marks or surrogates.
_UNICODE = r"[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,\"\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff0-\uffff\ud800-\udfff]"  # noqa: E501
_LOCAL_UNICODE = re.compile(rf"(?:(?!\.){_UNICODE})+(?:\.(?:(?!\.){_UNICODE})+)*\Z")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z][a-z0-9-]{0,61}[a-z0-9])\Z")


class AddressRefused(Exception):
    """Not an address mail can be sent to. The text never quotes it."""


@dataclass(frozen=True, slots=True)
class Address:
    local: str
    domain_ascii: str  # A-label, lower case

    @property
    def needs_smtputf8(self) -> bool:
        return not self.local.isascii()

    @property
    def as_text(self) -> str:
        return f"{self.local}@{self.domain_ascii}"


def parse_address(text: str) -> Address:
    """Raises AddressRefused.

    >>> parse_address("user@例子.测试").as_text
    'user@xn--fsqu00a.xn--0zwm56d'
    """
    local, at, domain = text.rpartition("@")
    if not at or "@" in local:
        raise AddressRefused("one @ is needed")
    if not 1 <= len(local.encode("utf-8", "surrogatepass")) <= 64:
        raise AddressRefused("the part before @ is empty or too long")
    pattern = _LOCAL_ASCII if local.isascii() else _LOCAL_UNICODE
    if not pattern.match(local):
        raise AddressRefused("the part before @ has a character that cannot be sent")
    ascii_domain = _a_label(domain)
    if len(local) + 1 + len(ascii_domain) > 254:
        raise AddressRefused("longer than a path may be")
    return Address(local, ascii_domain)


@lru_cache(maxsize=8192)
def _a_label(domain: str) -> str:
    lowered = domain.lower()
    if not lowered.isascii() or "xn--" in lowered:
        try:
            lowered = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise AddressRefused("the domain is not a name") from error
    if not _DOMAIN.match(lowered):
        raise AddressRefused("the domain is not a name")
    return lowered

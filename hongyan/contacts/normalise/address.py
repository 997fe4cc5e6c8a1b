"""E-mail addresses: one address, deliverable in form, comparable.

The domain becomes an A-label in lower case; the local part stays as written (RFC 5321 §2.4: only its owner knows), so
plus-tags and case are kept; lookup folds its case separately. Stricter than Django's validator: no IP literals, no
quoted local parts, no single labels, local part ≤ 64 octets (RFC 5321 §4.5.3.1).
"""

import re
import unicodedata

import idna
from django.utils.translation import gettext as _

from hongyan.contacts.normalise.problem import NormaliseProblem
from hongyan.contacts.normalise.text import tidy

_LOCAL_ASCII = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ATEXT_ASCII = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]")
_DOMAIN_ASCII = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_DECORATED = re.compile(r"^[^<>]*<([^<>@\s]+@[^<>@\s]+)>$")


def email(text: str) -> str:
    """The normalised address. Raises NormaliseProblem.

    >>> email("  Wei.Zhang+vip@EXAMPLE.com ")
    'Wei.Zhang+vip@example.com'
    >>> email("info@例子.测试")
    'info@xn--fsqu00a.xn--0zwm56d'
    """
    address = tidy(text).removeprefix("mailto:")
    decorated = _DECORATED.match(address)
    if decorated:
        address = decorated.group(1)
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise NormaliseProblem("email_form", _("An e-mail address has one @ with something on both sides."))
    if "@" in local or "," in address or ";" in address or " " in address:
        raise NormaliseProblem("email_many", _("This cell holds more than one address; put one in each."))
    return f"{_local(local)}@{_domain(domain)}"


def email_domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def _local(local: str) -> str:
    if len(local.encode()) > 64:
        raise NormaliseProblem("email_local_long", _("The part before the @ is longer than 64 bytes."))
    if local.isascii():
        if not _LOCAL_ASCII.fullmatch(local):
            raise NormaliseProblem("email_local", _("The part before the @ has characters or dots where none may be."))
        return local
    local = unicodedata.normalize("NFC", local)
    if local.startswith(".") or local.endswith(".") or ".." in local or not all(map(_allowed, local)):
        raise NormaliseProblem("email_local", _("The part before the @ has characters or dots where none may be."))
    return local


def _allowed(character: str) -> bool:
    if character.isascii():
        return _ATEXT_ASCII.match(character) is not None
    # RFC 6531 allows any UTF-8; letters, marks and digits are what people use. Full-width forms are typing slips.
    return unicodedata.category(character)[0] in "LMN" and unicodedata.normalize("NFKC", character) == character


def _domain(domain: str) -> str:
    domain = unicodedata.normalize("NFKC", domain).replace("。", ".").lower()
    if domain.endswith("."):
        raise NormaliseProblem("email_domain", _("The domain after the @ is not one that mail can reach."))
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError as error:
            raise NormaliseProblem(
                "email_domain", _("The domain after the @ is not one that mail can reach.")
            ) from error
    if len(domain) > 253 or not _DOMAIN_ASCII.fullmatch(domain) or not _decodable(domain):
        raise NormaliseProblem("email_domain", _("The domain after the @ is not one that mail can reach."))
    return domain


def _decodable(domain: str) -> bool:
    if "xn--" not in domain:
        return True
    try:
        idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return False
    return True
